"""Records of a REST API through the whole run: local server, staging, Parquet files, read back by DuckDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import (
    ConfigurationError,
    DataError,
    IngestionError,
    InternalError,
    RunCancelledError,
    SourceError,
)
from runtime_common.protocols import ReadRequest
from tests.support.http_server import Asked, Reply
from tests.support.rest_api import CURSOR, FIELDS, OFFSET, Orders

if TYPE_CHECKING:
    from tests.support.units import Unit

LINK = {"kind": "link"}
PAGE = {"kind": "page", "pageSize": 2}
BY_OFFSET = {"path": "orders/by-offset", "paging": OFFSET}


@pytest.fixture
def orders(server):
    api = Orders(server)
    for number in range(1, 8):
        api.put(number, f"2026-01-0{number}T00:00:00Z")
    return api


@pytest.fixture
def unit(orders, tmp_path):
    yield (built := orders.unit(tmp_path))
    built.staging.close()


def rows(unit: Unit, columns: str = "id", *, target: str | None = None) -> Any:
    folder = f"{unit.sink_config['directory']}/{target or unit.target}/*.parquet"
    found = duckdb.connect().execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [folder]).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def changed(unit: Unit, /, **object_: Any) -> Unit:
    return unit.changed(object={**(unit.object or {}), **object_})


def failure(unit: Unit) -> IngestionError:
    with pytest.raises(IngestionError) as caught:
        unit.run()
    return caught.value


@pytest.mark.parametrize(
    ("path", "paging"),
    [
        ("orders/by-cursor", CURSOR),
        ("orders/by-offset", OFFSET),
        ("/orders/by-offset", OFFSET | {"totalPath": "$.total"}),
        ("orders/by-page", PAGE),
        ("orders/by-link", LINK),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_way_to_page_brings_every_record_once(unit, path, paging):
    full = changed(unit, path=path, paging=paging).changed(mode="full", cursor_field=None, write_mode="overwrite")
    assert (full.run().stats.rows_written, rows(full)) == (7, [1, 2, 3, 4, 5, 6, 7])


def test_a_link_in_the_body_is_followed(unit, server):
    pages = {
        "1": {"items": [{"id": 1, "updated": None}], "links": {"next": "/all?page=2"}},
        "2": {"items": [{"id": 2, "updated": None}], "links": {}},
    }
    server.answer = lambda asked: Reply(body=pages[asked.query.get("page", "1")])
    paging = {"kind": "link", "nextPath": "$.links.next"}
    full = changed(unit, path="all", paging=paging).changed(mode="full", cursor_field=None, write_mode="overwrite")
    full.run()
    assert rows(full) == [1, 2]


def test_new_and_changed_records_come_with_the_next_run(unit, orders):
    assert unit.run().stats.rows_written == 7
    orders.put(2, "2026-02-01T00:00:00Z", "changed")
    orders.put(8, "2026-01-07T00:00:00Z")
    second = unit.run()
    assert (second.stats.rows_written, second.stats.rows_skipped_at_watermark) == (2, 1)
    assert rows(unit, "id, v")[-2:] == [(7, "v"), (8, "v")]
    assert orders.server.asked[-1].query["since"] == "2026-01-07T00:00:00.000000Z"
    assert unit.run().new_checkpoint is None


def test_an_api_without_bounds_is_read_whole_and_compared_here(unit, orders):
    plain = changed(unit, incremental={})
    plain.run()
    orders.put(8, "2026-02-01T00:00:00Z")
    assert plain.run().stats.rows_written == 1


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ({"format": "isoSeconds"}, "2026-01-07T00:00:00Z"),
        ({"format": "isoSeconds", "exclusive": True}, "2026-01-06T23:59:59Z"),
        ({"format": "epochMillis", "exclusive": True}, "1767743999999"),
        ({"format": "epochSeconds"}, "1767744000"),
        ({"format": "date"}, "2026-01-07"),
        ({"format": "value", "exclusive": True}, "2026-01-06T23:59:59.999999Z"),
    ],
)
def test_the_bound_is_written_as_the_api_takes_it(unit, server, how, sent):
    told = changed(unit, incremental={"param": "from", "upperParam": "to", **how})
    told.run()
    told.run()
    assert server.asked[-1].query["from"] == sent
    assert len(server.asked[-1].query["to"]) == len(sent)


def test_a_record_that_changes_in_mid_read_waits_for_the_next_run(unit, orders):
    """Its new time must not lift the watermark over others that were passed by."""
    pages = []

    def change(asked):
        pages.append(asked.query.get("cursor"))
        if len(pages) == 4:
            orders.put(1, "2999-01-01T00:00:00Z", "later")

    orders.before = change
    unit.run()
    # The page with the old version had gone out before.
    assert rows(unit, "id, v") == [(number, "v") for number in range(1, 8)]
    assert unit.checkpoint.cursor.value == "2026-01-07T00:00:00.000000Z"


def test_the_servers_clock_bounds_the_read_where_it_is_behind(unit, orders):
    original = orders.answer
    date = "Sun, 04 Jan 2026 12:00:00 GMT"
    orders.server.answer = lambda asked: Reply(body=original(asked).body, headers={"Date": date})
    unit.run()
    assert rows(unit) == [1, 2, 3, 4]
    orders.server.answer = original
    unit.run()
    assert rows(unit) == [1, 2, 3, 4, 5, 6, 7]


def test_a_lag_keeps_young_records_for_the_next_run(unit, orders):
    original = orders.answer
    date = "Wed, 07 Jan 2026 00:00:30 GMT"
    orders.server.answer = lambda asked: Reply(body=original(asked).body, headers={"Date": date})
    unit.changed(policy={"lagSeconds": 60}).run()
    assert rows(unit) == [1, 2, 3, 4, 5, 6]


def test_a_look_back_asks_further_back(unit, orders):
    unit.run()
    source = unit.factory.source(unit.request().execution.source)
    with source.open(ReadRequest(object=unit.object, cursor_field="at"), Cancellation()) as read:
        lower = unit.checkpoint.cursor.value
        found = list(read.batches(lower=lower, upper=read.upper_bound, lookback_seconds=86_400))
    assert [id_ for batch in found for id_ in batch["id"].to_pylist()] == [6, 7]


def test_an_ordered_api_is_committed_slice_by_slice(unit, orders):
    ordered = changed(unit, incremental={"param": "since", "ordered": True}).changed(policy={"sliceRows": 2})
    assert (ordered.run().stats.slices, rows(ordered)) == (4, [1, 2, 3, 4, 5, 6, 7])


def test_an_api_that_is_not_ordered_as_it_says_is_caught(unit, server):
    server.plays(Reply(body={"items": [{"id": 1, "updated": "2026-01-02T00:00:00Z"},
                                       {"id": 2, "updated": "2026-01-01T00:00:00Z"}]}))  # fmt: skip
    with pytest.raises(InternalError) as caught:
        changed(unit, paging={"kind": "none"}, incremental={"ordered": True}).run()
    assert caught.value.code == "READ_NOT_ORDERED"


def test_a_run_that_broke_off_goes_on_where_the_sink_stands(unit, orders):
    ordered = changed(unit, incremental={"param": "since", "ordered": True}).changed(policy={"sliceRows": 2})
    original = orders.answer
    asked_before = []

    def breaking(asked):
        asked_before.append(asked)
        return original(asked) if len(asked_before) < 4 else Reply(status=404)

    orders.server.answer = breaking
    assert failure(ordered).code == "SOURCE_OBJECT_MISSING"
    assert rows(ordered) == [1, 2]
    orders.server.answer = original
    ordered.run()
    assert rows(ordered) == [1, 2, 3, 4, 5, 6, 7]


def test_records_that_move_while_they_are_read_by_offset_are_noticed(unit, orders):
    asked_before = []

    def change(asked):
        asked_before.append(asked)
        if len(asked_before) == 3:
            orders.rows.pop(0)

    orders.before = change
    error = failure(changed(unit, **BY_OFFSET))
    assert (error.code, error.retryable) == ("SOURCE_PAGE_DRIFT", True)
    orders.before = lambda _: None
    by_offset = changed(unit, **BY_OFFSET)
    by_offset.run()
    assert rows(by_offset) == [2, 3, 4, 5, 6, 7]


def test_a_total_that_is_not_reached_is_noticed(unit, server):
    items = [{"id": number, "updated": None} for number in range(3)]
    server.answer = lambda asked: Reply(body={"items": items[int(asked.query["offset"]) :], "total": 9})
    full = changed(unit, paging=OFFSET | {"totalPath": "$.total"}).changed(mode="full", cursor_field=None)
    assert failure(full.changed(write_mode="overwrite")).code == "SOURCE_PAGE_DRIFT"


def test_numbered_pages_are_refused_for_incremental_units_unless_they_are_stable(unit):
    error = failure(changed(unit, path="orders/by-page", paging=PAGE))
    assert error.field == "source.object.paging.stable"
    stable = changed(unit, path="orders/by-page", paging=PAGE | {"stable": True})
    stable.run()
    assert rows(stable) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("paging", "body"),
    [
        (CURSOR, {"items": [{"id": 1}], "next": "again"}),
        ({"kind": "link", "nextPath": "$.next"}, {"items": [{"id": 1}], "next": "/orders"}),
        (PAGE, {"items": [{"id": 1}]}),
    ],
    ids=["cursor", "link", "page"],
)
def test_an_api_that_goes_in_circles_is_noticed(unit, server, paging, body):
    server.plays(Reply(body=body))
    full = changed(unit, path="orders", paging=paging).changed(mode="full", cursor_field=None, write_mode="overwrite")
    assert failure(full).code == "SOURCE_PAGING_LOOP"


def test_an_empty_page_with_a_next_one_is_no_end(unit, server):
    bodies = {None: {"items": [], "next": "a"}, "a": {"items": None, "next": "b"},
              "b": {"items": [{"id": 1, "updated": "2026-01-01T00:00:00Z"}], "next": ""}}  # fmt: skip
    server.answer = lambda asked: Reply(body=bodies[asked.query.get("cursor")])
    unit.run()
    assert rows(unit) == [1]


def test_a_429_is_never_the_end_of_the_data(unit, orders):
    original = orders.answer
    refused: list[Asked] = []

    def limited(asked):
        if len(refused) < 3 and "cursor" in asked.query:
            refused.append(asked)
            return Reply(status=429, headers={"Retry-After": "0"}, body={"items": []})
        return original(asked)

    orders.server.answer = limited
    unit.run()
    assert (len(refused), rows(unit)) == (3, [1, 2, 3, 4, 5, 6, 7])


def test_an_error_in_disguise_is_not_an_empty_page(unit, server):
    server.plays(Reply(body={"error": {"message": "quota"}}))
    error = failure(unit)
    assert (error.code, error.field) == ("SOURCE_RECORDS_MISSING", "source.object.records")
    assert isinstance(error, DataError)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=401), "SOURCE_AUTHENTICATION_FAILED"),
        (Reply(status=403), "SOURCE_ACCESS_DENIED"),
        (Reply(body="<html>", content_type="text/html"), "SOURCE_NOT_JSON"),
        (Reply(body={"items": [], "next": {}}), "SOURCE_PAGING_INVALID"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_api_refuses_fails_the_run_by_name(unit, server, reply, code):
    server.plays(reply)
    assert failure(unit).code == code


def test_numbers_keep_every_digit(unit, server):
    text = '{"items": [{"id": 9007199254740993, "price": 0.10, "ratio": 1e400, "at": "2026-01-01T00:00:00Z"}]}'
    server.plays(Reply(body=text))
    exact = changed(
        unit,
        paging={"kind": "none"},
        fields=[{"name": "id", "type": "integer"}, {"name": "price", "type": "decimal(12,2)"},
                {"name": "ratio", "type": "json"}, {"name": "at", "type": "timestamptz"}],
    )  # fmt: skip
    exact.run()
    assert rows(exact, "id, price, ratio") == [(9007199254740993, Decimal("0.10"), "1E+400")]


def test_bad_records_go_to_quarantine_once(unit, orders):
    policy = {"badRows": "quarantine"}
    kept = unit.changed(policy=policy)
    orders.put(3, "2026-01-03T00:00:00Z")
    orders.rows[2]["id"] = "three"
    first = kept.run()
    assert (first.stats.rows_quarantined, first.stats.quarantine[0].reason) == (1, "id is no whole number")
    assert kept.run().stats.rows_quarantined == 0
    assert rows(kept) == [1, 2, 4, 5, 6, 7]
    assert len(rows(kept, "row", target="events_quarantine")) == 1
    with pytest.raises(DataError, match="correct the row in the source"):
        changed(unit, params={"x": "1"}).changed(target="other", sink_id="sink-2").run()


@pytest.mark.parametrize("ordered", [True, False])
def test_records_without_a_cursor_value_are_never_dropped_in_silence(unit, orders, ordered):
    orders.put(9, None)
    reading = changed(unit, incremental={"ordered": ordered}, paging={"kind": "none"})
    orders.server.answer = lambda _: Reply(body={"items": orders.rows})
    assert failure(reading).code == "NULL_CURSOR"
    result = reading.changed(policy={"nullCursor": "exclude"}).run()
    assert (result.stats.null_cursor_rows, rows(reading)) == (1, [1, 2, 3, 4, 5, 6, 7])


def test_a_cancelled_run_stops_in_mid_wait(unit, orders):
    orders.server.plays(Reply(status=429, headers={"Retry-After": "300"}))
    cancellation = Cancellation()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(unit.run, cancellation=cancellation)
        assert orders.server.arrived.wait(10)
        cancellation.cancel()
        with pytest.raises(RunCancelledError):
            running.result(timeout=5)


@pytest.mark.parametrize(
    ("changes", "object_", "field"),
    [
        ({"cursor_field": "nothing"}, {}, "unit.cursorField"),
        ({"policy": {"tieBreakField": "id"}}, {}, "policy.tieBreakField"),
        ({"policy": {"engine": "spark"}}, {}, "policy.engine"),
        ({"cursor_field": "id", "policy": {"lagSeconds": 1}}, {}, "policy.lagSeconds"),
        ({"cursor_field": "id"}, {}, "source.object.incremental.format"),
        ({"cursor_field": "v"}, {"incremental": {"param": "s", "format": "value", "exclusive": True}},
         "source.object.incremental.exclusive"),
        ({}, {"fields": [FIELDS[0], FIELDS[0]]}, "source.object"),
        ({}, {"records": "$..items"}, "source.object.records"),
        ({}, {"paging": {"kind": "cursor"}}, "source.object.paging.cursor.tokenPath"),
    ],
    ids=str,
)  # fmt: skip
def test_what_records_can_not_give_is_refused_by_name(unit, changes, object_, field):
    with pytest.raises(ConfigurationError) as caught:
        changed(unit, **object_).changed(**changes).run()
    assert caught.value.field == field


def test_a_number_may_be_the_cursor(unit, server):
    items = [{"id": number, "updated": None} for number in (1, 3, 2)]
    server.answer = lambda _: Reply(body={"items": items})
    counting = changed(unit, paging={"kind": "none"}, incremental={"param": "after", "format": "value",
                                                                   "exclusive": True})  # fmt: skip
    counting = counting.changed(cursor_field="id")
    counting.run()
    items.append({"id": 4, "updated": None})
    assert counting.run().stats.rows_written == 1
    assert server.asked[-1].query["after"] == "2"


def test_a_private_address_is_refused_without_the_operators_word(unit):
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(factory=None).run()
    assert (caught.value.code, caught.value.field) == ("SOURCE_ADDRESS_REFUSED", "source.config.baseUrl")


def test_no_secret_gets_into_an_error(unit, server):
    server.answer = lambda asked: Reply(status=403, body={"message": f"key {asked.headers['x-key']} is not allowed"})
    keyed = unit.changed(source=dict(unit.source) | {"authentication": "apiKeyHeader", "apiKeyName": "X-Key",
                                                     "token": "k3y-canary"})  # fmt: skip
    with pytest.raises(SourceError) as caught:
        keyed.run()
    assert "[secret]" in caught.value.message
    assert "k3y-canary" not in caught.value.message
