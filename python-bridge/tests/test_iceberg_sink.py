"""Commits of the Iceberg sink on a real Spark, read back by pyiceberg."""

from __future__ import annotations

import json
import os
import signal
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.iceberg import IcebergConfig, IcebergSink
from runtime_common.exceptions import EngineLostError, SinkSchemaError, SupersededError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, rows, staged_slice
from tests.support.units import parquet_unit

UNIT = "source/unit/sink"


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "warehouse"


@pytest.fixture
def sink(warehouse, spark):
    return IcebergSink(IcebergConfig(warehouse=str(warehouse)), spark)


def commit(sink, staging, batch_id, batch, last, mode="merge", **more):
    session = staged_slice(staging, batch, batch_id=batch_id)
    return sink.commit(commit_request(batch_id, last, write_mode=mode, **more), session.reader(), Cancellation())


def table(warehouse, name="events"):
    metadata = warehouse / "nucleus" / name / "metadata"
    version = (metadata / "version-hint.text").read_text().strip()
    return StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))


def stored(warehouse, name="events"):
    found = table(warehouse, name).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: json.dumps(row, default=str))


def test_a_merge_inserts_changes_and_leaves_equal_rows_alone(sink, staging, warehouse):
    first = commit(sink, staging, "a:0", rows(id=[1, 2, 3], v=["a", "b", None]), None)
    second = commit(sink, staging, "b:0", rows(id=[2, 3, 4], v=["B", None, "d"]), first)
    assert (first.rows_written, second.rows_written) == (3, 2)
    assert stored(warehouse) == [{"id": 1, "v": "a"}, {"id": 2, "v": "B"}, {"id": 3, "v": None}, {"id": 4, "v": "d"}]
    third = commit(sink, staging, "c:0", rows(id=[2, 3, 4], v=["B", None, "d"]), second)
    assert third.rows_written == 0
    assert sink.last_commit(UNIT, "events") == third


def test_of_rows_with_one_key_in_a_slice_the_last_one_stays(sink, staging, warehouse):
    commit(sink, staging, "a:0", rows(id=[1, 1, 1], v=["a", "b", "c"]), None)
    assert stored(warehouse) == [{"id": 1, "v": "c"}]


def test_a_repeated_batch_changes_nothing(sink, staging, warehouse):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    assert commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append") == first
    second = commit(sink, staging, "a:1", rows(id=[2], v=["b"]), first, "append")
    assert commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append") == first
    assert len(stored(warehouse)) == 2
    assert sink.last_commit(UNIT, "events") == second


@pytest.mark.parametrize("mode", ["append", "merge", "overwrite"])
def test_a_zombie_writes_nothing_in_any_mode(sink, staging, warehouse, mode):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, mode)
    commit(sink, staging, "b:0", rows(id=[2], v=["b"]), first, mode)
    before = stored(warehouse)
    with pytest.raises(SupersededError):
        commit(sink, staging, "a:1", rows(id=[3], v=["c"]), first, mode)
    assert stored(warehouse) == before


def test_a_commit_that_another_attempt_overtakes_between_staging_and_publishing_writes_nothing(
    sink, staging, warehouse, monkeypatch
):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    publish = IcebergSink._publish
    overtaken: list[object] = []

    def overtake_first(self, history, request, staged_id):
        if request.record.batch_id == "b:0" and not overtaken:
            overtaken.append(None)
            overtaken.append(commit(sink, staging, "b:0", rows(id=[2], v=["b"]), first, "append"))
        return publish(self, history, request, staged_id)

    monkeypatch.setattr(IcebergSink, "_publish", overtake_first)
    loser = commit(sink, staging, "b:0", rows(id=[2], v=["b"]), first, "append")
    assert overtaken == [None, loser]
    assert stored(warehouse) == [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]


def test_an_overwrite_replaces_all_rows_also_by_none(sink, staging, warehouse):
    first = commit(sink, staging, "a:0", rows(id=[1, 2], v=["a", "b"]), None, "overwrite")
    second = commit(sink, staging, "b:0", rows(id=[3], v=["c"]), first, "overwrite")
    assert stored(warehouse) == [{"id": 3, "v": "c"}]
    empty = rows(id=[3], v=["c"]).slice(0, 0)
    third = commit(sink, staging, "c:0", empty, second, "overwrite")
    assert (stored(warehouse), third.rows_written) == ([], 0)


def test_run_unit_and_batch_are_part_of_the_snapshot(sink, staging, warehouse):
    made = commit(sink, staging, "run-1:0", rows(id=[1], v=["a"]), None)
    snapshot = table(warehouse).current_snapshot()
    assert snapshot is not None
    assert str(snapshot.snapshot_id) == made.output.version
    summary = snapshot.summary
    assert summary is not None
    assert (summary["nucleus.run-id"], summary["nucleus.unit"], summary["nucleus.batch-id"]) == (
        "run-1",
        UNIT,
        "run-1:0",
    )
    assert json.loads(summary["nucleus.commit"]) == made.record.to_wire()


def test_units_that_share_a_table_keep_their_own_records(sink, staging):
    one = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    other = commit(sink, staging, "b:0", rows(id=[2], v=["b"]), None, "append", unit_key="source/other/sink")
    assert (sink.last_commit(UNIT, "events"), sink.last_commit("source/other/sink", "events")) == (one, other)


def test_values_arrive_exactly(sink, staging, warehouse):
    batch = pa.RecordBatch.from_pydict(
        {
            "id": pa.array([1], pa.int16()),
            "d": pa.array([Decimal("1234567890123456.7890")], pa.decimal128(20, 4)),
            "zoned": pa.array([datetime(2013, 1, 1, 5, 0, 0, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "naive": pa.array([datetime(2013, 1, 1, 0, 0, 0, 999999)], pa.timestamp("us")),  # noqa: DTZ001
            "day": pa.array([date(1969, 12, 31)]),
            "bin": pa.array([b"\x00\xff"]),
            "weird `name": pa.array(["x"]),
        }
    )
    made = commit(sink, staging, "a:0", batch, None)
    (row,) = stored(warehouse)
    assert row == batch.to_pylist()[0]
    assert [(field.name, field.type) for field in made.output.fields][:3] == [
        ("id", "int"),
        ("d", "decimal(20, 4)"),
        ("zoned", "timestamptz"),
    ]


def test_columns_that_differ_are_named(sink, staging):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None)
    with pytest.raises(SinkSchemaError, match=r"missing in the table: w; unknown to the unit: v"):
        commit(sink, staging, "b:0", rows(id=[1], w=["a"]), first)


def test_a_merge_unit_with_null_cursors_and_a_look_back(database, tmp_path, spark, warehouse):
    database.execute("CREATE TABLE events (id int PRIMARY KEY, at timestamptz, note text)")
    database.execute(
        "INSERT INTO events SELECT n, timestamptz '2013-01-01 00:00Z' + n * interval '1 hour', 'n' "
        "FROM generate_series(1, 5) n"
    )
    database.execute("INSERT INTO events VALUES (100, NULL, 'n')")
    unit = parquet_unit(
        database,
        tmp_path,
        spark=spark,
        sink_template="iceberg",
        sink_config={"warehouse": str(warehouse)},
        write_mode="merge",
        policy={"nullCursor": "include", "lookbackSeconds": 7200, "sliceRows": 2},
    )
    first = unit.run()
    assert (first.stats.rows_written, first.stats.null_cursor_rows) == (6, 1)
    database.execute("UPDATE events SET note = 'changed' WHERE id IN (1, 4)")
    database.execute("INSERT INTO events VALUES (6, '2013-01-01 04:30Z', 'late')")
    second = unit.run()
    # Row 1 lies below the look-back window of two hours; equal rows do not count.
    assert second.stats.rows_written == 2
    assert second.new_checkpoint is None
    notes = {row["id"]: row["note"] for row in stored(warehouse)}
    assert notes == {1: "n", 2: "n", 3: "n", 4: "changed", 5: "n", 6: "late", 100: "n"}
    unit.staging.close()


def test_a_killed_jvm_is_a_transient_error_and_the_next_attempt_has_a_new_one(sink, staging, warehouse, spark):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None)
    session = staged_slice(staging, rows(id=[2], v=["b"]), batch_id="b:0")
    request = commit_request("b:0", first, write_mode="merge")
    assert spark._root is not None
    process = spark._root.sparkContext._gateway.proc

    def work_on_a_dying_jvm():
        with spark.session() as inside:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            inside.range(1).count()

    with pytest.raises(EngineLostError) as caught:
        work_on_a_dying_jvm()
    assert caught.value.retryable
    sink.commit(request, session.reader(), Cancellation())
    assert [row["id"] for row in stored(warehouse)] == [1, 2]


def test_an_unknown_table_has_no_commit(sink):
    name = f"never-{uuid.uuid4().hex}"
    assert (sink.last_commit(UNIT, name), sink.may_have_forgotten(name)) == (None, False)


def test_records_are_forgotten_only_when_their_snapshots_expire(sink, staging, spark):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    commit(sink, staging, "b:0", rows(id=[2], v=["b"]), None, "append", unit_key="source/other/sink")
    assert (sink.last_commit(UNIT, "events"), sink.may_have_forgotten("events")) == (first, False)
    with spark.session() as session:
        sink._catalog.add_to(session)
        history = sink._history(session, "events")
        history._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(
            session._jsparkSession, sink._catalog.identifier("events")
        ).expireSnapshots().expireSnapshotId(int(first.output.version)).commit()
    assert (sink.last_commit(UNIT, "events"), sink.may_have_forgotten("events")) == (None, True)


def test_a_table_that_somebody_else_made_is_written_by_the_same_rules(sink, staging, warehouse, spark):
    with spark.session() as session:
        sink._catalog.add_to(session)
        session.sql(f"CREATE TABLE {sink._catalog.name}.nucleus.events (id bigint, v string) USING iceberg")
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    assert commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append") == first
    assert len(stored(warehouse)) == 1
