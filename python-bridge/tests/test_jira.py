"""Issues of a Jira site through the whole run: merged into PostgreSQL, with their metadata beside them."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints.jira.source import JiraSource
from runtime_common.exceptions import ConfigurationError, DataError, IngestionError, SourceError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.graph_metadata import MetadataGraph
from tests.support.http_server import Reply
from tests.support.jira_site import JiraSite
from tests.support.rest_api import factory
from tests.support.units import Unit

if TYPE_CHECKING:
    from tests.support.units import Database

NOON = "2026-01-02T12:00"


@pytest.fixture
def site(server):
    made = JiraSite(server)
    for number, second in enumerate(("05.100", "30.200", "59.999"), start=1):
        made.put(number, f"{NOON}:{second}", assignee="anna")
    return made


@pytest.fixture
def unit(site, database, tmp_path):
    built = Unit(
        source={"baseUrl": site.server.url, "user": "nucleus@example.com", "token": "t0ken-canary"},
        source_template="jira",
        object={"projects": []},
        sink_template="jdbc_postgres_tables",
        sink_config=database.config(),
        staging=LocalDirectoryStaging(tmp_path / "staging"),
        table="issues",
        metadata_root=tmp_path / "metadata",
        cursor_field="updated",
        primary_key=("id",),
        write_mode="merge",
        target=f"issues_{secrets.token_hex(4)}",
        factory=factory(),
    )
    yield built
    built.staging.close()


def rows(unit: Unit, database: Database, columns: str = "id, key, summary") -> Any:
    with psycopg.connect(database.url) as connection:
        return connection.execute(f'SELECT {columns} FROM "{unit.target}" ORDER BY id'.encode()).fetchall()


def of_site(site: JiraSite) -> Any:
    return sorted((one["id"], one["key"], one["fields"]["summary"]) for one in site.issues.values())


def source(site, **config):
    given = {"baseUrl": site.server.url, "user": "nucleus@example.com", "token": "t0ken"} | config
    built = factory().source(EndpointRef(endpoint_id="s", template_id="jira", config=given))
    assert isinstance(built, JiraSource)
    return built


def test_issues_are_merged_and_the_checkpoint_stands_at_the_last_change(unit, site, database):
    assert unit.run().stats.rows_written == 3
    assert rows(unit, database) == of_site(site)
    assert unit.checkpoint.cursor.value == "2026-01-02T12:00:59.999000Z"
    site.put(2, "2026-01-03T09:00:00.000", summary="Changed")
    site.put(4, "2026-01-02T12:00:59.999")
    second = unit.run()
    assert (second.stats.rows_written, second.stats.rows_skipped_at_watermark) == (2, 1)
    assert rows(unit, database) == of_site(site)


def test_a_query_asks_from_the_whole_minute_on_in_the_accounts_zone(unit, site):
    unit.run()
    unit.run()
    queries = [one["jql"] for one in site.server.queries("/rest/api/3/search/jql")]
    assert queries[-1] == 'updated >= "2026-01-02 07:00" ORDER BY updated ASC, key ASC'
    assert site.server.asked[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(("zone", "asked"), [("Asia/Tokyo", "2026-01-02 21:00"), ("Nowhere/Else", "2026-01-02 00:00")])
def test_a_zone_that_is_not_known_counts_as_the_earliest(unit, site, zone, asked):
    original = site.answer

    def answer(request):
        if request.path.endswith("myself"):
            return Reply(body={"timeZone": zone})
        return original(request)

    unit.run()
    site.zone = "UTC" if zone.startswith("Nowhere") else zone
    site.server.answer = answer
    unit.run()
    assert f'updated >= "{asked}"' in site.server.asked[-1].query["jql"]


def test_only_the_projects_of_the_unit_are_asked_for(unit, site, database):
    site.put(7, f"{NOON}:10.000", project="OPS")
    some = unit.changed(object={"projects": ["OPS"]})
    some.run()
    assert rows(some, database) == [("7", "OPS-7", "Issue 7")]


def test_an_issue_that_changes_in_mid_read_comes_with_the_next_run(unit, site, database):
    asked = []

    def change(request):
        asked.append(request)
        if len(asked) == 3:
            site.put(1, "2999-01-01T00:00:00.000", summary="Later")

    site.before = change
    unit.run()
    assert rows(unit, database)[0] == ("1", "SHOP-1", "Issue 1")
    assert unit.checkpoint.cursor.value == "2026-01-02T12:00:59.999000Z"


def test_a_limit_in_mid_run_is_waited_for(unit, site, database):
    refused: list[Any] = []

    def limited(request):
        if "nextPageToken" in request.query and len(refused) < 2:
            refused.append(request)
            return Reply(status=429, headers={"Retry-After": "0"})
        return None

    site.before = limited
    unit.run()
    assert (len(refused), rows(unit, database)) == (2, of_site(site))


def test_a_run_that_broke_off_goes_on_and_tells_the_whole_story(unit, site, database):
    graph = MetadataGraph()
    sliced = unit.changed(policy={"sliceRows": 1})
    site.before = lambda request: Reply(status=403) if "nextPageToken" in request.query else None
    with pytest.raises(IngestionError):
        sliced.run()
    committed = len(rows(sliced, database))
    assert 0 < committed < 3
    site.before = lambda _: None
    graph.apply(unit.metadata_root, sliced.run())
    assert rows(sliced, database) == of_site(site)
    assert graph.names("Issue") == {"1": "Issue 1", "2": "Issue 2", "3": "Issue 3"}


def test_issues_people_and_projects_become_entities_and_links(unit, site):
    site.put(2, f"{NOON}:30.200", assignee="bert", parent={"id": "1"}, issuelinks=[
        {"type": {"name": "Blocks"}, "outwardIssue": {"id": "3"}},
        {"type": {"name": "Blocks"}, "inwardIssue": {"id": "1"}},
    ])  # fmt: skip
    graph = MetadataGraph()
    graph.apply(unit.metadata_root, unit.run())
    host = site.server.url.removeprefix("http://").replace(":", "%3A")
    issue = graph.entities[f"nucleus:issue:jira%3A%2F%2F{host}:2"]
    assert (issue["name"], issue["key"], issue["status"], issue["type"]) == ("Issue 2", "SHOP-2", "Open", "Task")
    assert issue["externalUrl"].endswith("/browse/SHOP-2")
    assert issue["sourceUpdatedAt"].isoformat() == "2026-01-02T12:00:30.200000+00:00"
    assert graph.names("Project") == {"10": "Project SHOP"}
    assert graph.names("Person") == {"anna": "Name of anna", "bert": "Name of bert", "rita": "Rita"}
    assert "nucleus:person:atlassian:rita" in graph.entities
    assert (graph.ends("IN_PROJECT", "2"), graph.ends("ASSIGNED_TO", "2")) == (["10"], ["bert"])
    assert (graph.ends("AUTHORED_BY", "2"), graph.ends("CHILD_OF", "2")) == (["rita"], ["1"])
    assert (graph.ends("RELATES_TO", "2"), graph.ends("RELATES_TO", "1")) == (["3"], [])
    assert "rita@example.com" not in json.dumps(graph.entities, default=str)


def test_an_issue_that_moves_keeps_its_urn_and_leaves_its_project(unit, site, database):
    graph = MetadataGraph()
    graph.apply(unit.metadata_root, unit.run())
    site.put(1, "2026-01-05T00:00:00.000", project="OPS", assignee=None)
    graph.apply(unit.metadata_root, unit.run())
    assert (graph.ends("IN_PROJECT", "1"), graph.ends("ASSIGNED_TO", "1")) == (["20"], [])
    assert next(one["key"] for urn, one in graph.entities.items() if urn.endswith(":1")) == "OPS-1"
    assert rows(unit, database) == of_site(site)


def test_a_full_unit_finds_deleted_issues_gone(unit, site, database):
    full = unit.changed(mode="full", cursor_field=None, write_mode="overwrite")
    full.run()
    del site.issues["2"]
    full.run()
    assert rows(full, database) == of_site(site)


def test_what_issues_can_not_give_is_refused(unit, site):
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(cursor_field="created").run()
    assert caught.value.field == "unit.cursorField"
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(object={"projects": ['A") OR (1=1']}).run()
    assert (caught.value.field or "").startswith("source.object.projects")


def test_an_answer_without_issues_is_no_end(unit, site):
    site.before = lambda request: Reply(body={"warning": "x"}) if request.path.endswith("jql") else None
    with pytest.raises(DataError) as caught:
        unit.run()
    assert caught.value.code == "SOURCE_RECORDS_MISSING"
    site.before = lambda request: (
        Reply(body={"issues": [], "nextPageToken": "again"}) if request.path.endswith("jql") else None
    )
    with pytest.raises(SourceError) as circle:
        unit.run()
    assert circle.value.code == "SOURCE_PAGING_LOOP"


def test_the_connection_test_says_who_reads(site):
    said = {check.name: check.run() for check in source(site).checks(Cancellation())}
    assert said == {"authenticate": "the site knows this account as Nucleus", "read": "issues were read"}
    site.before = lambda _: Reply(status=401)
    with pytest.raises(SourceError) as caught:
        source(site).checks(Cancellation())[0].run()
    assert (caught.value.code, caught.value.field) == ("SOURCE_AUTHENTICATION_FAILED", "source.config.token")


def test_a_preview_shows_some_issues(site):
    sample = source(site).preview({}, limit=1, cancellation=Cancellation())
    assert (sample.table["key"].to_pylist(), sample.truncated) == (["SHOP-1"], True)
