"""Servers and networks that break in mid-read, and sources that change between runs: one typed error each."""

from __future__ import annotations

import secrets

import duckdb
import psycopg
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import CheckpointMismatchError, IngestionError
from runtime_common.protocols import ReadRequest
from runtime_common.spark import SparkEngine
from tests.support.postgres_cluster import running_postgres
from tests.support.tcp_proxy import tcp_proxy
from tests.support.units import Database, parquet_unit

# Rows of about 1 KB: more than sockets and read-ahead hold between them.
ROWS = 60_000
WIDE = f"CREATE TABLE wide AS SELECT n AS id, n AS at, repeat('x', 1000) AS t FROM generate_series(1, {ROWS}) n"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def wide(database):
    database.execute(WIDE)
    return database


@pytest.fixture
def proxy(wide):
    with tcp_proxy(wide.config()["host"], wide.config()["port"]) as running:
        yield running


def source(database, /, **changes):
    config = database.config(fetchMegabytes=1, **changes)
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=config)
    return EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)


def failure(database, /, selected=None, **changes):
    """Return how a read of the whole object fails."""
    request = ReadRequest(object=selected or {"table": "wide"}, cursor_field=None)
    with pytest.raises(IngestionError) as caught, source(database, **changes).open(request, Cancellation()) as read:
        for _ in read.batches(lower=None, upper=None):
            pass
    return caught.value


def delivered(unit):
    files = f"{unit.sink_config['directory']}/{unit.target}/*.parquet"
    return duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet('{files}')").fetchone()


@pytest.mark.parametrize("action", ["reset", "truncate"])
def test_a_connection_that_breaks_in_mid_read_is_worth_another_attempt(wide, proxy, action):
    proxy.after(5 * MEGABYTE, action)
    error = failure(wide, host="127.0.0.1", port=proxy.port)
    assert (error.code, error.retryable) == ("SOURCE_CONNECTION_LOST", True)
    assert proxy.limit_reached.is_set()


def test_a_network_that_stands_still_in_mid_read_ends_at_the_read_timeout(wide, proxy, monkeypatch):
    monkeypatch.setattr("runtime_common.read_ahead._FAREWELL_SECONDS", 0.1)
    proxy.after(5 * MEGABYTE, "stall")
    error = failure(wide, host="127.0.0.1", port=proxy.port, readTimeoutSeconds=1)
    assert (error.code, error.field, error.retryable) == (
        "SOURCE_READ_TIMEOUT", "source.config.readTimeoutSeconds", True,
    )  # fmt: skip


def test_a_network_that_stands_still_before_the_first_row_ends_at_the_read_timeout(wide, proxy):
    # The login needs less than this, the questions to the catalogue more.
    proxy.after(1000, "stall")
    error = failure(wide, host="127.0.0.1", port=proxy.port, readTimeoutSeconds=1)
    assert (error.code, error.retryable) == ("SOURCE_READ_TIMEOUT", True)


@pytest.mark.parametrize("action", ["reset", "truncate", "stall"])
def test_a_run_that_breaks_keeps_its_slices_and_the_next_one_goes_on(wide, proxy, tmp_path, monkeypatch, action):
    monkeypatch.setattr("runtime_common.read_ahead._FAREWELL_SECONDS", 0.1)
    proxy.after(30 * MEGABYTE, action)
    through = wide.config(port=proxy.port, host="127.0.0.1", fetchMegabytes=1, readTimeoutSeconds=1)
    unit = parquet_unit(wide, tmp_path, "wide", policy={"sliceRows": 5_000})
    with pytest.raises(IngestionError):
        unit.changed(source=through).run()
    before, _ = delivered(unit)
    assert 0 < before < ROWS
    unit.run()
    assert delivered(unit) == (ROWS, ROWS)
    unit.staging.close()


def test_a_server_that_is_killed_in_mid_read_and_comes_back(tmp_path):
    with running_postgres() as cluster:
        database = Database(cluster.url)
        database.execute(WIDE)
        request = ReadRequest(object={"table": "wide"}, cursor_field=None)
        with source(database).open(request, Cancellation()) as read:
            batches = read.batches(lower=None, upper=None)
            next(batches)
            cluster.server.kill()
            with pytest.raises(IngestionError) as caught:
                list(batches)
        assert (caught.value.code, caught.value.retryable) == ("SOURCE_CONNECTION_LOST", True)
        assert failure(database).code == "SOURCE_UNREACHABLE"


@pytest.fixture
def role(wide):
    name = f"reader_{secrets.token_hex(4)}"
    wide.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pass-word-1'; GRANT SELECT ON wide TO {name}")
    yield name
    wide.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_statement_timeout_of_the_user_is_named(wide, role):
    wide.execute(f"ALTER ROLE {role} SET statement_timeout = '300ms'")
    error = failure(wide, {"query": "SELECT pg_sleep(60)::text AS t"}, user=role, password="pass-word-1")
    assert (error.code, error.field, error.retryable) == ("SOURCE_STATEMENT_TIMEOUT", "source.config.user", True)


def test_a_password_that_expires_and_a_right_that_is_revoked_between_runs(wide, role, tmp_path):
    login = wide.config(user=role, password="pass-word-1")
    unit = parquet_unit(wide, tmp_path, "wide", source=login)
    assert unit.run().stats.rows_written == ROWS
    checkpoint = unit.checkpoint
    for change, code, field in (
        (f"ALTER ROLE {role} VALID UNTIL '2001-01-01'", "SOURCE_AUTHENTICATION_FAILED", "source.config.password"),
        (f"ALTER ROLE {role} VALID UNTIL 'infinity'; REVOKE SELECT ON wide FROM {role}", "SOURCE_ACCESS_DENIED",
         "source.object.table"),
    ):  # fmt: skip
        wide.execute(change)
        with pytest.raises(IngestionError) as caught:
            unit.run()
        assert (caught.value.code, caught.value.field, caught.value.retryable) == (code, field, False)
        assert unit.checkpoint == checkpoint
    wide.execute(f"GRANT SELECT ON wide TO {role}")
    assert unit.run().new_checkpoint is None
    unit.staging.close()


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ("DROP TABLE events", IngestionError, "SOURCE_TABLE_MISSING"),
        ("ALTER TABLE events DROP COLUMN at", IngestionError, "SOURCE_COLUMN_MISSING"),
        ("ALTER TABLE events DROP COLUMN note", CheckpointMismatchError, "SCHEMA_CHANGED"),
        ("ALTER TABLE events ALTER COLUMN note TYPE varchar(9)", CheckpointMismatchError, "SCHEMA_CHANGED"),
        ("ALTER TABLE events ALTER COLUMN at TYPE text", CheckpointMismatchError, "CHECKPOINT_MISMATCH"),
    ],
)
def test_what_vanishes_or_changes_its_type_between_runs(database, tmp_path, change, kind, code):
    database.execute("DROP TABLE IF EXISTS events; CREATE TABLE events (id int, at int, note text)")
    database.execute("INSERT INTO events VALUES (1, 1, 'a')")
    unit = parquet_unit(database, tmp_path)
    unit.run()
    checkpoint = unit.checkpoint
    database.execute(change)
    with pytest.raises(kind) as caught:
        unit.run()
    assert (caught.value.code, caught.value.retryable, unit.checkpoint) == (code, False, checkpoint)
    unit.staging.close()


def test_a_table_that_is_dropped_while_it_is_read_waits(wide):
    wide.execute("CREATE TABLE doomed AS SELECT n AS id FROM generate_series(1, 1000) n")
    request = ReadRequest(object={"table": "doomed"}, cursor_field=None)
    with source(wide).open(request, Cancellation()) as read:
        with psycopg.connect(wide.url, autocommit=True) as other:
            other.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("DROP TABLE doomed")
        assert sum(batch.num_rows for batch in read.batches(lower=None, upper=None)) == 1000
    wide.execute("DROP TABLE doomed")
