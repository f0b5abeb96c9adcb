"""Source ``jira``: its descriptor, and what opens the issues of a site."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from runtime_common.contracts.model import parse
from runtime_common.endpoints.atlassian import AtlassianConfig
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.jira.columns import CURSOR_FIELD
from runtime_common.endpoints.jira.read import IssuesRead
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.semantic.operations import CHECKS, TEST_ATTEMPTS, semantic_checks, semantic_preview
from runtime_common.endpoints.semantic.records import text
from runtime_common.exceptions import ConfigurationError, InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.http import AddressRules
    from runtime_common.protocols import Check, ReadRequest, Sample


class JiraObject(EndpointModel):
    """What a unit reads."""

    projects: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,254}$")]],
        Field(
            title="Projects",
            description="Keys of projects; all that the account may see when empty",
            examples=[["SHOP", "OPS"]],
            max_length=100,
            json_schema_extra=group("Object"),
        ),
    ] = Field(default_factory=list)


DESCRIPTOR = EndpointDescriptor(
    id="jira",
    title="Jira",
    vendor="atlassian",
    description=(
        "Reads issues of Jira Cloud as rows, and leaves issues, projects and people with their links in the knowledge "
        "base. An incremental unit's cursor field is `updated`; the rows come by it, so a run is committed slice by "
        "slice. Jira does not tell of issues that were deleted: a full unit that overwrites finds them gone."
    ),
    role="source",
    version="1",
    capabilities=("metadata.preview", "ingest.full", "ingest.incremental"),
    checks=CHECKS,
    config_model=AtlassianConfig,
    object_model=JiraObject,
)


class JiraSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: AtlassianConfig, rules: AddressRules) -> None:
        self._config = config
        self._rules = rules

    def open(self, request: ReadRequest, cancellation: Cancellation) -> IssuesRead:
        """Ask who reads, and fix where this read ends.

        Raises:
            SourceError: The site can't be reached, refuses, or fails.
            ConfigurationError: The object is none, or the unit asks for what issues can't give.
        """
        if request.cursor_field not in {None, CURSOR_FIELD}:
            raise ConfigurationError(
                f"issues are read by their last change: set the cursor field to {CURSOR_FIELD!r}",
                field="unit.cursorField",
            )
        target = parse(JiraObject, dict(request.object), prefix="source.object")
        with ExitStack() as stack:
            client = stack.enter_context(self._config.client(rules=self._rules, cancellation=cancellation))
            host = urlsplit(self._config.base_url).netloc
            read = IssuesRead(client, target, host=host, request=request, cancellation=cancellation)
            stack.pop_all()
        return read

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""

        def authenticate() -> str:
            with self._config.client(rules=self._rules, cancellation=cancellation, attempts=TEST_ATTEMPTS) as client:
                myself = client.get("rest/api/3/myself").document
            return f"the site knows this account as {text(myself, 'displayName') or 'somebody without a name'}"

        def read() -> str:
            sample = self.preview({}, limit=1, cancellation=cancellation)
            return "an issue was read" if sample.table.num_rows else "the account sees no issue yet"

        return semantic_checks(authenticate, read)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return the issues that were not changed for longest; raises like :meth:`open`."""
        return semantic_preview(self, selected, limit=limit, cancellation=cancellation)


def _build(config: EndpointModel, services: EndpointServices) -> JiraSource:
    if not isinstance(config, AtlassianConfig):
        raise InternalError("jira was given the config of another endpoint")
    return JiraSource(config, services.http_addresses)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
