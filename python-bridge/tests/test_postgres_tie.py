"""Groups of equal cursor values that no checkpoint can list, and the unique column that makes them possible."""

from __future__ import annotations

import duckdb
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.contracts.checkpoint import MAX_BOUNDARY_ROWS
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError, IngestionError
from runtime_common.protocols import ReadRequest, Rows
from runtime_common.spark import SparkEngine
from tests.support.units import parquet_unit

LARGE = MAX_BOUNDARY_ROWS + 1
TIE = {"tieBreakField": "id"}


@pytest.fixture
def unit(database, tmp_path):
    database.execute(
        f"""DROP TABLE IF EXISTS events; CREATE TABLE events (id int PRIMARY KEY, at int, note text);
            INSERT INTO events
            SELECT n * 10, CASE WHEN n = 0 THEN 1 ELSE 7 END, 'n' FROM generate_series(0, {LARGE}) n"""
    )
    built = parquet_unit(database, tmp_path, policy=TIE)
    yield built
    built.staging.close()


def delivered(unit):
    files = f"{unit.sink_config['directory']}/{unit.target}/*.parquet"
    return duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet('{files}')").fetchone()


def cursor(result):
    assert result.new_checkpoint is not None
    return result.new_checkpoint.cursor


def test_without_a_tie_break_a_large_group_at_the_end_is_refused(unit):
    with pytest.raises(DataError, match="tieBreakField") as caught:
        unit.changed(policy={}).run()
    assert caught.value.code == "CURSOR_TOO_COARSE"


def test_a_large_group_at_the_end_is_committed_whole_and_not_read_again(unit):
    first = unit.run()
    last = cursor(first)
    assert (first.stats.rows_written, last.value, last.boundary) == (LARGE + 1, "7", [])
    assert last.tie is not None
    assert (last.tie.field, last.tie.value, last.tie.rows) == ("id", str(LARGE * 10), LARGE)
    second = unit.run()
    assert (second.stats.rows_read, second.new_checkpoint) == (0, None)


def test_a_row_that_comes_late_behind_the_others_is_delivered_once(unit, database):
    unit.run()
    database.execute("INSERT INTO events VALUES (1000000, 7, 'late')")
    second = unit.run()
    assert (second.stats.rows_written, second.stats.rows_read) == (1, 1)
    tie = cursor(second).tie
    assert tie is not None
    assert (tie.value, tie.rows) == ("1000000", LARGE + 1)
    database.execute("INSERT INTO events VALUES (1000001, 8, 'next')")
    third = unit.run()
    assert (third.stats.rows_written, cursor(third).value, cursor(third).tie) == (1, "8", None)
    assert len(cursor(third).boundary) == 1
    assert delivered(unit) == (LARGE + 3, LARGE + 3)


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO events VALUES (5, 7, 'late')",
        "DELETE FROM events WHERE id = 20",
        "DELETE FROM events WHERE id = 20; INSERT INTO events VALUES (25, 7, 'late')",
    ],
)
def test_a_row_that_comes_late_among_the_others_stops_an_append_and_is_taken_by_a_merge(unit, database, change):
    unit.run()
    before = unit.checkpoint
    database.execute(change)
    with pytest.raises(DataError, match="merge") as caught:
        unit.run()
    assert (caught.value.code, caught.value.field, unit.checkpoint) == ("CURSOR_TIE_CHANGED", "at", before)


def test_a_merge_takes_the_whole_group_again(unit, database):
    start = cursor(unit.run())
    database.execute("INSERT INTO events VALUES (5, 7, 'late')")
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config())
    source = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    request = ReadRequest(object={"table": "events"}, cursor_field="at", tie_break_field="id", redelivers=True)
    with source.open(request, Cancellation()) as read:
        cutter = read.cutter(start=start, slice_rows=1000, compared=None)
        steps = [step for batch in read.batches(lower="7", upper=read.upper_bound) for step in cutter.feed(batch)]
    assert sum(step.batch.num_rows for step in steps if isinstance(step, Rows)) == LARGE + 1
    end = cutter.end()
    assert end is not None
    assert end.cursor is not None
    assert end.cursor.tie is not None
    assert end.cursor.tie.rows == LARGE + 1


def test_slices_end_between_groups_however_large(unit, database):
    database.execute("INSERT INTO events VALUES (-1, 8, 'n'), (-2, 9, 'n')")
    result = unit.changed(policy=TIE | {"sliceRows": 1}).run()
    # The large group can't be a watermark in mid-run, so it shares a slice with the value behind it.
    assert (result.stats.slices, cursor(result).value, cursor(result).tie) == (3, "9", None)
    assert delivered(unit) == (LARGE + 3, LARGE + 3)


def test_no_slice_ends_at_a_watermark_of_which_only_new_rows_were_read(unit, database):
    unit.run()
    database.execute("INSERT INTO events VALUES (1000000, 7, 'late'), (1000001, 8, 'next'), (1000002, 9, 'next')")
    result = unit.changed(policy=TIE | {"sliceRows": 1}).run()
    assert (result.stats.slices, result.stats.rows_written, cursor(result).value) == (2, 3, "9")
    assert delivered(unit) == (LARGE + 4, LARGE + 4)


def test_a_checkpoint_with_a_tie_needs_its_column(unit):
    unit.run()
    with pytest.raises(CheckpointMismatchError, match="tieBreakField 'id'") as caught:
        unit.changed(policy={}).run()
    assert caught.value.field == "policy.tieBreakField"


def test_ties_of_any_ordered_type(database, tmp_path):
    database.execute(
        f"""CREATE TABLE keyed (id uuid PRIMARY KEY, at int);
            INSERT INTO keyed SELECT md5(n::text)::uuid, 1 FROM generate_series(1, {LARGE}) n"""
    )
    unit = parquet_unit(database, tmp_path, "keyed", policy=TIE)
    assert unit.run().stats.rows_written == LARGE
    assert unit.run().stats.rows_read == 0
    unit.staging.close()


@pytest.mark.parametrize(
    ("definition", "column", "code"),
    [
        ("id int PRIMARY KEY, at int", "nope", "SOURCE_COLUMN_MISSING"),
        ("id int, at int", "id", "TIE_BREAK_NOT_UNIQUE"),
        ("id int UNIQUE, at int", "id", "TIE_BREAK_NOT_UNIQUE"),
        ("id int NOT NULL, at int, UNIQUE (id, at)", "id", "TIE_BREAK_NOT_UNIQUE"),
    ],
)
def test_a_column_that_is_not_unique_is_refused(database, tmp_path, definition, column, code):
    database.execute(f"DROP TABLE IF EXISTS loose; CREATE TABLE loose ({definition})")
    unit = parquet_unit(database, tmp_path, "loose", policy={"tieBreakField": column})
    with pytest.raises(IngestionError) as caught:
        unit.run()
    assert (caught.value.code, caught.value.field) == (code, "policy.tieBreakField")
    unit.staging.close()


def test_a_query_has_no_unique_column(database, tmp_path):
    unit = parquet_unit(database, tmp_path, object={"query": "SELECT 1 AS id, 1 AS at"}, policy=TIE)
    with pytest.raises(ConfigurationError) as caught:
        unit.run()
    assert caught.value.code == "TIE_BREAK_NOT_UNIQUE"
    unit.staging.close()
