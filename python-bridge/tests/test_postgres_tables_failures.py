"""What PostgreSQL tables hold when rows are refused, attempts race, sessions break, and the process dies."""

from __future__ import annotations

import json
import secrets
import threading
import uuid

import psycopg
import pyarrow as pa
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.postgres_tables import row_faults, slice_commit
from runtime_common.exceptions import (
    DataError,
    RowsRejectedError,
    RunCancelledError,
    SinkError,
    SupersededError,
)
from runtime_common.staging import LocalDirectoryStaging
from tests.support.postgres_tables import UNIT, commit, rows_of, sink_of
from tests.support.sink_kinds import POSTGRES_TABLES
from tests.support.slices import rows
from tests.support.unit_process import Ended, Job, Stopped, UnitProcesses
from tests.support.units import Unit


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


@pytest.fixture
def processes():
    with UnitProcesses() as started:
        yield started


def make(database, schema, columns):
    database.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.events ({columns})")


def refused(sink, staging, batch, mode="append", **changes):
    with pytest.raises(RowsRejectedError) as caught:
        commit(sink, staging, "a:0", batch, None, mode, **changes)
    return {position: (row.code, row.field) for position, row in caught.value.rejected.items()}


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        ("v varchar(3)", ["abc", "abcd", None, "x   "], {1: ("VALUE_TOO_LONG", "v"), 3: ("VALUE_TOO_LONG", "v")}),
        ("v text", ["a", "b\0", None], {1: ("TEXT_HOLDS_NUL", "v")}),
        ("v text NOT NULL", ["a", None, "c"], {1: ("VALUE_MISSING", "v")}),
        ("v bigint CHECK (v > 0)", [1, -1, 2, -2], {1: ("CHECK_FAILED", None), 3: ("CHECK_FAILED", None)}),
        ("v smallint", [1, 2**15, 2], {1: ("VALUE_OUT_OF_RANGE", "v")}),
        ("v numeric(3,1)", [1, 100, 2], {1: ("VALUE_OUT_OF_RANGE", "v")}),
        ("v jsonb", ["{}", "{", "[]"], {1: ("VALUE_UNREADABLE", "v")}),
        ("v bigint UNIQUE", [1, 2, 1, 3, 2], {2: ("KEY_TAKEN", None), 4: ("KEY_TAKEN", None)}),
        ("v bigint UNIQUE DEFERRABLE INITIALLY DEFERRED", [1, 1], {1: ("KEY_TAKEN", None)}),
    ],
)
def test_rows_that_a_table_refuses_are_found_and_nothing_is_written(
    sink, staging, database, schema, columns, values, expected
):
    make(database, schema, f"id bigint, {columns}")
    batch = rows(id=list(range(len(values))), v=values)
    assert refused(sink, staging, batch) == expected
    assert rows_of(database, schema) == []
    assert sink.last_commit(UNIT, "events") is None


def test_times_that_a_column_cant_hold_are_refused_by_row(sink, staging):
    nanoseconds = rows(id=[1, 2], v=pa.array([1_000, 1_001], pa.timestamp("ns")))
    assert refused(sink, staging, nanoseconds) == {1: ("VALUE_TOO_FINE", "v")}
    far = rows(id=[1, 2, 3], v=pa.array([0, 2**62, -(2**62)], pa.int64()).cast(pa.timestamp("us")))
    assert refused(sink, staging, far) == {2: ("VALUE_OUT_OF_RANGE", "v")}


def test_a_nul_within_a_list_is_found(sink, staging):
    batch = rows(id=[1, 2, 3], v=[["a"], None, ["b", "c\0"]])
    assert refused(sink, staging, batch) == {2: ("TEXT_HOLDS_NUL", "v")}


def test_a_merge_refuses_rows_without_a_key_and_those_that_only_then_come_to_light(sink, staging, database, schema):
    make(database, schema, "id bigint PRIMARY KEY, v bigint CHECK (v > 0)")
    # The row of key 1 before the last one is only written when the last one is out of the way.
    batch = rows(id=[1, 1, None, 2, 1], v=[5, -1, 3, 4, -2])
    assert refused(sink, staging, batch, "merge") == {
        1: ("CHECK_FAILED", None),
        2: ("KEY_IS_NULL", "id"),
        4: ("CHECK_FAILED", None),
    }


def test_reasons_hold_no_values_and_the_row_is_kept_for_the_quarantine(sink, staging, database, schema):
    make(database, schema, "id bigint, v jsonb, CONSTRAINT even CHECK (id % 2 = 0)")
    batch = rows(id=[2, 3], v=["c4n4ry", "[]"])
    with pytest.raises(RowsRejectedError) as caught:
        commit(sink, staging, "a:0", batch, None, "append")
    assert [row.reason for row in caught.value.rejected.values()] == [
        "a text is no value of its column's type (v)",
        "a check of the table is not fulfilled (constraint even)",
    ]
    assert "c4n4ry" not in str(caught.value)
    assert json.loads(caught.value.rejected[0].row) == {"id": 2, "v": "c4n4ry"}


@pytest.mark.parametrize("values", [list(range(100)), ["\0"] * 100])
def test_a_slice_of_bad_rows_alone_is_given_up(sink, staging, database, schema, monkeypatch, values):
    monkeypatch.setattr(row_faults, "MAX_REFUSED_ROWS", 3)
    make(database, schema, f"id {'bigint CHECK (id < 0)' if values[0] == 0 else 'text'}")
    with pytest.raises(DataError) as caught:
        commit(sink, staging, "a:0", rows(id=values), None, "append")
    assert caught.value.code == "TOO_MANY_BAD_ROWS"


def unit_of(database, folder, schema, **changes):
    return Unit(
        source=database.config(),
        sink_template="jdbc_postgres_tables",
        sink_config=database.config(schema=schema),
        staging=LocalDirectoryStaging(folder / "staging"),
        table="things",
        metadata_root=folder / "metadata",
        write_mode="merge",
    ).changed(**changes)


def fill(database):
    database.execute("DROP TABLE IF EXISTS things; CREATE TABLE things (id int, at timestamptz, note text)")
    database.execute("INSERT INTO things SELECT n, to_timestamp(n), 'note ' || n FROM generate_series(1, 6) n")


def test_refused_rows_of_a_unit_are_in_the_quarantine_and_the_others_in_the_table(database, tmp_path, schema):
    fill(database)
    make(database, schema, "id int PRIMARY KEY, at timestamptz, note text CHECK (note <> 'note 3')")
    unit = unit_of(database, tmp_path, schema, policy={"badRows": "quarantine", "sliceRows": 2})
    stats = unit.run().stats
    assert (stats.rows_written, stats.rows_quarantined) == (5, 1)
    assert rows_of(database, schema, columns="id") == [(1,), (2,), (4,), (5,), (6,)]
    ((code, row),) = rows_of(database, schema, "events_quarantine", 'code, "row"')
    assert (code, json.loads(row)["note"]) == ("CHECK_FAILED", "note 3")
    assert unit.run().stats.rows_written == 0
    unit.staging.close()


@pytest.mark.parametrize("point", POSTGRES_TABLES.failpoints)
def test_a_death_at_any_step_leaves_a_whole_commit_or_none(database, processes, tmp_path, schema, point):
    fill(database)
    unit = unit_of(database, tmp_path, schema, policy={"sliceRows": 3})
    run_id = uuid.uuid4()
    died = processes.run(job_of(unit, tmp_path, run_id, f"{point}@2"))
    assert died == Ended(None, None)
    assert len(rows_of(database, schema)) == (6 if point.endswith("after-commit") else 3)
    ended = processes.run(job_of(unit, tmp_path, run_id, ""))
    assert isinstance(ended, Ended)
    assert ended.result is not None
    assert (ended.result.stats.rows_written, len(rows_of(database, schema))) == (6, 6)


def job_of(unit, folder, run_id, failpoints):
    return Job(
        request=unit.request(run_id).to_wire(),
        staging=str(folder / "staging"),
        metadata=str(folder / "metadata"),
        outcome=str(folder / "outcome.json"),
        failpoints=failpoints,
    )


def test_a_worker_that_stands_still_within_a_commit_does_not_keep_the_next_one_from_it(
    database, processes, tmp_path, schema
):
    fill(database)
    sink_config = database.config(schema=schema, idleTimeoutSeconds=1)
    unit = unit_of(database, tmp_path, schema, sink_config=sink_config)
    stopped = processes.run(job_of(unit, tmp_path, uuid.uuid4(), "postgres-tables.before-commit=stop"))
    assert isinstance(stopped, Stopped)
    assert unit.run().stats.rows_written == 6
    assert processes.resume(stopped) == Ended(None, "SINK_CONNECTION_LOST")
    assert len(rows_of(database, schema)) == 6
    unit.staging.close()


@pytest.mark.parametrize("mode", ["append", "merge", "overwrite"])
def test_of_two_racing_attempts_one_commits_and_both_see_it(sink, staging, database, schema, mode):
    first = commit(sink, staging, "a:0", rows(id=[1]), None, mode)
    meet = threading.Barrier(4)
    outcomes = []

    def attempt():
        meet.wait()
        outcomes.append(commit(sink, staging, "b:0", rows(id=[2, 3]), first, mode))

    run_together(attempt, 4)
    assert outcomes == [sink.last_commit(UNIT, "events")] * 4
    assert rows_of(database, schema) == ([(2,), (3,)] if mode == "overwrite" else [(1,), (2,), (3,)])


def test_of_racing_attempts_with_other_batches_one_commits(sink, staging, database, schema):
    meet = threading.Barrier(4)
    outcomes: list[object] = []

    def attempt():
        meet.wait()
        batch_id = f"{threading.get_ident()}:0"
        try:
            outcomes.append(commit(sink, staging, batch_id, rows(id=[1, 2]), None, "append"))
        except SupersededError as error:
            outcomes.append(error)

    run_together(attempt, 4)
    assert [one for one in outcomes if not isinstance(one, SupersededError)] == [sink.last_commit(UNIT, "events")]
    assert rows_of(database, schema) == [(1,), (2,)]


def run_together(work, number):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def waiting_for_a_lock(database, act):
    """Call ``act`` once some session of the database waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def watch():
        with psycopg.connect(database.url, autocommit=True) as connection:
            while connection.execute(query).fetchone() == (0,):
                pass
            act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_cancellation_reaches_a_commit_that_waits_for_a_lock(sink, staging, database, schema):
    first = commit(sink, staging, "a:0", rows(id=[1]), None)
    cancellation = Cancellation()
    with psycopg.connect(database.url) as other:
        other.execute(f"LOCK TABLE {schema}.events IN ACCESS EXCLUSIVE MODE".encode())
        thread = waiting_for_a_lock(database, cancellation.cancel)
        with pytest.raises(RunCancelledError):
            commit(sink, staging, "b:0", rows(id=[2]), first, cancellation=cancellation)
        thread.join()
    assert rows_of(database, schema) == [(1,)]


def test_a_table_that_stays_locked_is_told(database, staging, schema):
    sink = sink_of(database, schema, lockTimeoutSeconds=1)
    first = commit(sink, staging, "a:0", rows(id=[1]), None)
    with psycopg.connect(database.url) as other:
        other.execute(f"LOCK TABLE {schema}.events IN ACCESS EXCLUSIVE MODE".encode())
        with pytest.raises(SinkError) as caught:
            commit(sink, staging, "b:0", rows(id=[2]), first)
    assert (caught.value.code, caught.value.retryable) == ("SINK_LOCKED", True)


@pytest.mark.parametrize("point", ["postgres-tables.after-copy", "postgres-tables.before-commit"])
def test_a_connection_that_breaks_leaves_nothing_and_is_worth_another_attempt(
    sink, staging, database, schema, monkeypatch, point
):
    first = commit(sink, staging, "a:0", rows(id=[1]), None)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nucleus'"

    def breaking(name):
        if name == point:
            database.execute(kill)

    with monkeypatch.context() as patch:
        patch.setattr(slice_commit, "failpoint", breaking)
        patch.setattr("runtime_common.endpoints.postgres_tables.sink.failpoint", breaking)
        with pytest.raises(SinkError) as caught:
            commit(sink, staging, "b:0", rows(id=[2]), first)
    assert (caught.value.code, caught.value.retryable) == ("SINK_CONNECTION_LOST", True)
    assert rows_of(database, schema) == [(1,)]
    commit(sink, staging, "b:0", rows(id=[2]), first)
    assert rows_of(database, schema) == [(1,), (2,)]


def outcomes(sink):
    found: dict[str, object] = {}
    for check in sink.checks(Cancellation()):
        if not all(found.get(name) == "passed" for name in check.needs):
            found[check.name] = "skipped"
            continue
        try:
            check.run()
        except SinkError as error:
            found[check.name] = (error.code, error.field, error.retryable)
        else:
            found[check.name] = "passed"
    return list(found.values())


def test_a_connection_test_passes_and_leaves_nothing_behind(sink, database, schema):
    assert outcomes(sink) == ["passed"] * 4
    with psycopg.connect(database.url) as connection:
        count = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE %s", (f"{schema}%",))
        assert count.fetchone() == (0,)


def test_a_connection_test_names_the_first_step_that_fails(database, schema):
    assert outcomes(sink_of(database, schema, host="no-such-host.invalid")) == [
        ("SINK_NAME_UNKNOWN", "sink.config.host", True),
        *["skipped"] * 3,
    ]
    assert outcomes(sink_of(database, schema, port=1)) == [
        "passed",
        ("SINK_UNREACHABLE", "sink.config.host", True),
        "skipped",
        "skipped",
    ]
    assert outcomes(sink_of(database, schema, password="wrong password"))[2] == (
        "SINK_AUTHENTICATION_FAILED",
        "sink.config.password",
        False,
    )


def test_a_user_without_rights_is_told_so(database, schema):
    role = f"r_{secrets.token_hex(4)}"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'powerless'; CREATE SCHEMA {schema}")
    try:
        sink = sink_of(database, schema, user=role, password="powerless")
        assert outcomes(sink)[3] == ("SINK_ACCESS_DENIED", "sink.config.user", False)
    finally:
        database.execute(f"DROP ROLE {role}")


def test_a_slice_of_many_batches_arrives_whole(sink, staging, database, schema):
    batch = rows(id=list(range(60_000)), v=["x" * 50] * 60_000)
    made = commit(sink, staging, "a:0", batch, None)
    assert made.rows_written == 60_000
    assert rows_of(database, schema, columns="count(*), count(DISTINCT id)") == [(60_000, 60_000)]
