"""A cancellation reaches a Spark job that runs, and a commit that such a job is part of."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pyarrow as pa
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.iceberg import IcebergConfig, IcebergSink
from runtime_common.exceptions import RunCancelledError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, staged_slice

# So many that no machine is done with them before the cancellation, and that a job which ignores it ends all the same.
ROWS = 100_000_000_000
PATIENCE = 60.0


def active_jobs(spark):
    with spark.session() as session:
        return list(session.sparkContext.statusTracker().getActiveJobsIds())


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what the test waits for did not come")
        time.sleep(0.01)


@contextmanager
def cancelled_at_the_first_job(spark):
    """A cancellation that somebody else asks for as soon as Spark works."""
    cancellation = Cancellation()

    def cancel():
        until(lambda: active_jobs(spark))
        cancellation.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    yield cancellation
    thread.join()


def test_a_job_ends_when_its_run_is_cancelled(spark):
    with (
        cancelled_at_the_first_job(spark) as cancellation,
        pytest.raises(RunCancelledError),
        spark.session(cancellation) as session,
    ):
        session.range(ROWS).selectExpr("sum(id * id % 7)").collect()
    until(lambda: not active_jobs(spark))


def test_a_commit_that_is_cancelled_within_a_job_leaves_nothing_and_can_be_made_again(spark, tmp_path):
    sink = IcebergSink(IcebergConfig(warehouse=str(tmp_path / "warehouse")), spark)
    staging = LocalDirectoryStaging(tmp_path / "staging")
    batch = pa.RecordBatch.from_pydict({"id": list(range(200_000)), "name": ["a"] * 200_000})
    session = staged_slice(staging, batch, batch_id="run/0")
    request = commit_request("run/0", None, write_mode="merge")
    with cancelled_at_the_first_job(spark) as cancellation, pytest.raises(RunCancelledError):
        sink.commit(request, session.reader(), cancellation)
    assert sink.last_commit(request.record.unit_key, request.target) is None
    again = sink.commit(request, session.reader(), Cancellation())
    assert (again.rows_written, again.record.batch_id) == (200_000, "run/0")
    staging.close()
