"""SIGKILL of the worker and of its Spark JVM at random moments of a run: nothing lost, nothing twice, nothing left."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow.compute as pc
import pytest

from runtime_common.staging import LocalDirectoryStaging
from tests.support.sink_kinds import ICEBERG, PARQUET, POSTGRES_TABLES
from tests.support.unit_process import Ended, Job, Stopped, UnitProcesses
from tests.support.units import Unit

SLICES = 5
# Longer than any run here: the first one is not killed and tells how long one takes.
NEVER = 3600.0


@pytest.fixture
def processes():
    with UnitProcesses() as started:
        yield started


def fill(database, rows):
    database.execute("DROP TABLE IF EXISTS events")
    database.execute(
        "CREATE TABLE events AS SELECT n AS id, timestamptz '2013-01-01' + n / 3 * interval '1 second' AS at, "
        f"'note ' || n AS note, n / 7.0::numeric(12, 4) AS amount FROM generate_series(1, {rows}) AS n"
    )


def unit_of(kind, database, folder, rows, target):
    return Unit(
        source=database.config(),
        sink_template=kind.template,
        sink_config=kind.config(database, folder),
        staging=LocalDirectoryStaging(folder / "staging"),
        table="events",
        metadata_root=folder / "metadata",
        target=target,
        write_mode=kind.write_mode,
        policy={"sliceRows": rows // SLICES},
    )


def job_of(unit, kind, folder, run_id, attempt):
    return Job(
        request=unit.request(run_id).to_wire(),
        staging=str(folder / "staging"),
        metadata=str(folder / "metadata"),
        outcome=str(folder / "outcome.json"),
        jars=kind.jars,
        attempt=attempt,
    )


def run_through_kills(kind, database, processes, folder, *, rows, kills, victim):
    fill(database, rows)
    dice = random.Random(rows + kills)
    # The first one is slower than any after it, and a moment after the end would show nothing.
    whole = min(timed(processes, kind, folder, unit_of(kind, database, folder, rows, name)) for name in ("a", "b"))
    killed = 0
    for number in range(kills):
        unit = unit_of(kind, database, folder, rows, f"target_{number}")
        run_id = uuid.uuid4()
        attempt = 1
        after = dice.uniform(0, whole)
        ended = processes.run(job_of(unit, kind, folder, run_id, attempt), kill_after_seconds=after, victim=victim)
        while ended.result is None:
            killed += 1
            assert ended.error in (None, "SPARK_LOST"), ended.error
            attempt += 1
            assert attempt < 5
            ended = processes.run(job_of(unit, kind, folder, run_id, attempt))
            assert isinstance(ended, Ended)
        check_whole(kind, unit, database, rows)
        assert ended.result.new_checkpoint is not None
        assert processes.left_behind() == []
        unit.staging.ttl_cleanup(datetime.now(UTC) + timedelta(days=4))
        assert list((folder / "staging").iterdir()) == []
    # Some moments are after the end of the run; if all were, nothing was shown.
    assert killed > 0


def check_whole(kind, unit, database, rows):
    table = kind.read(unit, database)
    assert (table.num_rows, pc.count_distinct(table["id"]).as_py()) == (rows, rows)
    assert pc.sum(table["id"]).as_py() == rows * (rows + 1) // 2


def timed(processes, kind, folder, unit):
    started = datetime.now(UTC)
    ended = processes.run(job_of(unit, kind, folder, uuid.uuid4(), 1), kill_after_seconds=NEVER)
    assert isinstance(ended, Ended)
    assert ended.result is not None
    assert ended.result.stats.slices == SLICES
    return (datetime.now(UTC) - started).total_seconds()


def test_a_killed_worker_loses_and_doubles_no_row_in_files(database, processes, tmp_path):
    run_through_kills(PARQUET, database, processes, tmp_path, rows=50_000, kills=6, victim="worker")


def test_an_engine_killed_between_two_slices_loses_and_doubles_no_row_in_a_merged_table(database, processes, tmp_path):
    rows = 3 * SLICES
    fill(database, rows)
    unit = unit_of(ICEBERG, database, tmp_path, rows, "events").changed(policy={"sliceRows": rows // 2})
    run_id = uuid.uuid4()
    job = job_of(unit, ICEBERG, tmp_path, run_id, 1)
    stopped = processes.run(replace(job, failpoints="iceberg.before-publish@2=stop"))
    assert isinstance(stopped, Stopped)
    processes.kill_engine(stopped)
    ended = processes.resume(stopped)
    assert isinstance(ended, Ended)
    assert ended.error == "SPARK_LOST"
    again = processes.run(job_of(unit, ICEBERG, tmp_path, run_id, 2))
    assert isinstance(again, Ended)
    assert again.result is not None
    assert (again.result.stats.slices, again.result.stats.rows_written) == (2, rows)
    check_whole(ICEBERG, unit, database, rows)
    assert processes.left_behind() == []


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "victim", "kills"),
    [(PARQUET, "worker", 20), (POSTGRES_TABLES, "worker", 15), (ICEBERG, "worker", 15), (ICEBERG, "engine", 15)],
)
def test_runs_of_a_million_rows_survive_dozens_of_kills(kind, victim, kills, database, processes, tmp_path):
    run_through_kills(kind, database, processes, tmp_path, rows=1_000_000, kills=kills, victim=victim)
