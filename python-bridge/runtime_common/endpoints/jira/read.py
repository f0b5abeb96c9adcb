"""One read of the issues of a site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime_common.endpoints.atlassian import note_person
from runtime_common.endpoints.http_rest.object import CursorPaging, HttpRestObject
from runtime_common.endpoints.http_rest.paging import Pager
from runtime_common.endpoints.http_rest.read import server_time
from runtime_common.endpoints.jira.columns import COLUMNS
from runtime_common.endpoints.json_rows import RecordDecoder, value_at
from runtime_common.endpoints.semantic import SemanticRead, urn
from runtime_common.endpoints.semantic.records import members, moment, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.jira.source import JiraObject
    from runtime_common.http import HttpClient
    from runtime_common.protocols import ReadRequest

_SEARCH = HttpRestObject(
    path="rest/api/3/search/jql",
    params={"fields": "*all"},
    records="$.issues",
    fields=list(COLUMNS),
    paging=CursorPaging(
        kind="cursor",
        cursor_param="nextPageToken",
        token_path="$.nextPageToken",  # noqa: S106 - a path
        size_param="maxResults",
        page_size=100,
    ),
)
# Queries without any bound are refused.
_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)


class IssuesRead(SemanticRead):
    """See :class:`runtime_common.protocols.SourceRead`.

    Opening it asks who reads: that proves the login, and tells the site's time and the account's time zone, in which
    queries are written.

    Args:
        client: Asks the site; closed with the read.
        target: Which projects.
        host: Names the site.
        request: The unit's.
        cancellation: Ends the read.
    """

    def __init__(
        self,
        client: HttpClient,
        target: JiraObject,
        *,
        host: str,
        request: ReadRequest,
        cancellation: Cancellation,
    ) -> None:
        myself = client.get("rest/api/3/myself")
        self._zone = _zone(text(myself.document, "timeZone"))
        self._target = target
        self._namespace = f"jira://{host}"
        self._site = f"https://{host}"
        super().__init__(
            client,
            namespace=self._namespace,
            name="issues",
            decoder=RecordDecoder(COLUMNS),
            request=request,
            ordered=True,
            now=server_time(myself),
            cancellation=cancellation,
        )

    def _fetch(self, lower: str | None, upper: str | None) -> Iterator[list[Any]]:  # noqa: ARG002 - compared here
        return Pager(self._client, _SEARCH, [("jql", self.query(lower))]).pages()

    def query(self, lower: str | None) -> str:
        """Return the JQL of a read from ``lower`` on: to the whole minute, in the account's time zone.

        Where clocks are set back, a local time means two moments; the query then takes the earlier one.
        """
        since = _BEGINNING if lower is None else datetime.fromisoformat(lower)
        local = since.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")
        clauses = [f'updated >= "{local}"']
        if self._target.projects:
            keys = ", ".join(f'"{key}"' for key in self._target.projects)
            clauses.insert(0, f"project in ({keys})")
        return f"{' AND '.join(clauses)} ORDER BY updated ASC, key ASC"

    def _note(self, records: list[Any]) -> None:
        for record in records:
            identity = text(record, "id")
            if identity is not None:
                self._note_issue(identity, record)

    def _note_issue(self, identity: str, record: Any) -> None:
        key = text(record, "key")
        issue = self._metadata.entity(
            "Issue",
            urn("Issue", self._namespace, identity),
            name=text(record, "fields", "summary"),
            key=key,
            status=text(record, "fields", "status", "name"),
            type=text(record, "fields", "issuetype", "name"),
            sourceCreatedAt=moment(record, "fields", "created"),
            sourceUpdatedAt=moment(record, "fields", "updated"),
            externalUrl=None if key is None else f"{self._site}/browse/{key}",
        )
        link_set = self._metadata.link_set
        link_set("IN_PROJECT", issue, [self._note_project(value_at(record, ["fields", "project"]))])
        link_set("ASSIGNED_TO", issue, [note_person(self._metadata, value_at(record, ["fields", "assignee"]))])
        link_set("AUTHORED_BY", issue, [note_person(self._metadata, value_at(record, ["fields", "reporter"]))])
        link_set("CHILD_OF", issue, self._issues([text(record, "fields", "parent", "id")]))
        # Each link is told by both of its issues; the one that it leaves from counts.
        ends = [text(one, "outwardIssue", "id") for one in members(record, "fields", "issuelinks")]
        link_set("RELATES_TO", issue, self._issues(ends))

    def _note_project(self, project: Any) -> str | None:
        identity = text(project, "id")
        if identity is None:
            return None
        key = text(project, "key")
        return self._metadata.entity(
            "Project",
            urn("Project", self._namespace, identity),
            name=text(project, "name"),
            key=key,
            externalUrl=None if key is None else f"{self._site}/browse/{key}",
        )

    def _issues(self, identities: Iterable[str | None]) -> list[str]:
        return [urn("Issue", self._namespace, one) for one in identities if one is not None]


def _zone(name: str | None) -> tzinfo:
    """Return the account's zone; of one that is not known the earliest there is, so that no issue is left out."""
    try:
        return ZoneInfo(name or "")
    except (ZoneInfoNotFoundError, ValueError):
        return timezone(timedelta(hours=-12))
