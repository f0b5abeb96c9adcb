"""Commits to PostgreSQL tables: what each mode leaves, whose turn it is, and types to the last digit."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest

from runtime_common.exceptions import ConfigurationError, SinkSchemaError, SupersededError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.postgres_tables import UNIT, commit, rows_of, sink_of
from tests.support.slices import rows


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def schema():
    return f"s_{secrets.token_hex(4)}"


@pytest.fixture
def sink(database, schema):
    return sink_of(database, schema)


def test_a_merge_inserts_changes_and_leaves_equal_rows_alone(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1, 2, 3], v=["a", "b", None]), None)
    second = commit(sink, staging, "b:0", rows(id=[2, 3, 4], v=["B", None, "d"]), first)
    assert (first.rows_written, second.rows_written) == (3, 2)
    assert rows_of(database, schema) == [(1, "a"), (2, "B"), (3, None), (4, "d")]
    third = commit(sink, staging, "c:0", rows(id=[2, 3, 4], v=["B", None, "d"]), second)
    assert third.rows_written == 0
    assert sink.last_commit(UNIT, "events") == third
    assert sink.current_output("events") == third.output


def test_of_rows_with_one_key_the_one_with_the_highest_cursor_stays_and_of_ties_the_last(
    sink, staging, database, schema
):
    batch = rows(id=[1, 1, 1, 2, 2, 3, 3], at=[5, 7, 6, 4, 4, None, 1], v=["a", "b", "c", "d", "e", "f", "g"])
    commit(sink, staging, "a:0", batch, None, cursor_field="at")
    assert rows_of(database, schema, columns="id, v") == [(1, "b"), (2, "e"), (3, "g")]


def test_a_text_cursor_is_compared_by_its_bytes(sink, staging, database, schema):
    commit(sink, staging, "a:0", rows(id=[1, 1], at=["a", "B"], v=["last", "first"]), None, cursor_field="at")
    assert rows_of(database, schema, columns="v") == [("last",)]


def test_appends_add_and_an_overwrite_replaces_also_by_nothing(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1, 1], v=["a", "a"]), None, "append")
    second = commit(sink, staging, "a:1", rows(id=[2], v=["b"]), first, "append")
    assert rows_of(database, schema) == [(1, "a"), (1, "a"), (2, "b")]
    third = commit(sink, staging, "b:0", rows(id=[9], v=["z"]), second, "overwrite")
    assert rows_of(database, schema) == [(9, "z")]
    empty = rows(id=[9], v=["z"]).slice(0, 0)
    fourth = commit(sink, staging, "c:0", empty, third, "overwrite")
    assert (rows_of(database, schema), fourth.rows_written) == ([], 0)


def test_a_failed_overwrite_leaves_the_old_rows(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "overwrite")
    with pytest.raises(SinkSchemaError):
        commit(sink, staging, "b:0", rows(id=[1], w=["a"]), first, "overwrite")
    assert rows_of(database, schema) == [(1, "a")]
    assert sink.last_commit(UNIT, "events") == first


@pytest.mark.parametrize(
    ("marks", "stay"),
    [([None, True, False, True], [1, 3]), ([None, datetime(2013, 1, 1, tzinfo=UTC), None, None], [1, 3, 4])],
)
def test_a_merge_removes_the_keys_of_rows_that_are_marked_as_deleted(sink, staging, database, schema, marks, stay):
    first = commit(sink, staging, "a:0", rows(id=[1, 2, 3], gone=pa.nulls(3, pa.array(marks).type)), None)
    batch = rows(id=[1, 2, 3, 4], gone=pa.array(marks))
    second = commit(sink, staging, "b:0", batch, first, delete_field="gone")
    assert rows_of(database, schema, columns="id") == [(one,) for one in stay]
    assert second.rows_written == 2


def test_a_key_that_is_deleted_and_made_again_in_one_slice_is_there(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1, 2], gone=[False, False], v=["a", "b"]), None)
    batch = rows(id=[1, 1, 2, 2], gone=[True, False, False, True], v=["x", "again", "y", "z"])
    commit(sink, staging, "b:0", batch, first, delete_field="gone")
    assert rows_of(database, schema, columns="id, v") == [(1, "again")]


def test_a_delete_field_that_is_no_column_is_refused(sink, staging):
    with pytest.raises(ConfigurationError) as caught:
        commit(sink, staging, "a:0", rows(id=[1]), None, delete_field="gone")
    assert caught.value.field == "policy.deleteField"


def test_a_repeated_batch_changes_nothing(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    assert commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append") == first
    second = commit(sink, staging, "a:1", rows(id=[2], v=["b"]), first, "append")
    assert commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append") == first
    assert len(rows_of(database, schema)) == 2
    assert sink.last_commit(UNIT, "events") == second


@pytest.mark.parametrize("mode", ["append", "merge", "overwrite"])
def test_a_zombie_writes_nothing_in_any_mode(sink, staging, database, schema, mode):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, mode)
    commit(sink, staging, "b:0", rows(id=[2], v=["b"]), first, mode)
    before = rows_of(database, schema)
    with pytest.raises(SupersededError):
        commit(sink, staging, "a:1", rows(id=[3], v=["c"]), first, mode)
    assert rows_of(database, schema) == before


def test_units_that_share_a_table_keep_their_own_records(sink, staging):
    one = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None)
    other = commit(sink, staging, "a:0", rows(id=[2], v=["b"]), None, unit_key="source/other/sink")
    assert (sink.last_commit(UNIT, "events"), sink.last_commit("source/other/sink", "events")) == (one, other)


def test_the_records_of_a_table_that_was_dropped_are_void(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None)
    commit(sink, staging, "b:0", rows(id=[2], v=["b"]), None, unit_key="source/other/sink")
    database.execute(f"DROP TABLE {schema}.events")
    assert (sink.last_commit(UNIT, "events"), sink.current_output("events")) == (None, None)
    with pytest.raises(SupersededError):
        commit(sink, staging, "a:1", rows(id=[3], v=["c"]), first)
    commit(sink, staging, "c:0", rows(id=[4], v=["d"]), None)
    assert sink.last_commit("source/other/sink", "events") is None
    assert rows_of(database, schema) == [(4, "d")]
    assert sink.may_have_forgotten("events") is False


def test_values_arrive_exactly_and_read_back_as_they_were(sink, staging, database, schema):
    batch = pa.RecordBatch.from_pydict(
        {
            "id": pa.array([1], pa.int16()),
            "flag": pa.array([True]),
            "tiny": pa.array([-128], pa.int8()),
            "unsigned": pa.array([2**64 - 1], pa.uint64()),
            "big": pa.array([-(2**63)], pa.int64()),
            "d": pa.array([Decimal("1234567890123456.7890")], pa.decimal128(20, 4)),
            "huge": pa.array([Decimal("1" * 76)], pa.decimal256(76, 0)),
            "f4": pa.array([1.1], pa.float32()),
            "f8": pa.array([-5e-324], pa.float64()),
            "zoned": pa.array([datetime(2013, 1, 1, 5, 0, 0, 1, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")),
            "naive": pa.array([datetime(1, 1, 1, 0, 0, 0, 999999)], pa.timestamp("us")),  # noqa: DTZ001
            "seconds": pa.array([datetime(9999, 12, 31, 23, 59, 59)], pa.timestamp("s")),  # noqa: DTZ001
            "day": pa.array([date(1969, 12, 31)]),
            "hour": pa.array([time(23, 59, 59, 999999)], pa.time64("us")),
            "bin": pa.array([b"\x00\xff"]),
            'weird "name" %s': pa.array(["\\.\n\t\\N 'ü' \U0001f600"]),
            "words": pa.array([["a", None, "b,{}\\"]], pa.list_(pa.string())),
            "numbers": pa.array([[1, None]], pa.list_(pa.int64())),
            "label": pa.array(["x"]).dictionary_encode(),
            "empty": pa.array([""]),
            "nothing": pa.nulls(1),
        }
    )
    made = commit(sink, staging, "a:0", batch, None)
    ((*values,),) = rows_of(database, schema)
    expected = batch.to_pylist()[0]
    assert dict(zip(batch.schema.names, values, strict=True)) == expected | {"f4": pytest.approx(1.1)}
    types = {field.name: field.type for field in made.output.fields}
    assert (types["d"], types["zoned"], types["unsigned"], types["words"]) == (
        "numeric(20,4)",
        "timestamp with time zone",
        "numeric(20,0)",
        "text[]",
    )


def test_special_numbers_and_times_beyond_the_years_of_python_arrive(sink, staging, database, schema):
    batch = pa.RecordBatch.from_pydict(
        {
            "id": pa.array([1, 2, 3]),
            "f": pa.array([float("nan"), float("inf"), -0.0]),
            "at": pa.array([-210_866_803_200_000_000, 253_402_300_800_000_000, -62_135_596_800_000_001]).cast(
                pa.timestamp("us")
            ),
            "day": pa.array([-2_440_588, 2_932_897, -719_529], pa.int32()).cast(pa.date32()),
        }
    )
    commit(sink, staging, "a:0", batch, None)
    assert rows_of(database, schema, columns="id, f::text, at::text, day::text") == [
        (1, "NaN", "4714-11-24 00:00:00 BC", "4714-11-24 BC"),
        (2, "Infinity", "10000-01-01 00:00:00", "10000-01-01"),
        (3, "-0", "0001-12-31 23:59:59.999999 BC", "0002-12-31 BC"),
    ]


def test_a_type_without_counterpart_is_refused_by_name(sink, staging):
    with pytest.raises(SinkSchemaError, match="'s' of type struct") as caught:
        commit(sink, staging, "a:0", rows(id=[1], s=[{"a": 1}]), None)
    assert caught.value.field == "s"


@pytest.mark.parametrize(("policy", "outcome"), [("freeze", "refused"), ("evolve", "added"), ("discard", "left out")])
def test_a_new_column_is_treated_by_policy(sink, staging, database, schema, policy, outcome):
    first = commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None)
    if outcome == "refused":
        with pytest.raises(SinkSchemaError, match="missing in the table: w"):
            commit(sink, staging, "b:0", rows(id=[2], v=["b"], w=[True]), first, schema_change=policy)
        return
    commit(sink, staging, "b:0", rows(id=[2], v=["b"], w=[True]), first, schema_change=policy)
    after = {"added": [(1, "a", None), (2, "b", True)], "left out": [(1, "a"), (2, "b")]}[outcome]
    assert rows_of(database, schema) == after


def test_a_column_that_the_unit_no_longer_has_keeps_its_values(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1, 2], v=["a", "b"]), None)
    with pytest.raises(SinkSchemaError, match="unknown to the unit: v"):
        commit(sink, staging, "b:0", rows(id=[1, 3]), first)
    commit(sink, staging, "b:0", rows(id=[1, 3]), first, schema_change="evolve")
    assert rows_of(database, schema) == [(1, "a"), (2, "b"), (3, None)]


@pytest.mark.parametrize(
    ("before", "after", "type_"),
    [
        (pa.int16(), pa.int64(), "bigint"),
        (pa.int64(), pa.int16(), "bigint"),
        (pa.float32(), pa.float64(), "double precision"),
        (pa.decimal128(6, 2), pa.decimal128(8, 3), "numeric(8,3)"),
        (pa.decimal128(6, 0), pa.decimal128(4, 3), "numeric(9,3)"),
        (pa.int32(), pa.decimal128(4, 2), "numeric(12,2)"),
    ],
)
def test_a_column_is_widened_where_nothing_is_lost(sink, staging, database, schema, before, after, type_):
    first = commit(sink, staging, "a:0", rows(id=[1], v=number(7, before)), None)
    made = commit(sink, staging, "b:0", rows(id=[2], v=number(8, after)), first, schema_change="evolve")
    assert {field.name: field.type for field in made.output.fields}["v"] == type_
    assert rows_of(database, schema) == [(1, 7), (2, 8)]


def number(value, type_):
    return pa.array([Decimal(value) if pa.types.is_decimal(type_) else value], type_)


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("integer", pa.array([1.5])),
        ("double precision", pa.array([2**53 + 1])),
        ("timestamp(3)", pa.array([datetime(2013, 1, 1)], pa.timestamp("us"))),  # noqa: DTZ001
        ("timestamp", pa.array([datetime(2013, 1, 1, tzinfo=UTC)])),
        ("boolean", pa.array(["true"])),
    ],
)
@pytest.mark.parametrize("policy", ["freeze", "evolve"])
def test_a_column_that_would_round_or_guess_is_refused(sink, staging, database, schema, declared, values, policy):
    database.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.events (id bigint PRIMARY KEY, v {declared})")
    with pytest.raises(SinkSchemaError, match=r"of another type: v"):
        commit(sink, staging, "a:0", rows(id=[1], v=values), None, schema_change=policy)


def test_a_smaller_scale_is_refused_unless_the_table_may_evolve(sink, staging, database, schema):
    database.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.events (id bigint PRIMARY KEY, v numeric(10,2))")
    batch = rows(id=[1], v=[Decimal("1.234")])
    with pytest.raises(SinkSchemaError, match=r"of another type: v \(numeric\(10,2\) instead of numeric\(4,3\)\)"):
        commit(sink, staging, "a:0", batch, None)
    commit(sink, staging, "a:0", batch, None, schema_change="evolve")
    assert rows_of(database, schema) == [(1, Decimal("1.234"))]


def test_a_table_that_somebody_else_made_is_written_as_it_is(sink, staging, database, schema):
    database.execute(
        f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.events ("
        "id uuid UNIQUE, body jsonb, short varchar(3), loaded_at timestamptz DEFAULT '2013-01-01Z')"
    )
    number = "0B5B9C5E-7C7C-4A3D-9D3C-2A6F1E2D3C4B"
    batch = rows(id=[number.lower(), number], body=['{"a": 1}', '{"a": 2}'], short=["abc", "äöü"])
    made = commit(sink, staging, "a:0", batch, None)
    assert made.rows_written == 1
    ((key, body, short, loaded_at),) = rows_of(database, schema)
    assert (str(key), body, short, loaded_at.year) == (number.lower(), {"a": 2}, "äöü", 2013)


def test_a_merge_into_a_table_without_that_key_is_refused(sink, staging, database, schema):
    commit(sink, staging, "a:0", rows(id=[1], v=["a"]), None, "append")
    with pytest.raises(SinkSchemaError, match=r"exactly \(id\)") as caught:
        commit(sink, staging, "b:0", rows(id=[1], v=["b"]), sink.last_commit(UNIT, "events"))
    assert (caught.value.code, caught.value.field) == ("SINK_KEY_MISSING", "unit.primaryKey")


def test_names_that_the_server_would_cut_off_are_refused(sink, staging):
    with pytest.raises(ConfigurationError):
        commit(sink, staging, "a:0", rows(id=[1]), None, target="t" * 64)
    with pytest.raises(SinkSchemaError):
        commit(sink, staging, "a:0", rows(id=[1], **{"c" * 64: [1]}), None)


def test_the_control_row_carries_run_unit_batch_and_record(sink, staging, database, schema):
    made = commit(sink, staging, "run-1:0", rows(id=[1], v=["a"]), None)
    with psycopg.connect(database.url) as connection:
        found = connection.execute(
            f"SELECT number::text, target, unit_key, batch_id, run_id, rows_written, record "
            f"FROM {schema}_control.commits".encode()
        ).fetchall()
    assert found == [
        (made.output.version, f'["{schema}", "events"]', UNIT, "run-1:0", "run-1", 1, made.record.to_wire())
    ]
