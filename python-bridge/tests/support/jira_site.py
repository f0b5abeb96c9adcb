"""A Jira site of a test, in the shapes that its REST API documents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.support.http_server import Asked, HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

_SINCE = re.compile(r'updated >= "([^"]+)"')
_PROJECTS = re.compile(r"project in \(([^)]*)\)")


@dataclass
class JiraSite:
    """Answers ``myself`` and ``search/jql``; an issue is what the API sends of it.

    Attributes:
        zone: Time zone of the account, in which queries are written.
        page_size: Issues that a page holds at most, whatever is asked for.
        before: Called with each request before it is answered: the place for changes in mid-read, and for faults.
    """

    server: HttpServer
    zone: str = "America/New_York"
    page_size: int = 2
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Callable[[Asked], Reply | None] = lambda _: None

    def __post_init__(self) -> None:
        self.server.answer = self.answer

    def put(
        self, identity: int, updated: str, *, project: str = "SHOP", assignee: str | None = None, **fields: Any
    ) -> None:
        """Create or change an issue; ``updated`` is UTC, such as ``2026-01-01T10:00:30.123``."""
        number = {"SHOP": "10", "OPS": "20"}[project]
        people = {"accountId": assignee, "displayName": f"Name of {assignee}", "active": True}
        self.issues[str(identity)] = {
            "id": str(identity),
            "key": f"{project}-{identity}",
            "fields": {
                "summary": f"Issue {identity}",
                "project": {"id": number, "key": project, "name": f"Project {project}"},
                "issuetype": {"name": "Task"},
                "status": {"name": "Open"},
                "assignee": None if assignee is None else people,
                "reporter": {"accountId": "rita", "displayName": "Rita", "emailAddress": "rita@example.com"},
                "created": "2026-01-01T00:00:00.000+0000",
                "updated": f"{updated}+0000",
                "issuelinks": [],
                **fields,
            },
        }

    def answer(self, asked: Asked) -> Reply:
        fault = self.before(asked)
        if fault is not None:
            return fault
        if asked.path == "/rest/api/3/myself":
            return Reply(body={"accountId": "me", "displayName": "Nucleus", "timeZone": self.zone})
        if asked.path != "/rest/api/3/search/jql":
            return Reply(status=404)
        found = self._found(asked.query["jql"])
        # A token tells the last issue that was sent, as the site's search does: what moves behind it comes again.
        if "nextPageToken" in asked.query:
            found = [one for one in found if _place(one) > tuple(asked.query["nextPageToken"].split("|"))]
        page = found[: self.page_size]
        more = len(found) > self.page_size
        return Reply(
            body={"issues": page, "isLast": not more} | ({"nextPageToken": "|".join(_place(page[-1]))} if more else {})
        )

    def _found(self, jql: str) -> list[dict[str, Any]]:
        since = _SINCE.search(jql)
        assert since is not None, "a query without a bound is refused"
        start = datetime.strptime(since[1], "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
        projects = _PROJECTS.search(jql)
        keys = None if projects is None else re.findall(r'"(\w+)"', projects[1])
        found = [
            one
            for one in self.issues.values()
            if datetime.fromisoformat(one["fields"]["updated"]) >= start
            and (keys is None or one["fields"]["project"]["key"] in keys)
        ]
        return sorted(found, key=_place)


def _place(issue: dict[str, Any]) -> tuple[str, str]:
    return issue["fields"]["updated"], issue["key"]
