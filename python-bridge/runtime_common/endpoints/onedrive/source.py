"""Source ``onedrive``: its config, its descriptor, and what opens a drive."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import Field, SecretStr, StringConstraints

from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.http_connection import HttpConnection, Text
from runtime_common.endpoints.onedrive.read import DriveRead
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.semantic.operations import CHECKS, TEST_ATTEMPTS, semantic_checks, semantic_preview
from runtime_common.endpoints.semantic.records import text
from runtime_common.exceptions import InternalError
from runtime_common.http import ClientCredentials, HttpClient
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.http import AddressRules
    from runtime_common.protocols import Check, ReadRequest, Sample


def _text(title: str, description: str, example: str, where: str) -> Any:
    return Field(title=title, description=description, examples=[example], json_schema_extra=group(where))


class OneDriveConfig(HttpConnection):
    """How to reach a drive by Microsoft Graph."""

    tenant_id: Annotated[Text, _text("Tenant", "Id of the directory", "contoso.onmicrosoft.com", "Connection")]
    drive_id: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9!_.-]{1,512}$"),
        _text(
            "Drive",
            "Id of the drive",
            "b!t18F8ybsHUq1z3LTz8xvZqP8zaSWjkFNhsME-Fepo75dTf9vQKfeRblBZjoSQrd7",
            "Connection",
        ),
    ]
    client_id: Annotated[
        Text,
        _text(
            "Client id",
            "Of an app with the permission Files.Read.All",
            "00000000-0000-0000-0000-000000000000",
            "Security",
        ),
    ]
    client_secret: Annotated[SecretStr, _text("Client secret", "Of that app", "(stored sealed)", "Security")]
    base_url: Annotated[
        Text, _text("Service", "URL of Microsoft Graph", "https://graph.microsoft.com/v1.0", "Connection")
    ] = "https://graph.microsoft.com/v1.0"
    login_url: Annotated[
        Text, _text("Login", "URL that gives out tokens", "https://login.microsoftonline.com", "Security")
    ] = "https://login.microsoftonline.com"

    def client(self, *, rules: AddressRules, cancellation: Cancellation, attempts: int | None = None) -> HttpClient:
        """Return a client of the service.

        Raises:
            ConfigurationError: A URL or the certificate is none.
        """
        secret = self.client_secret.get_secret_value()
        register_secret(secret)
        login = f"{self.login_url.rstrip('/')}/{quote(self.tenant_id, safe='')}/oauth2/v2.0/token"
        tokens = ClientCredentials(
            self.connect(
                login,
                rules=rules,
                cancellation=cancellation,
                field="source.config.loginUrl",
                credentials_field="source.config.clientSecret",
            ),
            login,
            client_id=self.client_id,
            client_secret=secret,
            scope="https://graph.microsoft.com/.default",
        )
        return self.connect(
            self.base_url,
            rules=rules,
            cancellation=cancellation,
            limits={} if attempts is None else {"attempts": attempts},
            authorization=tokens,
            credentials_field="source.config.clientSecret",
        )


class OneDriveObject(EndpointModel):
    """What a unit reads: the whole drive."""


DESCRIPTOR = EndpointDescriptor(
    id="onedrive",
    title="OneDrive",
    vendor="microsoft",
    description=(
        "Reads files and folders of a drive as rows, and leaves them with their folders and authors in the knowledge "
        "base. An incremental unit's cursor field is `delta`: the link at which Microsoft Graph goes on. Deleted items "
        "come as rows with the mark `deleted`, moved and renamed ones as changes."
    ),
    role="source",
    version="1",
    capabilities=("metadata.preview", "ingest.full", "ingest.incremental"),
    checks=CHECKS,
    config_model=OneDriveConfig,
    object_model=OneDriveObject,
)


class OneDriveSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: OneDriveConfig, rules: AddressRules) -> None:
        self._config = config
        self._rules = rules

    def open(self, request: ReadRequest, cancellation: Cancellation) -> DriveRead:
        """Look the drive up.

        Raises:
            SourceError: The service can't be reached, refuses, or fails.
            ConfigurationError: The unit asks for what changes can't give.
        """
        parse(OneDriveObject, dict(request.object), prefix="source.object")
        with ExitStack() as stack:
            client = stack.enter_context(self._config.client(rules=self._rules, cancellation=cancellation))
            read = DriveRead(client, self._config.drive_id, request=request, cancellation=cancellation)
            stack.pop_all()
        return read

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""

        def authenticate() -> str:
            with self._config.client(rules=self._rules, cancellation=cancellation, attempts=TEST_ATTEMPTS) as client:
                drive = client.get(f"drives/{self._config.drive_id}").document
            return f"the drive is {text(drive, 'name') or 'one without a name'}"

        def read() -> str:
            rows = self.preview({}, limit=1, cancellation=cancellation).table.num_rows
            return "files were read" if rows else "the drive is empty"

        return semantic_checks(authenticate, read)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return some of what is there; raises like :meth:`open`."""
        return semantic_preview(self, selected, limit=limit, cancellation=cancellation)


def _build(config: EndpointModel, services: EndpointServices) -> OneDriveSource:
    if not isinstance(config, OneDriveConfig):
        raise InternalError("onedrive was given the config of another endpoint")
    return OneDriveSource(config, services.http_addresses)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
