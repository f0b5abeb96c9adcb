"""The engine spark: several connections in one snapshot, the same values as by the other engine."""

from __future__ import annotations

import threading

import psycopg
import pyarrow as pa
import pytest

from runtime_common.bad_rows import BadRows
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.postgres_spark import _by_place
from runtime_common.exceptions import IngestionError, RunCancelledError
from runtime_common.protocols import ReadRequest
from tests.support.units import parquet_unit

ROWS = 20_000


@pytest.fixture(scope="module")
def pages(database):
    """A table of many pages."""
    database.execute(
        f"""CREATE TABLE many AS
            SELECT n AS id, n / 10 AS at, repeat('x', 100) AS t FROM generate_series(1, {ROWS}) n"""
    )
    return database


def opened(database, spark, selected, cursor=None, engine="spark", cancellation=None, **more):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config())
    source = EndpointFactory(secret_key=None, spark=spark).source(ref)
    request = ReadRequest(object=selected, cursor_field=cursor, engine=engine, **more)
    return source.open(request, cancellation or Cancellation())


def rows(read, lower=None):
    return pa.Table.from_batches(list(read.batches(lower=lower, upper=read.upper_bound)), read.schema)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
def test_the_partitions_of_a_table_leave_no_page_out(count):
    conditions = _by_place(count)
    if count < 2:
        assert conditions == ["true"]
        return
    begins = [one.split("'")[1] for one in conditions]
    ends = [one.split("'")[3] for one in conditions[:-1]]
    assert begins[0] == "(0,0)"
    assert begins[1:] == ends
    assert "<" not in conditions[-1]


def test_both_engines_deliver_the_same(pages, spark):
    pages.execute(
        """CREATE TYPE mood AS ENUM ('so so');
           CREATE TABLE typed ("a B.c`%" int2, b bool, f float4, d float8, n numeric(20, 4), free numeric, t text,
             v varchar(9), c char(4), bin bytea, day date, naive timestamp, zoned timestamptz, tm time, j json,
             arr int[],             u uuid, m mood, cash money, i interval, r tstzrange);
           INSERT INTO typed VALUES (-7, true, 0.1, '-0', 1234567890123456.7890, 1e-30, 'ä', 'v ', 'ab', '\\x00ff',
             '4713-01-01 BC', '294246-12-31 23:59:59.999999', '0044-03-15 12:00:00.000001Z BC', '24:00', '{"a":  1.0}',
             '{1,NULL}', '00000000-0000-0000-0000-000000000001', 'so so', 1.5, '-1 mon', '[2013-01-01Z,)');
           INSERT INTO typed (b) VALUES (false), (NULL)"""
    )
    with (
        opened(pages, spark, {"table": "typed"}) as by_spark,
        opened(pages, spark, {"table": "typed"}, engine="arrow") as by_driver,
    ):
        assert (by_spark.engine, by_driver.engine) == ("spark", "adbc")
        assert rows(by_spark).equals(rows(by_driver))


def test_bad_rows_are_the_same_by_both_engines(pages, spark):
    values = "('infinity'::timestamptz, '-infinity'::date), ('294276-12-31', 'infinity'), ('-infinity', NULL)"
    found = []
    for engine in ("spark", "arrow"):
        rejected = BadRows(policy="quarantine", limit=10)
        query = f"SELECT * FROM (VALUES {values}) v(a, b)"
        with opened(pages, spark, {"query": query}, engine=engine, bad_rows=rejected) as read:
            assert rows(read).num_rows == 0
        found.append(rejected.take())
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_all_partitions_read_the_snapshot_of_the_opening(pages, spark):
    with opened(pages, spark, {"table": "many"}) as read:
        pages.execute("DELETE FROM many WHERE id <= 100; INSERT INTO many VALUES (0, 0, 'late')")
        found = rows(read)["id"].to_pylist()
    pages.execute(
        "DELETE FROM many WHERE id = 0; INSERT INTO many SELECT n, n / 10, 'x' FROM generate_series(1, 100) n"
    )
    assert sorted(found) == list(range(1, ROWS + 1))


def test_an_incremental_unit_moves_its_checkpoint_at_the_end_only(pages, spark, tmp_path):
    unit = parquet_unit(pages, tmp_path, "many", spark=spark, policy={"engine": "spark", "sliceRows": 100})
    first = unit.run()
    assert (first.stats.engine, first.stats.rows_written, first.stats.slices) == ("spark", ROWS, 1)
    assert unit.run().new_checkpoint is None
    pages.execute(f"INSERT INTO many VALUES ({ROWS + 1}, {ROWS // 10}, 'late'), ({ROWS + 2}, {ROWS}, 'next')")
    # Another engine goes on from the same checkpoint.
    second = unit.changed(policy={"engine": "arrow"}).run()
    assert (second.stats.engine, second.stats.rows_written, second.stats.rows_skipped_at_watermark) == ("adbc", 2, 1)
    pages.execute(f"DELETE FROM many WHERE id > {ROWS}")
    unit.staging.close()


def test_a_failure_on_the_server_is_typed(pages, spark):
    with (
        pytest.raises(IngestionError, match="division by zero") as caught,
        opened(pages, spark, {"query": "SELECT 1 / (id - 5) AS a FROM many"}) as read,
    ):
        rows(read)
    assert (caught.value.code, caught.value.field, caught.value.category) == (
        "SOURCE_FAILED", "source.object.query", "source",
    )  # fmt: skip


def test_a_cancellation_ends_the_jobs(pages, spark):
    cancellation = Cancellation()

    def cancel_once_sleeping():
        with psycopg.connect(pages.url, autocommit=True) as admin:
            sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            while admin.execute(sleeping).fetchone() == (0,):
                pass
        cancellation.cancel()

    watcher = threading.Thread(target=cancel_once_sleeping)
    watcher.start()
    with (
        pytest.raises(RunCancelledError),
        opened(pages, spark, {"query": "SELECT pg_sleep(60)::text AS t"}, cancellation=cancellation) as read,
    ):
        rows(read)
    watcher.join()


def test_auto_takes_spark_for_a_full_read_of_a_large_table_by_a_large_worker(pages, spark, monkeypatch):
    def engine(selected=None, cursor=None):
        with opened(pages, spark, selected or {"table": "many"}, cursor, engine="auto") as read:
            return read.engine

    assert engine() == "adbc"
    monkeypatch.setattr("runtime_common.endpoints.postgres_spark._AUTO_BYTES", 1024 * 1024)
    monkeypatch.setattr("runtime_common.endpoints.postgres_spark.os.cpu_count", lambda: 8)
    assert engine() == "spark"
    assert (engine(cursor="at"), engine({"query": "SELECT * FROM many"})) == ("adbc", "adbc")
    monkeypatch.setattr("runtime_common.endpoints.postgres_spark.os.cpu_count", lambda: 2)
    assert engine() == "adbc"
