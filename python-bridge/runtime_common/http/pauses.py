"""Waiting between requests, which a cancellation ends at once."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


class Pauses:
    """Waits, and decides how long.

    Args:
        cancellation: Ends a wait.
        requests_per_second: None for as many as come.
    """

    def __init__(self, cancellation: Cancellation, *, requests_per_second: float | None) -> None:
        self._cancellation = cancellation
        self._interval = 0.0 if requests_per_second is None else 1 / requests_per_second
        self._next_request = 0.0

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            RunCancelledError: The run was asked to stop, before or meanwhile.
            InterruptedRunError: The worker is shutting down.
        """
        self._cancellation.check()
        if seconds <= 0:
            return
        stop = threading.Event()
        with self._cancellation.interrupting(stop.set):
            stop.wait(seconds)
        self._cancellation.check()

    def before_request(self) -> None:
        """Keep the distance between requests that the rate demands; raises like :meth:`wait`."""
        now = time.monotonic()
        self.wait(self._next_request - now)
        self._next_request = max(now, self._next_request) + self._interval

    def before_attempt(self, failures: int, asked: float | None) -> float:
        """Return how long to wait after ``failures`` failed attempts.

        Full jitter: workers that failed together do not come back together. A server that names a time is given that
        time, and up to a second more for the same reason.

        Args:
            failures: From 1.
            asked: Seconds that the server has asked for.
        """
        # No secret depends on it.
        if asked is not None:
            return asked + random.uniform(0, min(asked, 1.0))  # noqa: S311
        return random.uniform(0, min(_LONGEST_SECONDS, _FIRST_SECONDS * 2**failures))  # noqa: S311
