"""The source against a real server: exact values, one snapshot, typed errors."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import (
    ConfigurationError,
    DataError,
    IngestionError,
    RunCancelledError,
    SourceUnreachableError,
)
from runtime_common.protocols import ReadRequest
from runtime_common.spark import SparkEngine


def source(database, /, **changes):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config(**changes))
    return EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)


def request(table, cursor=None, **more):
    return ReadRequest(object={"table": table}, cursor_field=cursor, **more)


def read_all(database, table, cursor=None, lower=None, **more):
    with source(database).open(request(table, cursor, **more), Cancellation()) as read:
        return read, pa.Table.from_batches(list(read.batches(lower=lower, upper=read.upper_bound)), read.schema)


def test_values_arrive_exactly(database):
    database.execute(
        """CREATE TABLE exact (i2 int2, i8 int8, d numeric(20, 4), free numeric, f4 float4, f8 float8, b bool,
           t text, bin bytea, day date, naive timestamp, zoned timestamptz, u uuid, j jsonb, arr int[], tm time)"""
    )
    database.execute(
        """INSERT INTO exact VALUES (-7, 9223372036854775807, 1234567890123456.7890, 1.2345678901234567890123456789,
           0.1, 0.1, true, 'ä', '\\x00ff', '1969-12-31', '2013-01-01 00:00:00.000001', '2013-01-01 00:00:00.123456-05',
           '00000000-0000-0000-0000-000000000001', '{"a": 9007199254740993}', '{1,2}', '23:59:59.999999')"""
    )
    _, table = read_all(database, "exact")
    assert table.to_pylist() == [
        {
            "i2": -7,
            "i8": 9223372036854775807,
            "d": Decimal("1234567890123456.7890"),
            "free": "1.2345678901234567890123456789",
            "f4": pytest.approx(0.1, abs=1e-7),
            "f8": 0.1,
            "b": True,
            "t": "ä",
            "bin": b"\x00\xff",
            "day": date(1969, 12, 31),
            "naive": datetime(2013, 1, 1, 0, 0, 0, 1),  # noqa: DTZ001
            "zoned": datetime(2013, 1, 1, 5, 0, 0, 123456, tzinfo=UTC),
            "u": "00000000-0000-0000-0000-000000000001",
            "j": '{"a": 9007199254740993}',
            "arr": "{1,2}",
            "tm": "23:59:59.999999",
        }
    ]
    assert table.schema.field("d").type == pa.decimal128(20, 4)


def test_a_nan_that_no_decimal_can_hold_names_its_column(database):
    database.execute("CREATE TABLE nan_values (d numeric(10, 2)); INSERT INTO nan_values VALUES ('NaN')")
    with pytest.raises(DataError) as caught:
        read_all(database, "nan_values")
    assert (caught.value.code, caught.value.field) == ("VALUE_NOT_REPRESENTABLE", "d")


def test_the_stream_shows_the_moment_of_opening_not_of_reading(database):
    database.execute("CREATE TABLE moving AS SELECT n AS id, n AS at FROM generate_series(1, 10) n")
    with source(database).open(request("moving", "at"), Cancellation()) as read:
        database.execute("INSERT INTO moving VALUES (11, 5); DELETE FROM moving WHERE id = 3")
        batches = list(read.batches(lower=None, upper=read.upper_bound))
    assert sorted(pa.Table.from_batches(batches)["id"].to_pylist()) == list(range(1, 11))


def test_the_bounds_are_inclusive_and_the_order_is_that_of_the_cursor(database):
    database.execute("CREATE TABLE ordered AS SELECT (n * 7) % 100 AS at FROM generate_series(1, 100) n")
    _, table = read_all(database, "ordered", "at", lower="95")
    assert table["at"].to_pylist() == [95, 96, 97, 98, 99]


def test_texts_are_ordered_by_code_point_whatever_the_collation(database):
    database.execute(
        "CREATE TABLE words (at text COLLATE \"und-x-icu\"); INSERT INTO words VALUES ('b'), ('A'), ('a'), ('B')"
    )
    read, table = read_all(database, "words", "at")
    assert (read.upper_bound, table["at"].to_pylist()) == ("b", ["A", "B", "a", "b"])


def test_a_lag_holds_the_upper_bound_back(database):
    database.execute(
        "CREATE TABLE lagging (at timestamptz); INSERT INTO lagging VALUES (now()), (now() - interval '2 hours')"
    )
    _, table = read_all(database, "lagging", "at", lag_seconds=3600)
    assert table.num_rows == 1


@pytest.mark.parametrize("value", ["infinity", "-infinity"])
def test_an_infinite_cursor_is_refused_before_it_hides_later_rows(database, value):
    database.execute(
        f"DROP TABLE IF EXISTS endless; CREATE TABLE endless (at timestamptz); INSERT INTO endless VALUES ('{value}')"
    )
    with pytest.raises(DataError) as caught:
        read_all(database, "endless", "at")
    assert caught.value.code == "CURSOR_NOT_FINITE"


@pytest.mark.parametrize(
    ("declared", "value", "code"),
    [
        ("timestamptz", "12000-01-01", "CURSOR_OUT_OF_RANGE"),
        ("timestamp", "12000-01-01", "CURSOR_OUT_OF_RANGE"),
        ("date", "12000-01-01", "CURSOR_OUT_OF_RANGE"),
        ("text", "", "CURSOR_EMPTY"),
    ],
)
def test_a_highest_value_that_can_be_no_watermark_names_its_column(database, declared, value, code):
    database.execute(f"DROP TABLE IF EXISTS far; CREATE TABLE far (at {declared}); INSERT INTO far VALUES ('{value}')")
    with pytest.raises(DataError, match="'at'") as caught:
        read_all(database, "far", "at")
    assert (caught.value.code, caught.value.field) == (code, "at")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"password": "wrong-password"}, "SOURCE_AUTHENTICATION_FAILED", "source.config.password"),
        ({"database": "no_such_database"}, "SOURCE_DATABASE_MISSING", "source.config.database"),
        ({"sslMode": "require"}, "SOURCE_TLS_FAILED", "source.config.sslMode"),
        ({"port": 1}, "SOURCE_UNREACHABLE", "source.config.host"),
        ({"host": "no-such-host.invalid"}, "SOURCE_UNREACHABLE", "source.config.host"),
    ],
)
def test_a_refused_connection_names_the_field_at_fault(database, changes, code, field):
    with pytest.raises(IngestionError) as caught:
        source(database, **changes).open(request("any"), Cancellation())
    assert (caught.value.code, caught.value.field) == (code, field)
    assert "wrong-password" not in str(caught.value)
    assert caught.value.retryable == (code == "SOURCE_UNREACHABLE")


@pytest.mark.parametrize(
    ("object_", "cursor", "code", "field"),
    [
        ({"table": "no_such_table"}, None, "SOURCE_TABLE_MISSING", "source.object.table"),
        ({"schema": "nowhere", "table": "x"}, None, "SOURCE_SCHEMA_MISSING", "source.object.schema"),
        ({"table": "things"}, "no_such_column", "SOURCE_COLUMN_MISSING", "unit.cursorField"),
        ({"table": "things"}, "f", "CURSOR_TYPE_UNSUPPORTED", "unit.cursorField"),
        ({"tables": "things"}, None, "INVALID_CONFIG", "source.object.tables"),
    ],
)
def test_a_missing_object_names_the_field_at_fault(database, object_, cursor, code, field):
    database.execute("CREATE TABLE IF NOT EXISTS things (id int, f float8)")
    with pytest.raises(IngestionError) as caught:
        source(database).open(ReadRequest(object=object_, cursor_field=cursor), Cancellation())
    assert (caught.value.code, caught.value.field, caught.value.retryable) == (code, field, False)


def test_a_user_without_rights_is_told_so(database):
    role = f"reader_{uuid.uuid4().hex}"
    database.execute(f"CREATE TABLE closed (id int); CREATE ROLE {role} LOGIN PASSWORD 'pass-word-1'")
    try:
        with (
            pytest.raises(IngestionError) as caught,
            source(database, user=role, password="pass-word-1").open(request("closed"), Cancellation()) as read,
        ):
            list(read.batches(lower=None, upper=None))
        assert (caught.value.code, caught.value.field) == ("SOURCE_ACCESS_DENIED", "source.object.table")
    finally:
        database.execute(f"DROP ROLE {role}")


def test_a_connection_that_the_server_ends_is_worth_another_attempt(database):
    database.execute(
        "CREATE TABLE IF NOT EXISTS many AS SELECT n AS id, repeat('x', 200) AS t FROM generate_series(1, 400000) n"
    )
    with source(database).open(request("many"), Cancellation()) as read:
        batches = read.batches(lower=None, upper=None)
        next(batches)
        with psycopg.connect(database.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        with pytest.raises(SourceUnreachableError) as caught:
            list(batches)
    assert caught.value.code == "SOURCE_CONNECTION_LOST"


def test_a_cancellation_interrupts_a_query_that_yields_nothing(database):
    database.execute("CREATE OR REPLACE VIEW slow AS SELECT pg_sleep(60)::text AS t")
    cancellation = Cancellation()
    with source(database).open(request("slow"), cancellation) as read:
        watcher = threading.Thread(target=_cancel_once_sleeping, args=(database.url, cancellation))
        watcher.start()
        with pytest.raises(RunCancelledError):
            list(read.batches(lower=None, upper=None))
        watcher.join()


def _cancel_once_sleeping(url, cancellation):
    with psycopg.connect(url, autocommit=True) as admin:
        running = 0
        while not running:
            row = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchone()
            running = row[0] if row else 0
    cancellation.cancel()


def test_an_unknown_config_field_is_refused(database):
    with pytest.raises(ConfigurationError) as caught:
        source(database, passwort="x")
    assert caught.value.field == "source.config.passwort"
