"""Heartbeats of the activity, in the SDK's own activity environment."""

from __future__ import annotations

import threading

import pytest
from temporalio import activity
from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment

from ingestion_runtime import activity_guard
from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import InterruptedRunError, RunCancelledError

DEADLINE_SECONDS = 10


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        (ActivityCancellationDetails(cancel_requested=True), RunCancelledError),
        (ActivityCancellationDetails(worker_shutdown=True), InterruptedRunError),
    ],
)
def test_heartbeats_go_on_while_a_stopped_run_finishes_its_commit(monkeypatch, details, reason):
    monkeypatch.setattr(activity_guard, "HEARTBEAT_SECONDS", 0.01)
    environment = ActivityEnvironment()
    cancellation = Cancellation()
    beats_after_stop = threading.Semaphore(0)

    def on_heartbeat(*_):
        if cancellation.requested:
            beats_after_stop.release()

    environment.on_heartbeat = on_heartbeat

    def run_until_three_more_beats():
        with activity.shield_thread_cancel_exception(), activity_guard.heartbeats(dict, cancellation):
            environment.cancel(details)
            return all(beats_after_stop.acquire(timeout=DEADLINE_SECONDS) for _ in range(3))

    run_until_three_more_beats = activity.defn(no_thread_cancel_exception=True)(run_until_three_more_beats)
    assert environment.run(run_until_three_more_beats)
    with pytest.raises(reason):
        cancellation.check()
