"""One read of the pages of a site.

The site tells when a page was written last, but neither when it was moved nor when it went to the trash. So every run
lists all pages: rows are those that were written since the checkpoint, metadata is what the whole list says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.endpoints.atlassian import note_person
from runtime_common.endpoints.http_rest.object import HttpRestObject, LinkPaging
from runtime_common.endpoints.http_rest.paging import Pager
from runtime_common.endpoints.http_rest.read import server_time
from runtime_common.endpoints.json_rows import DeclaredField, RecordDecoder
from runtime_common.endpoints.semantic import SemanticRead, urn
from runtime_common.endpoints.semantic.records import moment, text
from runtime_common.exceptions import SourceObjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.http import HttpClient
    from runtime_common.protocols import ReadRequest

CURSOR_FIELD = "modified"
COLUMNS = (
    DeclaredField(name="id", path="$.id", type="text", nullable=False),
    DeclaredField(name="status", path="$.status", type="text"),
    DeclaredField(name="title", path="$.title", type="text"),
    DeclaredField(name="space_id", path="$.spaceId", type="text"),
    DeclaredField(name="parent_id", path="$.parentId", type="text"),
    DeclaredField(name="author_id", path="$.authorId", type="text"),
    DeclaredField(name="created", path="$.createdAt", type="timestamptz"),
    DeclaredField(name="version", path="$.version.number", type="integer"),
    DeclaredField(name="modified", path="$.version.createdAt", type="timestamptz", nullable=False),
    DeclaredField(name="modified_by_id", path="$.version.authorId", type="text"),
    DeclaredField(name="page", path="$", type="json"),
)
_BY_LINK = LinkPaging(kind="link", next_path="$._links.next", size_param="limit", page_size=250)
_SPACES = HttpRestObject(path="wiki/api/v2/spaces", records="$.results", fields=list(COLUMNS), paging=_BY_LINK)
_PAGES = HttpRestObject(
    path="wiki/api/v2/pages",
    params={"status": "current,archived,trashed"},
    records="$.results",
    fields=list(COLUMNS),
    paging=_BY_LINK,
)
_GONE = frozenset({"trashed", "deleted"})


class PagesRead(SemanticRead):
    """See :class:`runtime_common.protocols.SourceRead`.

    Opening it lists the spaces: that proves the login, and tells the site's time.

    Args:
        client: Asks the site; closed with the read.
        keys: Of the spaces to read; all when empty.
        host: Names the site.
        request: The unit's.
        cancellation: Ends the read.

    Raises:
        SourceObjectError: The account sees no space of one of the keys.
    """

    def __init__(
        self, client: HttpClient, keys: Sequence[str], *, host: str, request: ReadRequest, cancellation: Cancellation
    ) -> None:
        self._namespace = f"confluence://{host}"
        self._site = f"https://{host}/wiki"
        now = server_time(client.get(_SPACES.path, params=[("limit", "1")]))
        super().__init__(
            client,
            namespace=self._namespace,
            name="pages",
            decoder=RecordDecoder(COLUMNS),
            request=request,
            ordered=False,
            now=now,
            cancellation=cancellation,
        )
        self._spaces = self._list_spaces(keys)

    def _list_spaces(self, keys: Sequence[str]) -> list[str]:
        """Note the spaces, and return the ids of those to read."""
        params = [("keys", ",".join(keys))] if keys else []
        found: dict[str, str] = {}
        for space in (one for page in Pager(self._client, _SPACES, params).pages() for one in page):
            identity, key = text(space, "id"), text(space, "key")
            if identity is None:
                continue
            found[key or ""] = identity
            self._metadata.entity(
                "Space",
                urn("Space", self._namespace, identity),
                name=text(space, "name"),
                key=key,
                externalUrl=None if key is None else f"{self._site}/spaces/{key}",
            )
        missing = [key for key in keys if key not in found]
        if missing:
            raise SourceObjectError(
                f"the account sees no space {', '.join(missing)}; correct the keys, or grant the right to view",
                field="source.object.spaces",
            )
        return [found[key] for key in keys]

    def _fetch(self, lower: str | None, upper: str | None) -> Iterator[list[Any]]:  # noqa: ARG002 - compared here
        params = [("space-id", ",".join(self._spaces))] if self._spaces else []
        return Pager(self._client, _PAGES, params).pages()

    def _note(self, records: list[Any]) -> None:
        for record in records:
            identity = text(record, "id")
            if identity is None:
                continue
            page = urn("Page", self._namespace, identity)
            if text(record, "status") in _GONE:
                self._metadata.deletion("Page", page)
            else:
                self._note_page(page, record)

    def _note_page(self, page: str, record: Any) -> None:
        address = text(record, "_links", "webui")
        self._metadata.entity(
            "Page",
            page,
            name=text(record, "title"),
            status=text(record, "status"),
            sourceCreatedAt=moment(record, "createdAt"),
            sourceUpdatedAt=moment(record, "version", "createdAt"),
            externalUrl=None if address is None else f"{self._site}{address}",
        )
        space, parent = text(record, "spaceId"), text(record, "parentId")
        if text(record, "parentType") != "page":
            # Folders and whiteboards are no pages.
            parent = None
        self._metadata.link_set("IN_SPACE", page, [] if space is None else [urn("Space", self._namespace, space)])
        self._metadata.link_set("CHILD_OF", page, [] if parent is None else [urn("Page", self._namespace, parent)])
        author = note_person(self._metadata, {"accountId": text(record, "authorId")})
        self._metadata.link_set("AUTHORED_BY", page, [author])
