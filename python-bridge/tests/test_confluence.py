"""Pages of a Confluence site through the whole run: merged into PostgreSQL, with their metadata beside them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import ConfigurationError, IngestionError, SourceObjectError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.confluence_site import ConfluenceSite
from tests.support.graph_metadata import MetadataGraph
from tests.support.http_server import Reply
from tests.support.rest_api import factory
from tests.support.units import Unit

if TYPE_CHECKING:
    from tests.support.units import Database


@pytest.fixture
def site(server):
    made = ConfluenceSite(server)
    for number in range(1, 6):
        made.put(number, f"2026-01-0{number}T10:00:00.123Z", parentId=str(number - 1), parentType="page")
    made.put(1, "2026-01-01T10:00:00.123Z")
    return made


@pytest.fixture
def unit(site, database, tmp_path):
    built = Unit(
        source={"baseUrl": site.server.url, "user": "nucleus@example.com", "token": "t0ken-canary"},
        source_template="confluence",
        object={"spaces": []},
        sink_template="jdbc_postgres_tables",
        sink_config=database.config(),
        staging=LocalDirectoryStaging(tmp_path / "staging"),
        table="pages",
        metadata_root=tmp_path / "metadata",
        cursor_field="modified",
        primary_key=("id",),
        write_mode="merge",
        target=f"pages_{secrets.token_hex(4)}",
        factory=factory(),
    )
    yield built
    built.staging.close()


@pytest.fixture
def graph():
    return MetadataGraph()


def rows(unit: Unit, database: Database) -> Any:
    with psycopg.connect(database.url) as connection:
        query = f'SELECT id, title, version, parent_id FROM "{unit.target}" ORDER BY id'
        return connection.execute(query.encode()).fetchall()


def of_site(site: ConfluenceSite) -> Any:
    pages = site.pages.values()
    return sorted((one["id"], one["title"], one["version"]["number"], one["parentId"]) for one in pages)


def test_pages_are_merged_and_changed_ones_come_with_the_next_run(unit, site, database):
    assert unit.run().stats.rows_written == 5
    assert rows(unit, database) == of_site(site)
    site.put(2, "2026-02-01T00:00:00Z", version=2, title="Renamed", parentId="1", parentType="page")
    site.put(9, "2026-01-05T10:00:00.123Z")
    second = unit.run()
    assert (second.stats.rows_written, second.stats.rows_skipped_at_watermark) == (2, 1)
    assert rows(unit, database) == of_site(site)
    assert unit.checkpoint.cursor.value == "2026-02-01T00:00:00.000000Z"


def test_a_page_that_changes_in_mid_read_comes_with_the_next_run(unit, site, database):
    def change(asked):
        if asked.query.get("cursor") == "4":
            site.put(5, "2999-01-01T00:00:00Z", version=2)

    site.before = change
    unit.run()
    assert [row[0] for row in rows(unit, database)] == ["1", "2", "3", "4"]
    assert unit.checkpoint.cursor.value == "2026-01-04T10:00:00.123000Z"


def test_only_the_spaces_of_the_unit_are_read(unit, site, database):
    site.put(7, "2026-01-07T00:00:00Z", spaceId="2")
    some = unit.changed(object={"spaces": ["OPS", "~me"]})
    some.run()
    assert [row[0] for row in rows(some, database)] == ["7"]
    with pytest.raises(SourceObjectError, match="no space NONE") as caught:
        unit.changed(object={"spaces": ["OPS", "NONE"]}).run()
    assert caught.value.field == "source.object.spaces"


def test_pages_spaces_and_people_become_entities_and_links(unit, site, graph):
    graph.apply(unit.metadata_root, unit.run())
    assert graph.names("Space") == {"1": "Space HANDBOOK", "2": "Space OPS", "3": "Space ~me"}
    assert graph.names("Page") == {str(number): f"Page {number}" for number in range(1, 6)}
    assert "nucleus:person:atlassian:anna" in graph.entities
    assert (graph.ends("IN_SPACE", "2"), graph.ends("CHILD_OF", "2")) == (["1"], ["1"])
    assert (graph.ends("CHILD_OF", "1"), graph.ends("AUTHORED_BY", "1")) == ([], ["anna"])
    page = next(one for urn, one in graph.entities.items() if urn.endswith(":5") and one["kind"] == "Page")
    assert page["externalUrl"].endswith("/wiki/spaces/HANDBOOK/pages/5")


def test_a_page_that_was_moved_without_being_written_has_its_new_links_alone(unit, site, graph):
    graph.apply(unit.metadata_root, unit.run())
    site.put(5, "2026-01-05T10:00:00.123Z", spaceId="2", parentId="77", parentType="folder")
    result = unit.run()
    graph.apply(unit.metadata_root, result)
    assert result.new_checkpoint is None or result.stats.rows_written == 1
    assert (graph.ends("IN_SPACE", "5"), graph.ends("CHILD_OF", "5")) == (["2"], [])


def test_a_page_in_the_trash_is_gone_from_the_graph_and_a_full_unit_tells_its_status(unit, site, graph, database):
    graph.apply(unit.metadata_root, unit.run())
    site.pages["3"]["status"] = "trashed"
    graph.apply(unit.metadata_root, unit.run())
    assert sorted(graph.names("Page")) == ["1", "2", "4", "5"]
    full = unit.changed(mode="full", cursor_field=None, write_mode="overwrite")
    del site.pages["4"]
    full.run()
    assert rows(full, database) == of_site(site)


def test_a_run_that_broke_off_reads_again_and_leaves_nothing_half(unit, site, graph, database):
    site.before = lambda asked: Reply(status=403) if asked.query.get("cursor") == "4" else None
    with pytest.raises(IngestionError):
        unit.run()
    site.before = lambda _: None
    graph.apply(unit.metadata_root, unit.run())
    assert rows(unit, database) == of_site(site)
    assert len(graph.names("Page")) == 5


def test_a_limit_in_mid_run_is_waited_for(unit, site, database):
    refused: list[Any] = []

    def limited(asked):
        if asked.query.get("cursor") == "2" and len(refused) < 2:
            refused.append(asked)
            return Reply(status=429, headers={"Retry-After": "0"})
        return None

    site.before = limited
    unit.run()
    assert (len(refused), rows(unit, database)) == (2, of_site(site))


def test_only_the_last_change_may_be_the_cursor(unit):
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(cursor_field="created").run()
    assert caught.value.field == "unit.cursorField"


def test_the_connection_test_and_a_preview(unit, site):
    source = unit.factory.source(unit.request().execution.source)
    said = {check.name: check.run() for check in source.checks(Cancellation())}
    assert said == {"authenticate": "the account sees spaces", "read": "pages were read"}
    sample = source.preview({}, limit=3, cancellation=Cancellation())
    assert (sample.table["id"].to_pylist(), sample.truncated) == (["1", "2", "3"], True)
