"""The side channel against a real HTTP server."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingestion_runtime.events import EventPoster, Progress
from runtime_common.contracts import ProgressEvent


class Receiver:
    def __init__(self) -> None:
        self.status = 204
        self.posts: list[tuple[float, str | None, list[dict[str, object]]]] = []
        self.changed = threading.Condition()

    def await_event(self, wanted, seconds=10.0):
        with self.changed:
            assert self.changed.wait_for(
                lambda: any(wanted(event) for _, _, events in self.posts for event in events), seconds
            )


@pytest.fixture
def receiver():
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with received.changed:
                received.posts.append((time.monotonic(), self.headers["Authorization"], body["events"]))
                received.changed.notify_all()
            self.send_response(received.status)
            self.end_headers()

        def log_message(self, *_):
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield received, f"http://127.0.0.1:{server.server_port}/internal/ingestion-events"
        server.shutdown()
        thread.join()


RUN = uuid.uuid4()


def event(rows: int) -> ProgressEvent:
    return ProgressEvent(
        run_id=RUN, endpoint_id="e", unit_id="u", sink_id="s", phase="export",
        rows_read=rows, rows_written=0, rows_per_second=0, at=datetime.now(UTC),
    )  # fmt: skip


def test_ticks_are_coalesced_and_the_last_one_arrives(receiver):
    received, url = receiver
    poster = EventPoster(url=url, token="token-1")
    began = time.monotonic()
    for rows in range(5000):
        poster.progress(event(rows))
    received.await_event(lambda one: one["rowsRead"] == 4999)
    poster.close()
    elapsed = time.monotonic() - began
    assert len(received.posts) <= 2 + elapsed * 4
    assert {token for _, token, _ in received.posts} == {"Bearer token-1"}


def test_the_worker_is_announced_again_until_the_server_takes_it(receiver):
    received, url = receiver
    received.status = 503
    poster = EventPoster(url=url, token="t")
    poster.worker_ready("0" * 64)
    received.await_event(lambda one: one["type"] == "workerReady")
    received.status = 204
    with received.changed:
        assert received.changed.wait_for(lambda: len(received.posts) >= 2, 10)
    poster.close()


def test_a_server_that_is_away_costs_one_warning_and_no_error(caplog):
    with caplog.at_level(logging.WARNING):
        poster = EventPoster(url="http://127.0.0.1:1/internal/ingestion-events", token="t")
        for rows in range(3):
            poster.progress(event(rows))
        poster.close()
    assert len(caplog.records) == 1


def test_without_an_url_nothing_is_posted():
    poster = EventPoster(url=None, token=None)
    poster.progress(event(1))
    poster.close()


def test_the_rate_is_that_of_the_present_phase():
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.enter("export")
    now[0] = 2.0
    progress.read(1000)
    assert progress.snapshot().rows_per_second == 500
    progress.enter("import")
    now[0] = 4.0
    progress.written(100)
    assert progress.snapshot().rows_per_second == 50
