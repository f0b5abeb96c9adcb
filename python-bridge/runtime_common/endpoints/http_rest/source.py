"""Source ``http_rest``: its descriptor, and what opens an object."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runtime_common.contracts import CheckStep
from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.http_rest.checks import connection_checks
from runtime_common.endpoints.http_rest.collect import collect_paths
from runtime_common.endpoints.http_rest.config import HttpRestConfig
from runtime_common.endpoints.http_rest.object import HttpRestObject
from runtime_common.endpoints.http_rest.preview import preview_object
from runtime_common.endpoints.http_rest.read import RestRead
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.http import AddressRules
    from runtime_common.protocols import Check, Collected, ReadRequest, Sample

DESCRIPTOR = EndpointDescriptor(
    id="http_rest",
    title="REST API",
    vendor="http",
    description=(
        "Reads records of an API that answers in JSON, paged by offset, page number, cursor or link. Numbers arrive "
        "exactly as they were written. An API gives no snapshot: a record that changes during a run waits for the "
        "next one, and one that an offset would miss is noticed. Where the API delivers by the cursor a run is "
        "committed slice by slice, otherwise as a whole. Only public addresses are reached, unless the operator "
        "allows others."
    ),
    role="source",
    version="1",
    capabilities=("metadata.collect", "metadata.preview", "ingest.full", "ingest.incremental"),
    checks=(
        CheckStep(name="resolve", title="Resolve the server's name"),
        CheckStep(name="request", title="Send a request with these credentials"),
    ),
    config_model=HttpRestConfig,
    object_model=HttpRestObject,
)


class HttpRestSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: HttpRestConfig, rules: AddressRules) -> None:
        self._config = config
        self._rules = rules
        parts = urlsplit(config.base_url)
        self._namespace = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    def open(self, request: ReadRequest, cancellation: Cancellation) -> RestRead:
        """Ask for the first page and fix where this read ends.

        Raises:
            SourceError: The API can't be reached, refuses, or fails.
            ConfigurationError: The object is none, or the unit asks for what it can't give.
        """
        target = _target(request.object)
        with ExitStack() as stack:
            client = stack.enter_context(self._config.client(rules=self._rules, cancellation=cancellation))
            read = RestRead(client, target, namespace=self._namespace, request=request, cancellation=cancellation)
            stack.pop_all()
        return read

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        return connection_checks(self._config, self._rules, cancellation)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return the first records; raises like :meth:`open`."""
        target = _target(selected)
        with self._config.client(rules=self._rules, cancellation=cancellation) as client:
            return preview_object(client, target, namespace=self._namespace, limit=limit)

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        """Return what the API's OpenAPI document lists; raises like :meth:`open`."""
        with self._config.client(rules=self._rules, cancellation=cancellation) as client:
            return collect_paths(client, self._config.open_api_path, namespace=self._namespace, scope=scope)


def _target(selected: Mapping[str, Any]) -> HttpRestObject:
    return parse(HttpRestObject, dict(selected), prefix="source.object")


def _build(config: EndpointModel, services: EndpointServices) -> HttpRestSource:
    if not isinstance(config, HttpRestConfig):
        raise InternalError("http_rest was given the config of another endpoint")
    return HttpRestSource(config, services.http_addresses)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
