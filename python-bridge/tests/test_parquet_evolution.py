"""Columns of a folder of Parquet files over its life, by the unit's policy; old and new files are read as one."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import DatasetField
from runtime_common.endpoints.parquet_columns import columns_after
from runtime_common.endpoints.parquet_files import ParquetFilesSink
from runtime_common.exceptions import SinkSchemaError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, rows, staged_slice


@pytest.fixture
def commit(tmp_path):
    """Commits one slice after the other to one target and returns what the sink says."""
    sink = ParquetFilesSink(tmp_path / "sink")
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as staging:

        def commit_slice(batch_id, policy, *, mode="append", **columns):
            session = staged_slice(staging, rows(**columns), batch_id=batch_id)
            last = sink.last_commit("source/unit/sink", "events")
            request = replace(commit_request(batch_id, last, write_mode=mode), schema_change=policy)
            return sink.commit(request, session.reader(), Cancellation())

        yield commit_slice


def by_duckdb(tmp_path, columns="*"):
    query = f"SELECT {columns} FROM read_parquet(?, union_by_name = true) ORDER BY id"
    return duckdb.connect().execute(query, [str(tmp_path / "sink/events/*.parquet")]).fetchall()


def by_pyarrow(tmp_path, schema):
    files = sorted((tmp_path / "sink/events").glob("*.parquet"))
    table = ds.dataset(files, schema=schema).to_table().sort_by("id")
    return [tuple(row.values()) for row in table.to_pylist()]


def columns(commit):
    return {field.name: field.type for field in commit.output.fields}


def test_freeze_takes_the_same_columns_in_any_order_and_no_others(commit, tmp_path):
    commit("a:0", "freeze", id=[1], note=["x"])
    commit("a:1", "freeze", note=["y"], id=[2])
    for changed in ({"id": [3]}, {"id": [3], "note": ["z"], "more": [1]}, {"id": ["3"], "note": ["z"]}):
        with pytest.raises(SinkSchemaError, match="schemaChange") as caught:
            commit("a:2", "freeze", **changed)
        assert (caught.value.code, caught.value.retryable) == ("SINK_SCHEMA_MISMATCH", False)
    assert by_duckdb(tmp_path, "id, note") == [(1, "x"), (2, "y")]


def test_evolve_adds_columns_and_both_readers_see_no_value_in_older_rows(commit, tmp_path):
    commit("a:0", "evolve", id=[1])
    grown = commit("a:1", "evolve", id=[2], note=["new"])
    assert columns(grown) == {"id": "int64", "note": "string"}
    expected = [(1, None), (2, "new")]
    assert by_duckdb(tmp_path) == expected
    assert by_pyarrow(tmp_path, pa.schema({"id": pa.int64(), "note": pa.string()})) == expected


def test_evolve_keeps_a_column_that_vanished_and_takes_it_back(commit, tmp_path):
    commit("a:0", "evolve", id=[1], note=["x"])
    assert columns(commit("a:1", "evolve", id=[2])) == {"id": "int64", "note": "string"}
    commit("a:2", "freeze", id=[3], note=["z"])
    assert by_duckdb(tmp_path) == [(1, "x"), (2, None), (3, "z")]


def test_evolve_widens_types_and_keeps_the_wider_one(commit, tmp_path):
    narrow = {"id": pa.array([1], pa.int16()), "price": pa.array([Decimal("1.25")], pa.decimal128(5, 2))}
    wide = {"id": pa.array([2**40], pa.int64()), "price": pa.array([Decimal("99999999.75")], pa.decimal128(12, 2))}
    commit("a:0", "evolve", **narrow)
    commit("a:1", "evolve", **wide)
    last = commit("a:2", "evolve", **(narrow | {"id": pa.array([2], pa.int16())}))
    assert columns(last) == {"id": "int64", "price": "decimal128(12, 2)"}
    expected = [(1, Decimal("1.25")), (2, Decimal("1.25")), (2**40, Decimal("99999999.75"))]
    assert by_duckdb(tmp_path) == expected
    assert by_pyarrow(tmp_path, pa.schema({"id": pa.int64(), "price": pa.decimal128(12, 2)})) == expected


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("int8", "int32", "int32"),
        ("int64", "int16", "int64"),
        ("uint32", "int64", "int64"),
        ("float", "double", "double"),
        ("int32", "double", "double"),
        ("string", "large_string", "large_string"),
        ("decimal128(5, 2)", "decimal256(40, 2)", "decimal256(40, 2)"),
        ("int64", "double", None),
        ("uint64", "int64", None),
        ("int32", "float", None),
        ("decimal128(5, 2)", "decimal128(9, 3)", None),
        ("timestamp[us]", "timestamp[us, tz=UTC]", None),
        ("timestamp[ms]", "timestamp[ns]", None),
        ("int32", "string", None),
    ],
)
def test_only_a_type_that_holds_all_values_of_both_is_taken(one, other, common):
    def after():
        fields = ([DatasetField(name="v", type=type_)] for type_ in (one, other))
        return columns_after(*fields, policy="evolve", where="the folder").fields

    if common is None:
        with pytest.raises(SinkSchemaError, match="no type holds both kinds of values of v"):
            after()
    else:
        assert after() == [DatasetField(name="v", type=common)]


def test_discard_leaves_new_columns_out_of_the_files_and_says_so(commit, tmp_path, caplog):
    commit("a:0", "discard", id=[1], note=["x"])
    with caplog.at_level(logging.WARNING):
        committed = commit("a:1", "discard", id=[2, 3], note=["y", "z"], secret=["s", "t"], more=[1, 2])
    assert (committed.rows_written, columns(committed)) == (2, {"id": "int64", "note": "string"})
    assert by_duckdb(tmp_path) == [(1, "x"), (2, "y"), (3, "z")]
    assert [record.data["columns"] for record in caplog.records] == [["secret", "more"]]
    manifest = (tmp_path / "sink/events/_manifests/00000002.json").read_text()
    assert '"leftOut":["secret","more"]' in manifest
    assert commit("a:1", "discard", id=[2, 3], note=["y", "z"], secret=["s", "t"], more=[1, 2]) == committed


def test_discard_keeps_a_column_that_vanished_and_takes_no_other_type(commit, tmp_path):
    commit("a:0", "discard", id=[1], note=["x"])
    assert columns(commit("a:1", "discard", id=[2], more=[1])) == {"id": "int64", "note": "string"}
    assert by_duckdb(tmp_path) == [(1, "x"), (2, None)]
    with pytest.raises(SinkSchemaError, match="discard takes no other types"):
        commit("a:2", "discard", id=["3"], note=["y"])


@pytest.mark.parametrize("policy", ["freeze", "evolve", "discard"])
def test_an_overwrite_brings_its_own_columns_whatever_the_policy(commit, tmp_path, policy):
    commit("a:0", policy, id=[1], note=["x"])
    replaced = commit("b:0", policy, mode="overwrite", id=["2"], more=[1])
    assert columns(replaced) == {"id": "string", "more": "int64"}
    assert by_duckdb(tmp_path) == [("2", 1)]
