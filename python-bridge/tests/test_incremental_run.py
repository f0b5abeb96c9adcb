"""Rules R1 to R8 through the whole run: PostgreSQL, staging, Parquet files, read back by DuckDB."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import Checkpoint
from runtime_common.endpoints.parquet_files import ParquetFilesSink
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError, RunCancelledError
from tests.support.slices import commit_request, rows, staged_slice
from tests.support.units import parquet_unit

RESET = "DROP TABLE IF EXISTS events; CREATE TABLE events (id int PRIMARY KEY, at timestamptz, note text)"


@pytest.fixture
def unit(database, tmp_path):
    database.execute(RESET)
    yield (built := parquet_unit(database, tmp_path))
    built.staging.close()


@pytest.fixture
def insert(database):
    def insert_rows(*rows):
        for number, hour in rows:
            at = datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            database.execute("INSERT INTO events VALUES (%s, %s, 'n')", number, at)

    return insert_rows


def delivered(unit):
    folder = f"{unit.sink_config['directory']}/{unit.target}/*.parquet"
    return sorted(row[0] for row in duckdb.connect().execute("SELECT id FROM read_parquet(?)", [folder]).fetchall())


def test_a_late_row_at_the_watermark_is_neither_lost_nor_doubled(unit, insert):
    insert((1, 0), (2, 1), (3, 1))
    assert unit.run().stats.rows_written == 3
    insert((4, 1), (5, 2))
    second = unit.run()
    assert delivered(unit) == [1, 2, 3, 4, 5]
    assert (second.stats.rows_read, second.stats.rows_written, second.stats.rows_skipped_at_watermark) == (4, 2, 2)


def test_a_late_row_exactly_at_the_watermark_alone_is_found_again(unit, insert):
    insert((1, 0), (2, 1))
    unit.run()
    insert((3, 1))
    result = unit.run()
    assert delivered(unit) == [1, 2, 3]
    assert result.new_checkpoint is not None
    assert result.new_checkpoint.cursor.value == "2013-01-01T01:00:00.000000Z"
    assert len(result.new_checkpoint.cursor.boundary) == 2


def test_nothing_new_keeps_the_checkpoint(unit, insert):
    insert((1, 0), (2, 1))
    unit.run()
    result = unit.run()
    assert result.new_checkpoint is None
    assert (result.stats.rows_written, result.stats.slices) == (0, 0)
    assert delivered(unit) == [1, 2]


def test_an_empty_table_makes_no_checkpoint(unit):
    assert unit.run().new_checkpoint is None


def test_slices_end_between_ties(unit, insert):
    insert(*[(number, number // 4) for number in range(20)])
    result = unit.changed(policy={"sliceRows": 3}).run()
    assert result.stats.slices == 5
    assert delivered(unit) == list(range(20))


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE events ADD COLUMN extra int",
        "ALTER TABLE events DROP COLUMN note",
        "ALTER TABLE events ALTER COLUMN note TYPE varchar(9)",
    ],
)
def test_changed_columns_are_refused_instead_of_starting_over(unit, insert, database, change):
    insert((1, 0))
    unit.run()
    database.execute(change)
    with pytest.raises(CheckpointMismatchError, match="new unit id with a new target") as caught:
        unit.run()
    assert caught.value.code == "SCHEMA_CHANGED"
    assert delivered(unit) == [1]


def test_a_cursor_of_another_column_or_type_is_refused(unit, insert, database):
    insert((1, 0))
    unit.run()
    with pytest.raises(CheckpointMismatchError, match="cursor field"):
        unit.changed(cursor_field="id").run()
    database.execute("ALTER TABLE events ALTER COLUMN at TYPE timestamp")
    with pytest.raises(CheckpointMismatchError, match="cursor type"):
        unit.run()


def test_a_checkpoint_older_than_the_sinks_own_record_is_refused(unit, insert):
    insert((1, 0))
    unit.run()
    insert((2, 1))
    unit.run()
    restored = Checkpoint(version=0, generation=1, cursor=None)
    with pytest.raises(CheckpointMismatchError, match="KV_PATH") as caught:
        unit.changed(checkpoint=restored).run()
    assert (caught.value.code, caught.value.retryable) == ("CHECKPOINT_LOST", False)
    assert delivered(unit) == [1, 2]


@pytest.mark.parametrize("change", ["directory", "target", "deleted", "other unit's target"])
def test_a_cursor_whose_rows_are_not_in_the_target_is_refused(unit, insert, tmp_path, change):
    insert((1, 0), (2, 1))
    unit.run()
    insert((3, 2))
    changed = unit
    match change:
        case "directory":
            changed = unit.changed(sink_config={"directory": str(tmp_path / "elsewhere")})
        case "target":
            changed = unit.changed(target="renamed")
        case "deleted":
            shutil.rmtree(f"{unit.sink_config['directory']}/events")
        case _:
            other = ParquetFilesSink(tmp_path / "sink")
            session = staged_slice(unit.staging, rows(id=[1]), batch_id="o:0")
            request = commit_request("o:0", None, unit_key="source/other/sink", target="shared")
            other.commit(request, session.reader(), Cancellation())
            changed = unit.changed(target="shared")
    with pytest.raises(ConfigurationError, match="new unit id with a new target") as caught:
        changed.run()
    assert (caught.value.code, caught.value.field) == ("SINK_TARGET_MISSING", "unit.target")


def test_a_cursor_made_for_another_table_is_refused(unit, insert, database):
    insert((1, 0))
    unit.run()
    database.execute("DROP TABLE IF EXISTS events_2; CREATE TABLE events_2 (LIKE events INCLUDING ALL)")
    original = unit.request

    def of_other_table(run_id=None):
        request = original(run_id)
        request.execution.unit.object["table"] = "events_2"
        return request

    unit.request = of_other_table
    with pytest.raises(CheckpointMismatchError, match=r"public\.events'.*public\.events_2'") as caught:
        unit.run()
    assert caught.value.code == "SOURCE_CHANGED"


def test_the_same_database_under_another_host_name_goes_on(unit, insert, database):
    insert((1, 0))
    unit.run()
    insert((2, 1))
    assert database.config()["host"] == "127.0.0.1"
    assert unit.changed(source=database.config(host="localhost")).run().stats.rows_written == 1
    assert delivered(unit) == [1, 2]


def test_rows_without_a_cursor_fail_by_default_and_are_counted_when_excluded(unit, insert, database):
    insert((1, 0))
    database.execute("INSERT INTO events VALUES (2, NULL, 'n'), (3, NULL, 'n')")
    with pytest.raises(DataError, match="2 row") as caught:
        unit.run()
    assert (caught.value.code, caught.value.field) == ("NULL_CURSOR", "at")
    result = unit.changed(policy={"nullCursor": "exclude"}).run()
    assert (delivered(unit), result.stats.null_cursor_rows) == ([1], 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"policy": {"nullCursor": "include"}}, "policy.nullCursor"),
        ({"policy": {"lookbackSeconds": 60}}, "policy.lookbackSeconds"),
        ({"write_mode": "overwrite"}, "unit.writeMode"),
        ({"write_mode": "merge"}, "unit.writeMode"),
        ({"cursor_field": None}, "unit.cursorField"),
        ({"mode": "full"}, "unit.cursorField"),
        ({"primary_key": ("nope",)}, "unit.primaryKey"),
        ({"target": "../escape"}, "unit.target"),
        ({"cursor_field": "id", "policy": {"lagSeconds": 5}}, "policy.lagSeconds"),
    ],
)
def test_a_unit_that_could_lose_or_double_rows_is_refused(unit, insert, changes, field):
    insert((1, 0))
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(**changes).run()
    assert caught.value.field == field


@pytest.mark.parametrize("lose_staging", [False, True])
@pytest.mark.parametrize("same_run", [False, True])
def test_a_crash_between_commit_and_checkpoint_repeats_nothing(unit, insert, lose_staging, same_run):
    insert(*[(number, number) for number in range(10)])
    crashed = uuid.uuid4()
    unit.changed(policy={"sliceRows": 4}).run(run_id=crashed, store_checkpoint=False)
    insert((10, 9), (11, 20))
    if lose_staging:
        shutil.rmtree(unit.staging.root)
        unit.staging.root.mkdir()
    result = unit.changed(policy={"sliceRows": 4}).run(run_id=crashed if same_run else uuid.uuid4(), attempt=2)
    # The same run's extraction had come to its end, so nobody asks the source again as long as its plan is there.
    expected = list(range(10)) if same_run and not lose_staging else list(range(12))
    assert delivered(unit) == expected
    assert result.new_checkpoint is not None
    assert result.stats.rows_written == len(expected) - (0 if same_run else 10)


def test_the_checkpoint_of_a_found_commit_is_returned_even_when_nothing_is_new(unit, insert):
    insert((1, 0), (2, 1))
    first = unit.run(store_checkpoint=False)
    second = unit.run()
    assert second.new_checkpoint == first.new_checkpoint
    assert (second.stats.rows_written, delivered(unit)) == (0, [1, 2])


def test_a_cancelled_run_keeps_its_commits_and_the_next_one_continues(unit, insert, database):
    insert(*[(number, number) for number in range(6)])
    cancellation = Cancellation()
    cancelling = unit.changed(policy={"sliceRows": 2})
    original = cancelling.staging.allocate_session

    def cancel_at_second_slice(context):
        if context.slice_index == 1:
            cancellation.cancel()
        return original(context)

    cancelling.staging.allocate_session = cancel_at_second_slice
    with pytest.raises(RunCancelledError):
        cancelling.run(cancellation=cancellation)
    del cancelling.staging.allocate_session
    assert delivered(unit) == [0, 1]
    unit.run()
    assert delivered(unit) == list(range(6))


def test_a_full_unit_replaces_everything_once(unit, insert, database):
    full = unit.changed(mode="full", cursor_field=None, write_mode="overwrite")
    insert((1, 0), (2, 1))
    run_id = uuid.uuid4()
    first = full.run(run_id=run_id, store_checkpoint=False)
    database.execute("DELETE FROM events WHERE id = 1")
    repeated = full.run(run_id=run_id, attempt=2)
    assert (delivered(full), repeated.stats.rows_written) == ([1, 2], first.stats.rows_written)
    assert repeated.stats.provenance == first.stats.provenance
    full.run()
    assert delivered(full) == [2]
    database.execute("DELETE FROM events")
    assert full.run().stats.rows_written == 0
    assert delivered(full) == []


def test_the_result_names_what_was_read_and_written(unit, insert, database):
    insert((1, 0))
    stats = unit.run().stats
    (source,), (sink,) = stats.provenance.inputs, stats.provenance.outputs
    config = database.config()
    assert (source.namespace, source.name) == (
        f"postgres://{config['host']}:{config['port']}",
        f"{config['database']}.public.events",
    )
    assert [(field.name, field.type) for field in source.fields][1] == ("at", "timestamp with time zone")
    assert (sink.namespace, sink.name) == ("file", f"{unit.sink_config['directory']}/events")
    assert sink.version is not None
    assert sink.version.startswith("00000001-")


@pytest.mark.parametrize("declared", ["date", "bigint", "numeric(12, 3)", "text", "timestamp(3)"])
def test_every_cursor_family_resumes_where_it_stood(unit, database, declared):
    database.execute(f"DROP TABLE events; CREATE TABLE events (id int, at {declared})")
    values = {
        "date": ["2013-01-01", "2013-01-02", "2013-01-02", "2013-01-03"],
        "bigint": ["-5", "9007199254740993", "9007199254740993", "9007199254740994"],
        "numeric(12, 3)": ["-1.5", "2.125", "2.125", "10"],
        "text": ["B", "a", "a", "ä"],
        "timestamp(3)": ["2013-01-01 00:00:00", "2013-01-01 00:00:00.001", "2013-01-01 00:00:00.001", "2014-01-01"],
    }[declared]
    for number, value in enumerate(values[:2]):
        database.execute(f"INSERT INTO events VALUES ({number}, '{value}')")
    unit.run()
    for number, value in enumerate(values[2:], start=2):
        database.execute(f"INSERT INTO events VALUES ({number}, '{value}')")
    unit.run()
    assert Counter(delivered(unit)) == Counter(range(4))


def test_slices_of_numbers_end_in_the_order_of_numbers_not_of_texts(unit, database):
    database.execute("DROP TABLE events; CREATE TABLE events (id int, at numeric(12, 3))")
    for number, value in enumerate(["-2.5", "-2.25", "9", "10", "100"]):
        database.execute(f"INSERT INTO events VALUES ({number}, {value})")
    first = unit.changed(policy={"sliceRows": 1}).run()
    assert first.new_checkpoint is not None
    assert (first.new_checkpoint.cursor.value, first.stats.slices, delivered(unit)) == ("100", 5, [0, 1, 2, 3, 4])
