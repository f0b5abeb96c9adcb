"""Columns that change and rows that are deleted in Iceberg tables, read back by pyiceberg and by DuckDB."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints import iceberg_tables
from runtime_common.endpoints.iceberg import IcebergConfig, IcebergSink
from runtime_common.exceptions import ConfigurationError, SinkError, SinkSchemaError, SupersededError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, rows, staged_slice


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


def commit(sink, staging, batch_id, batch, last, mode="merge", **changes):
    session = staged_slice(staging, batch, batch_id=batch_id)
    request = replace(commit_request(batch_id, last, write_mode=mode), **changes)
    return sink.commit(request, session.reader(), Cancellation())


def stored(warehouse):
    """Return the rows, on which both readers agree. Tables are copied on write, so there are data files alone."""
    metadata = warehouse / "nucleus" / "events" / "metadata"
    version = (metadata / "version-hint.text").read_text().strip()
    scan = StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json")).scan()
    found = sorted(scan.to_arrow().to_pylist(), key=lambda row: row["id"])
    files = [task.file.file_path.removeprefix("file:") for task in scan.plan_files()]
    query = "SELECT * FROM read_parquet(?, union_by_name=true) ORDER BY id"
    independent = duckdb.connect().execute(query, [files]).to_arrow_table().to_pylist() if files else []
    names = found[0].keys() if found else ()
    assert [{name: row.get(name) for name in names} for row in independent] == found
    return found


def test_a_table_grows_by_columns_and_by_wider_types(sink, staging, warehouse):
    old = rows(id=pa.array([1, 2], pa.int32()), f=pa.array([0.5, 1.5], pa.float32()))
    first = commit(sink, staging, "a:0", old, None, schema_change="evolve")
    new = rows(id=pa.array([2, 2**40]), f=pa.array([0.1, 0.2]), w=["x", "y"])
    second = commit(sink, staging, "b:0", new, first, schema_change="evolve")
    after = [{"id": 1, "f": 0.5, "w": None}, {"id": 2, "f": 0.1, "w": "x"}, {"id": 2**40, "f": 0.2, "w": "y"}]
    assert stored(warehouse) == after
    assert [(field.name, field.type) for field in second.output.fields] == [
        ("id", "long"),
        ("f", "double"),
        ("w", "string"),
    ]
    # A column that the unit no longer has stays as it was, and is NULL in new rows.
    third = commit(sink, staging, "c:0", rows(id=[1, 3], f=[0.5, 9.0]), second, schema_change="evolve")
    assert third.rows_written == 1
    assert stored(warehouse) == [*after[:2], {"id": 3, "f": 9.0, "w": None}, after[2]]
    commit(sink, staging, "d:0", rows(id=[7], f=[7.0]), third, "overwrite", schema_change="evolve")
    assert stored(warehouse) == [{"id": 7, "f": 7.0, "w": None}]


def test_a_new_column_is_left_out_or_stops_the_unit(sink, staging, warehouse):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    batch = rows(id=[2], v=["b"], w=["x"])
    with pytest.raises(SinkSchemaError, match="missing in the table: w"):
        commit(sink, staging, "b:0", batch, first, "append")
    commit(sink, staging, "b:0", batch, first, "append", schema_change="discard")
    assert stored(warehouse) == [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]


def test_a_failure_between_the_new_column_and_the_rows_leaves_a_whole_table(sink, staging, warehouse, monkeypatch):
    first = commit(sink, staging, "a:0", rows(id=[1]), None)
    batch = rows(id=[1, 2], w=["x", "y"])

    def fail(name):
        if name == "iceberg.after-evolution":
            raise SinkError("the worker is gone")

    with monkeypatch.context() as patch:
        patch.setattr(iceberg_tables, "failpoint", fail)
        with pytest.raises(SinkError, match="gone"):
            commit(sink, staging, "b:0", batch, first, schema_change="evolve")
    assert stored(warehouse) == [{"id": 1, "w": None}]
    made = commit(sink, staging, "b:0", batch, first, schema_change="evolve")
    assert stored(warehouse) == [{"id": 1, "w": "x"}, {"id": 2, "w": "y"}]
    # A zombie of the same unit, which still holds the older state, changes neither columns nor rows.
    with pytest.raises(SupersededError):
        commit(sink, staging, "z:0", rows(id=[3], z=[1]), first, schema_change="evolve")
    assert sink.current_output("events") == made.output


@pytest.mark.parametrize("marks", [[None, True, False, True], pytest.param([None, 5, None, 6], marks=pytest.mark.soak)])
def test_a_merge_removes_the_keys_of_rows_that_are_marked_as_deleted(sink, staging, warehouse, marks):
    type_ = pa.array(marks).type
    first = commit(sink, staging, "a:0", rows(id=[1, 2, 3], gone=pa.nulls(3, type_), v=["a", "b", "c"]), None)
    batch = rows(id=[1, 2, 3, 4], gone=pa.array(marks), v=["a", "b", "C", "d"])
    second = commit(sink, staging, "b:0", batch, first, delete_field="gone")
    assert [(row["id"], row["v"]) for row in stored(warehouse)] == [(1, "a"), (3, "C")]
    assert second.rows_written == 2
    again = rows(id=[3, 3, 5, 5], gone=pa.array([marks[1], None, None, marks[1]], type_), v=["x", "back", "y", "z"])
    commit(sink, staging, "c:0", again, second, delete_field="gone")
    assert [(row["id"], row["v"]) for row in stored(warehouse)] == [(1, "a"), (3, "back")]


def test_a_delete_field_that_is_no_column_is_refused(sink, staging):
    with pytest.raises(ConfigurationError) as caught:
        commit(sink, staging, "a:0", rows(id=[1]), None, delete_field="gone")
    assert caught.value.field == "policy.deleteField"
