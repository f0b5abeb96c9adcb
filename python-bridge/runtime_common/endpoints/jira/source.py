"""Source ``jira``: its descriptor, and what opens the issues of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from runtime_common.contracts.model import parse
from runtime_common.endpoints.atlassian import AtlassianConfig
from runtime_common.endpoints.atlassian_source import AtlassianSource
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.jira.columns import CURSOR_FIELD
from runtime_common.endpoints.jira.read import IssuesRead
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.semantic.operations import CHECKS
from runtime_common.endpoints.semantic.records import text
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.http import HttpClient
    from runtime_common.protocols import ReadRequest


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


class JiraSource(AtlassianSource):
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    cursor_field = CURSOR_FIELD
    things = "issues"

    def _read(self, client: HttpClient, host: str, request: ReadRequest, cancellation: Cancellation) -> IssuesRead:
        target = parse(JiraObject, dict(request.object), prefix="source.object")
        return IssuesRead(client, target, host=host, request=request, cancellation=cancellation)

    def _who(self, client: HttpClient) -> str:
        myself = client.get("rest/api/3/myself").document
        return f"the site knows this account as {text(myself, 'displayName') or 'somebody without a name'}"


def _build(config: EndpointModel, services: EndpointServices) -> JiraSource:
    if not isinstance(config, AtlassianConfig):
        raise InternalError("jira was given the config of another endpoint")
    return JiraSource(config, services.http_addresses)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
