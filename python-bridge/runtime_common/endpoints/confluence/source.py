"""Source ``confluence``: its descriptor, and what opens the pages of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from runtime_common.contracts.model import parse
from runtime_common.endpoints.atlassian import AtlassianConfig
from runtime_common.endpoints.atlassian_source import AtlassianSource
from runtime_common.endpoints.confluence.read import CURSOR_FIELD, PagesRead
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.semantic.operations import CHECKS
from runtime_common.endpoints.semantic.records import members
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.http import HttpClient
    from runtime_common.protocols import ReadRequest


class ConfluenceObject(EndpointModel):
    """What a unit reads."""

    spaces: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^~?[A-Za-z0-9._-]{1,255}$")]],
        Field(
            title="Spaces",
            description="Keys of spaces; all that the account may see when empty",
            examples=[["HANDBOOK"]],
            max_length=100,
            json_schema_extra=group("Object"),
        ),
    ] = Field(default_factory=list)


DESCRIPTOR = EndpointDescriptor(
    id="confluence",
    title="Confluence",
    vendor="atlassian",
    description=(
        "Reads pages of Confluence Cloud as rows, and leaves pages, spaces and people with their links in the "
        "knowledge base. An incremental unit's cursor field is `modified`. The site does not tell when a page was "
        "moved or went to the trash, so every run lists all pages: the knowledge base follows at once, rows of "
        "moved and deleted pages only in a full unit."
    ),
    role="source",
    version="1",
    capabilities=("metadata.preview", "ingest.full", "ingest.incremental"),
    checks=CHECKS,
    config_model=AtlassianConfig,
    object_model=ConfluenceObject,
)


class ConfluenceSource(AtlassianSource):
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    cursor_field = CURSOR_FIELD
    things = "pages"

    def _read(self, client: HttpClient, host: str, request: ReadRequest, cancellation: Cancellation) -> PagesRead:
        target = parse(ConfluenceObject, dict(request.object), prefix="source.object")
        return PagesRead(client, target.spaces, host=host, request=request, cancellation=cancellation)

    def _who(self, client: HttpClient) -> str:
        spaces = members(client.get("wiki/api/v2/spaces", params=[("limit", "1")]).document, "results")
        return "the account sees spaces" if spaces else "the login is accepted; the account sees no space yet"


def _build(config: EndpointModel, services: EndpointServices) -> ConfluenceSource:
    if not isinstance(config, AtlassianConfig):
        raise InternalError("confluence was given the config of another endpoint")
    return ConfluenceSource(config, services.http_addresses)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
