"""Rows that can't be moved: they stop the unit, or they are found in the quarantine, each once, over all crashes."""

from __future__ import annotations

import json
import uuid
from collections import Counter

import duckdb
import pyarrow as pa
import pytest

from runtime_common.exceptions import DataError, SinkError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.units import Unit

QUARANTINE = {"badRows": "quarantine", "sliceRows": 2}


@pytest.fixture
def unit(tmp_path):
    built = Unit(
        source={},
        sink_template="parquet_files",
        sink_config={"directory": str(tmp_path / "sink")},
        staging=LocalDirectoryStaging(tmp_path / "staging"),
        table="rows",
        metadata_root=tmp_path / "metadata",
        cursor_field="id",
        policy=QUARANTINE,
    )
    yield built
    built.staging.close()


def scripted(unit, ids, *, bad=(), refused=(), **changes):
    source = ScriptedSource(ids, frozenset(bad))
    return unit.changed(factory=ScriptedFactory(source, frozenset(refused)), **changes)


def stored(unit, target="events", columns="id"):
    folder = f"{unit.sink_config['directory']}/{target}/*.parquet"
    return sorted(duckdb.connect().execute(f"SELECT {columns} FROM read_parquet(?)", [folder]).fetchall())


def quarantined(unit):
    return [(json.loads(row)["id"], code) for row, code in stored(unit, "events_quarantine", '"row", code')]


def test_a_row_that_the_source_cant_deliver_stops_the_unit_by_default(unit):
    with pytest.raises(DataError, match="badRows") as caught:
        scripted(unit, range(6), bad=[3], policy={}).run()
    assert (caught.value.code, caught.value.field, caught.value.retryable) == ("VALUE_BAD", "v", False)


def test_a_row_that_the_sink_refuses_stops_the_unit_by_default(unit):
    with pytest.raises(DataError, match="badRows") as caught:
        scripted(unit, range(6), refused=[3], policy={}).run()
    assert (caught.value.code, caught.value.field) == ("SINK_REFUSED", "v")


@pytest.mark.parametrize(
    ("bad", "refused"), [((1, 4), ()), ((), (1, 4)), ((1,), (4,)), ((0, 1, 2, 3, 4, 5), ()), ((5,), ())]
)
def test_rows_of_either_side_go_to_quarantine_and_the_others_arrive(unit, bad, refused):
    result = scripted(unit, range(6), bad=bad, refused=refused).run()
    lost = {*bad, *refused}
    assert quarantined(unit) == sorted([(one, "VALUE_BAD") for one in bad] + [(one, "SINK_REFUSED") for one in refused])
    stats = result.stats
    assert (stats.rows_quarantined, stats.rows_written, stats.rows_read) == (len(lost), 6 - len(lost), 6)
    assert Counter({entry.code: entry.rows for entry in stats.quarantine}) == Counter(
        {code: rows for code, rows in (("VALUE_BAD", len(bad)), ("SINK_REFUSED", len(refused))) if rows}
    )
    if len(lost) < 6:
        assert [row for (row,) in stored(unit)] == [one for one in range(6) if one not in lost]


def test_the_quarantine_tells_run_slice_reason_and_column_of_a_row(unit):
    run_id = uuid.uuid4()
    scripted(unit, range(6), bad=[3]).run(run_id=run_id)
    ((row_run, batch, code, field, reason),) = stored(
        unit, "events_quarantine", "run_id, batch_id, code, field, reason"
    )
    assert (row_run, code, field, reason) == (str(run_id), "VALUE_BAD", "v", "v is not exact")
    assert batch.startswith(f"{run_id}:")


@pytest.mark.parametrize(("bad", "refused"), [((1, 2, 4), ()), ((), (1, 2, 4)), ((1,), (2, 4))])
def test_more_bad_rows_than_allowed_stop_the_unit(unit, bad, refused):
    limited = scripted(unit, range(6), bad=bad, refused=refused, policy=QUARANTINE | {"maxBadRows": 2})
    with pytest.raises(DataError, match="maxBadRows") as caught:
        limited.run()
    assert (caught.value.code, caught.value.retryable) == ("TOO_MANY_BAD_ROWS", False)


@pytest.mark.parametrize("same_run", [True, False])
@pytest.mark.parametrize("target", ["events_quarantine", "events"])
def test_a_sink_that_fails_between_quarantine_and_rows_loses_and_doubles_neither(unit, monkeypatch, target, same_run):
    """The quarantine is committed first: a row that nobody took must be there before the others go on without it."""
    run_id = uuid.uuid4()
    failing = scripted(unit, range(6), bad=[1], refused=[4])
    fail_once(monkeypatch, failing.factory, target)
    with pytest.raises(SinkError):
        failing.run(run_id=run_id)
    result = failing.run(run_id=run_id if same_run else uuid.uuid4(), attempt=2)
    assert quarantined(unit) == [(1, "VALUE_BAD"), (4, "SINK_REFUSED")]
    assert [row for (row,) in stored(unit)] == [0, 2, 3, 5]
    if same_run:
        assert result.stats.rows_quarantined == 2


def fail_once(monkeypatch, factory, target):
    build = factory.sink
    failures: list[int] = []

    def building(ref):
        sink = build(ref)
        commit = sink.commit

        def committing(request, reader, cancellation):
            committed = commit(request, reader, cancellation)
            if request.target == target and not failures:
                failures.append(1)
                raise SinkError("the connection broke after the commit")
            return committed

        sink.commit = committing
        return sink

    monkeypatch.setattr(factory, "sink", building)


@pytest.mark.parametrize("same_run", [True, False])
def test_metadata_beside_rows_is_named_by_the_run_that_finishes_whoever_wrote_it(unit, monkeypatch, same_run):
    run_id = uuid.uuid4()
    failing = scripted(unit, range(6))
    fail_once(monkeypatch, failing.factory, "events")
    with pytest.raises(SinkError):
        failing.run(run_id=run_id)
    result = failing.run(run_id=run_id if same_run else uuid.uuid4(), attempt=2)
    named = [unit.metadata_root / file.path for file in result.metadata_files]
    assert len(set(named)) == len(named)
    assert {urn for path in named for urn in pa.ipc.open_stream(path.read_bytes()).read_all()["urn"].to_pylist()} == {
        f"urn:{one}" for one in range(6)
    }
