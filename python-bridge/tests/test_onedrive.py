"""A drive through the whole run: merged into PostgreSQL, with its metadata beside it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, IngestionError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.graph_metadata import MetadataGraph
from tests.support.http_server import Reply
from tests.support.rest_api import factory
from tests.support.units import Unit

if TYPE_CHECKING:
    from tests.support.units import Database


class Drive:
    """Answers as Microsoft Graph documents it: a log of changes, two to a page, of each item the latest."""

    def __init__(self, server):
        self.server = server
        self.items: dict[str, dict[str, Any]] = {}
        self.log: list[str] = []
        self.tokens = 0
        self.valid_token = ""
        self.before: Any = lambda _: None
        server.answer = self.answer
        self.put("root", parent=None, root={}, folder={})

    def put(self, identity, *, parent="root", **changes):
        self.items[identity] = {
            "id": identity, "name": f"{identity}.txt", "size": 9007199254740993, "webUrl": f"https://drive/{identity}",
            "createdDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTime": "2026-01-02T00:00:00Z",
            "createdBy": {"user": {"id": "u1", "displayName": "Anna", "email": "anna@example.com"}},
            "parentReference": {} if parent is None else {"id": parent}, **changes,
        }  # fmt: skip
        self.log.append(identity)

    def delete(self, identity):
        self.items[identity] = {"id": identity, "deleted": {"state": "deleted"}}
        self.log.append(identity)

    def alive(self):
        return sorted((one["id"], one["name"]) for one in self.items.values() if "deleted" not in one)

    def answer(self, asked):
        fault = self.before(asked)
        if fault is not None:
            return fault
        if asked.path.endswith("/oauth2/v2.0/token"):
            self.tokens += 1
            self.valid_token = f"token-{self.tokens}"
            return Reply(body={"access_token": self.valid_token, "expires_in": 3600})
        if asked.headers.get("authorization") != f"Bearer {self.valid_token}":
            return Reply(status=401)
        if asked.path == "/drives/d1":
            return Reply(body={"id": "d1", "name": "Documents"})
        start = int(asked.query.get("token", 0))
        changed = [one for place, one in enumerate(self.log) if place >= start and one not in self.log[place + 1 :]]
        page, rest = changed[:2], changed[2:]
        after = max((place for place, one in enumerate(self.log) if one in page), default=len(self.log) - 1) + 1
        kind, place = ("nextLink", after) if rest else ("deltaLink", len(self.log))
        link = f"{self.server.url}/drives/d1/root/delta?token={place}"
        return Reply(body={"value": [self.items[one] for one in page], f"@odata.{kind}": link})


@pytest.fixture
def drive(server):
    made = Drive(server)
    for name in ("a", "b", "c"):
        made.put(name)
    return made


@pytest.fixture
def unit(drive, database, tmp_path):
    built = Unit(
        source={
            "baseUrl": drive.server.url, "loginUrl": drive.server.url, "tenantId": "t", "driveId": "d1",
            "clientId": "c", "clientSecret": "s3cret-canary",
        },
        source_template="onedrive",
        object={},
        sink_template="jdbc_postgres_tables",
        sink_config=database.config(),
        staging=LocalDirectoryStaging(tmp_path / "staging"),
        table="files",
        metadata_root=tmp_path / "metadata",
        cursor_field="delta",
        primary_key=("id",),
        write_mode="merge",
        target=f"files_{secrets.token_hex(4)}",
        policy={"deleteField": "deleted"},
        factory=factory(),
    )  # fmt: skip
    yield built
    built.staging.close()


@pytest.fixture
def graph():
    return MetadataGraph()


def rows(unit: Unit, database: Database) -> Any:
    with psycopg.connect(database.url) as connection:
        return connection.execute(f'SELECT id, name FROM "{unit.target}" ORDER BY id'.encode()).fetchall()


def test_renamed_moved_and_deleted_items_are_followed(unit, drive, database, graph):
    graph.apply(unit.metadata_root, unit.run())
    assert rows(unit, database) == drive.alive()
    drive.put("folder", folder={})
    drive.put("a", parent="folder", name="renamed.txt")
    drive.delete("b")
    graph.apply(unit.metadata_root, unit.run())
    assert rows(unit, database) == drive.alive()
    assert sorted(graph.names("File")) == ["a", "c", "folder", "root"]
    assert (graph.ends("CHILD_OF", "a"), graph.ends("CHILD_OF", "c"), graph.ends("CHILD_OF", "root")) == (
        ["folder"], ["root"], [],
    )  # fmt: skip
    assert graph.names("Person") == {"u1": "Anna"}
    assert unit.run().new_checkpoint is None


def test_a_token_that_ends_in_mid_run_is_renewed(unit, drive, database):
    ended: list[Any] = []

    def end(asked):
        if asked.query.get("token") and not ended:
            ended.append(asked)
            drive.valid_token = "another"

    drive.before = end
    unit.run()
    assert (drive.tokens, rows(unit, database)) == (2, drive.alive())


def test_a_run_that_broke_off_goes_on_at_the_link_of_its_last_slice(unit, drive, database, graph):
    sliced = unit.changed(policy={"deleteField": "deleted", "sliceRows": 2})
    asked = []

    def fail(request):
        if request.path.endswith("delta"):
            asked.append(request.query.get("token"))
        return Reply(status=403) if len(asked) > 2 else None

    for name in ("d", "e", "f"):
        drive.put(name)
    drive.before = fail
    with pytest.raises(IngestionError):
        sliced.run()
    committed = rows(sliced, database)
    assert 0 < len(committed) < 7
    drive.before = lambda _: None
    graph.apply(unit.metadata_root, sliced.run())
    assert rows(sliced, database) == drive.alive()
    assert sorted(graph.names("File")) == ["a", "b", "c", "d", "e", "f", "root"]


def test_a_limit_in_mid_run_is_waited_for(unit, drive, database):
    refused: list[Any] = []

    def limited(asked):
        if asked.query.get("token") and len(refused) < 2:
            refused.append(asked)
            return Reply(status=429, headers={"Retry-After": "0"})
        return None

    drive.before = limited
    unit.run()
    assert (len(refused), rows(unit, database)) == (2, drive.alive())


def test_a_forgotten_link_stops_the_unit_and_a_new_one_reads_anew(unit, drive, database):
    unit.run()
    drive.before = lambda asked: Reply(status=410) if asked.query.get("token") else None
    with pytest.raises(CheckpointMismatchError, match="new unit id with a new target") as caught:
        unit.run()
    assert (caught.value.code, caught.value.retryable) == ("CHANGES_EXPIRED", False)
    drive.before = lambda _: None
    drive.delete("b")
    again = unit.changed(table="files-2", target=f"{unit.target}_2", checkpoint=type(unit.checkpoint)(
        version=0, generation=1, cursor=None))  # fmt: skip
    again.run()
    assert rows(again, database) == drive.alive()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cursor_field": "modified"}, "unit.cursorField"),
        ({"policy": {"lagSeconds": 5}}, "policy.lagSeconds"),
        ({"policy": {"tieBreakField": "id"}}, "policy.tieBreakField"),
        ({"policy": {"engine": "spark"}}, "policy.engine"),
    ],
)
def test_what_changes_can_not_give_is_refused(unit, changes, field):
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(**changes).run()
    assert caught.value.field == field


def test_the_connection_test_and_a_preview(unit):
    source = unit.factory.source(unit.request().execution.source)
    said = {check.name: check.run() for check in source.checks(Cancellation())}
    assert said == {"authenticate": "the drive is Documents", "read": "files were read"}
    sample = source.preview({}, limit=3, cancellation=Cancellation())
    assert (sample.table.num_rows, sample.truncated) == (3, True)
