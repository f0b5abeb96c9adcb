"""The connection test of a REST catalog, over its protocol alone: no Spark is started and nothing is left behind."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from runtime_common.exceptions import SinkError
from runtime_common.protocols import Check
from runtime_common.redaction import redact, register_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.iceberg_catalog import IcebergCatalog

_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}
_COLUMN = {"id": 1, "name": "n", "type": "int", "required": False}


def catalog_server_checks(catalog: IcebergCatalog, cancellation: Cancellation) -> Sequence[Check]:
    """Return the steps in the descriptor's order."""
    steps = _Steps(catalog, cancellation)
    return (
        Check(name="catalog", run=steps.reach),
        Check(name="authenticate", run=steps.authenticate, needs=("catalog",)),
        Check(name="write", run=steps.write, needs=("authenticate",)),
    )


class _Steps:
    def __init__(self, catalog: IcebergCatalog, cancellation: Cancellation) -> None:
        self._settings = catalog.settings
        self._namespace = catalog.namespace
        self._cancellation = cancellation
        self._headers: dict[str, str] = {}
        self._prefix = ""

    def reach(self) -> str:
        url = urlsplit(self._settings["uri"])
        address = (url.hostname or "", url.port or _PORTS[url.scheme])
        try:
            socket.create_connection(address, timeout=_SECONDS).close()
        except socket.gaierror as error:
            raise SinkError(
                f"the name {address[0]!r} can't be resolved: {error.strerror}; correct it, or the worker's DNS",
                code="SINK_NAME_UNKNOWN",
                field="sink.config.uri",
            ) from None
        except OSError as error:
            raise SinkError(
                f"{address[0]}:{address[1]} accepts no connection: {error.strerror or error}; check the address and "
                "that the catalog runs",
                code="SINK_UNREACHABLE",
                field="sink.config.uri",
            ) from None
        return f"{address[0]}:{address[1]} accepts connections"

    def authenticate(self) -> str:
        token = self._settings.get("token") or self._exchanged()
        if token is not None:
            self._headers = {"Authorization": f"Bearer {token}"}
        warehouse = self._settings.get("warehouse")
        told = self._ask("GET", "config", params=None if warehouse is None else {"warehouse": warehouse})
        prefix = (told.get("defaults", {}) | told.get("overrides", {})).get("prefix")
        self._prefix = f"{prefix}/" if prefix else ""
        return "the catalog lets the user in" if token else "the catalog asks for no login"

    def write(self) -> str:
        """Prepare a table that is never committed; where the namespace is missing, make it and take it back."""
        namespace = f"{self._prefix}namespaces/{quote(self._namespace, safe='')}"
        if self._answer("GET", namespace).status_code == httpx.codes.NOT_FOUND:
            self._ask("POST", f"{self._prefix}namespaces", json={"namespace": [self._namespace], "properties": {}})
            self._ask("DELETE", namespace)
            return f"namespace {self._namespace!r} can be made"
        table = {
            "name": f"nucleus_check_{secrets.token_hex(6)}",
            "stage-create": True,
            "schema": {"type": "struct", "schema-id": 0, "fields": [_COLUMN]},
        }
        self._ask("POST", f"{namespace}/tables", json=table)
        return f"tables can be made in {self._namespace!r}"

    def _exchanged(self) -> str | None:
        credential = self._settings.get("credential")
        if credential is None:
            return None
        client_id, _, secret = credential.rpartition(":")
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": self._settings.get("scope", "catalog"),
        }
        told = self._ask("POST", self._settings.get("oauth2-server-uri", "oauth/tokens"), data=form)
        token = str(told.get("access_token", ""))
        register_secret(token)
        return token

    def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        answer = self._answer(method, path, **content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise SinkError(
                "the catalog refuses token or credential; correct it",
                code="SINK_AUTHENTICATION_FAILED",
                field="sink.config.credential" if "credential" in self._settings else "sink.config.token",
                retryable=False,
            )
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise SinkError(
                "the catalog does not let this user do that; grant the right on the namespace",
                code="SINK_ACCESS_DENIED",
                field="sink.config.namespace",
                retryable=False,
            )
        if answer.is_error:
            raise SinkError(
                f"the catalog answers {method} {path} with status {answer.status_code}; check that the URI is that of "
                "an Iceberg REST catalog",
                field="sink.config.uri",
                retryable=answer.is_server_error,
            )
        try:
            told = answer.json() if answer.content else {}
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise SinkError(
                f"the catalog's answer to {method} {path} is no JSON object; check that the URI is that of an Iceberg "
                "REST catalog",
                field="sink.config.uri",
                retryable=False,
            )
        return told

    def _answer(self, method: str, path: str, **content: Any) -> httpx.Response:
        self._cancellation.check()
        url = path if path.startswith(("http://", "https://")) else f"{self._settings['uri']}/v1/{path}"
        try:
            return httpx.request(method, url, headers=self._headers, timeout=_SECONDS, **content)
        except httpx.HTTPError as error:
            failure = SinkError(
                f"no answer from the catalog: {redact(str(error)) or type(error).__name__}; check its address and that "
                "it runs",
                code="SINK_UNREACHABLE",
                field="sink.config.uri",
            )
        raise failure
