"""Posts events from a background thread, at most four times a second, and never makes a run wait or fail."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import httpx

from runtime_common.contracts import ProgressEvent, WorkerEvents, WorkerReadyEvent

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_INTERVAL_SECONDS = 0.25
_TIMEOUT_SECONDS = 2.0
_MAX_EVENTS = 1000
_READY_RETRY_SECONDS = 2.0


class EventPoster:
    """Coalesces progress by run: only the newest state of each waits.

    Args:
        url: Full URL of the server's internal route; None posts nothing.
        token: Bearer token of that route.
    """

    def __init__(self, *, url: str | None, token: str | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], ProgressEvent] = {}
        self._ready: WorkerReadyEvent | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._warned = False
        self._thread: threading.Thread | None = None
        if url is not None:
            self._thread = threading.Thread(target=self._loop, name="event-poster", daemon=True)
            self._thread.start()

    def progress(self, event: ProgressEvent) -> None:
        """Queue the newest state of a run, replacing an older one that still waits."""
        if self._url is None:
            return
        with self._lock:
            self._waiting[(str(event.run_id), event.sink_id or "")] = event
        self._wake.set()

    def worker_ready(self, descriptor_hash: str) -> None:
        """Queue the announcement of this worker, which is repeated until the server has taken it once."""
        if self._url is None:
            return
        with self._lock:
            self._ready = WorkerReadyEvent(descriptor_hash=descriptor_hash)
        self._wake.set()

    def close(self) -> None:
        """Post what waits and stop."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * _TIMEOUT_SECONDS)

    def _loop(self) -> None:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, headers=self._headers, trust_env=False) as client:
            while not self._stop.is_set():
                self._wake.wait(_READY_RETRY_SECONDS if self._ready is not None else None)
                self._wake.clear()
                self._post_waiting(client.post)
                self._stop.wait(_INTERVAL_SECONDS)
            self._post_waiting(client.post)

    def _post_waiting(self, post: Callable[..., httpx.Response]) -> None:
        with self._lock:
            taken = list(self._waiting.values())[:_MAX_EVENTS]
            self._waiting.clear()
            ready = self._ready
        events: list[ProgressEvent | WorkerReadyEvent] = [
            *([ready] if ready is not None else []),
            *taken[: _MAX_EVENTS - 1],
        ]
        if not events or self._url is None:
            return
        try:
            post(self._url, json=WorkerEvents(events=events).to_wire()).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._warn_once(error)
        else:
            with self._lock:
                self._ready = None if self._ready is ready else self._ready

    def _warn_once(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "progress events can't be posted; runs go on without them",
                extra={"data": {"error": type(error).__name__}},
            )
