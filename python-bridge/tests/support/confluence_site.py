"""A Confluence site of a test, in the shapes that its REST API (v2) documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.http_server import Asked, HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class ConfluenceSite:
    """Answers ``spaces`` and ``pages``, two at a time, with cursor links.

    Attributes:
        before: Called with each request before it is answered: the place for changes in mid-read, and for faults.
    """

    server: HttpServer
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=lambda: {"1": "HANDBOOK", "2": "OPS", "3": "~me"})
    before: Callable[[Asked], Reply | None] = lambda _: None

    def __post_init__(self) -> None:
        self.server.answer = self.answer

    def put(self, identity: int, modified: str, *, version: int = 1, **changes: Any) -> None:
        """Create or change a page; ``modified`` is UTC, such as ``2026-01-01T10:00:30.123Z``."""
        self.pages[str(identity)] = {
            "id": str(identity),
            "status": "current",
            "title": f"Page {identity}",
            "spaceId": "1",
            "parentId": None,
            "parentType": None,
            "authorId": "anna",
            "createdAt": "2026-01-01T00:00:00.000Z",
            "version": {"number": version, "createdAt": modified, "authorId": "bert"},
            "_links": {"webui": f"/spaces/HANDBOOK/pages/{identity}"},
            **changes,
        }

    def answer(self, asked: Asked) -> Reply:
        fault = self.before(asked)
        if fault is not None:
            return fault
        if asked.path == "/wiki/api/v2/spaces":
            keys = asked.query["keys"].split(",") if "keys" in asked.query else list(self.spaces.values())
            return self._page(
                asked,
                [{"id": one, "key": key, "name": f"Space {key}"} for one, key in self.spaces.items() if key in keys],
            )
        if asked.path == "/wiki/api/v2/pages":
            spaces = asked.query["space-id"].split(",") if "space-id" in asked.query else list(self.spaces)
            states = asked.query["status"].split(",")
            return self._page(
                asked, [one for one in self.pages.values() if one["spaceId"] in spaces and one["status"] in states]
            )
        return Reply(status=404)

    def _page(self, asked: Asked, items: list[dict[str, Any]]) -> Reply:
        """Send what comes after the id that the cursor names."""
        rest = [
            one
            for one in sorted(items, key=lambda one: int(one["id"]))
            if int(one["id"]) > int(asked.query.get("cursor", 0))
        ]
        links = {}
        if len(rest) > 2:
            kept = "".join(f"&{name}={value}" for name, value in asked.query.items() if name != "cursor")
            links = {"next": f"{asked.path}?cursor={rest[1]['id']}{kept}"}
        return Reply(body={"results": rest[:2], "_links": links})
