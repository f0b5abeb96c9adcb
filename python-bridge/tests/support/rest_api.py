"""A REST API of a test: records that change, paged in every usual way."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runtime_common.endpoints import EndpointFactory
from runtime_common.spark import SparkEngine
from runtime_common.staging import LocalDirectoryStaging
from tests.support.http_server import LOOPBACK, Asked, HttpServer, Reply
from tests.support.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FIELDS = [
    {"name": "id", "type": "integer", "nullable": False},
    {"name": "v", "type": "text"},
    {"name": "at", "path": "$.updated", "type": "timestamptz"},
]
CURSOR = {"kind": "cursor", "tokenPath": "$.next", "sizeParam": "limit", "pageSize": 2}
OFFSET = {"kind": "offset", "pageSize": 3}


def factory() -> EndpointFactory:
    """Return a factory whose HTTP endpoints may reach loopback."""
    return EndpointFactory(secret_key=None, spark=SparkEngine(jars=None), http_addresses=LOOPBACK)


@dataclass
class Orders:
    """``/orders`` of an API, sorted by ``updated``; behaves by the parameters that a request has.

    Attributes:
        rows: Records as they are sent.
        before: Called with each request before it is answered: the place for changes in mid-read.
    """

    server: HttpServer
    rows: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[Asked], None] = lambda _: None

    def __post_init__(self) -> None:
        self.server.answer = self.answer

    def put(self, id_: int, updated: str | None, v: str = "v") -> None:
        self.rows = [one for one in self.rows if one["id"] != id_]
        self.rows.append({"id": id_, "v": v, "updated": updated})
        self.rows.sort(key=lambda one: one["updated"] or "")

    def answer(self, asked: Asked) -> Reply:
        self.before(asked)
        query = asked.query
        since = query.get("since", "")
        found = [one for one in self.rows if (one["updated"] or "9") >= since]
        if asked.path == "/orders/by-offset":
            start = int(query.get("offset", 0))
            items = found[start : start + int(query.get("limit", 3))]
            return Reply(body={"items": items, "total": len(found)})
        if asked.path == "/orders/by-page":
            start = 2 * (int(query.get("page", 1)) - 1)
            return Reply(body={"items": found[start : start + 2]})
        # Like a database's keyset: the token names the last record that was seen.
        seen = json.loads(base64.b64decode(query["cursor"])) if "cursor" in query else ["", 0]
        rest = [one for one in found if [one["updated"] or "9", one["id"]] > seen]
        size = int(query.get("limit", 2))
        page = rest[:size]
        token = None
        if len(rest) > size:
            token = base64.b64encode(json.dumps([page[-1]["updated"], page[-1]["id"]]).encode()).decode()
        if asked.path == "/orders/by-link":
            headers = {} if token is None else {"Link": f'</orders/by-link?cursor={token}&limit=2>; rel="next"'}
            return Reply(body={"items": page}, headers=headers)
        return Reply(body={"items": page, "next": token})

    def unit(self, folder: Path, /, *, object_: Mapping[str, Any] | None = None, **changes: Any) -> Unit:
        """Return a unit that reads the orders into Parquet files, by cursor unless the object says otherwise."""
        return Unit(
            source={"baseUrl": self.server.url},
            source_template="http_rest",
            object={
                "path": "orders/by-cursor", "records": "$.items", "fields": FIELDS, "paging": CURSOR,
                "incremental": {"param": "since", "format": "iso"},
            } | dict(object_ or {}),
            sink_template="parquet_files",
            sink_config={"directory": str(folder / "sink")},
            staging=LocalDirectoryStaging(folder / "staging"),
            table="orders",
            metadata_root=folder / "metadata",
            factory=factory(),
        ).changed(**changes)  # fmt: skip
