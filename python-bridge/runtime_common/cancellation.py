"""Asking a run to stop, from any thread, in a way that also reaches blocking calls."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime_common.exceptions import InterruptedRunError, RunCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)


class Cancellation:
    """One run's stop signal; the first reason given stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: Exception | None = None
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask the run to stop because a user wants it."""
        self._stop(RunCancelledError("the run was cancelled"))

    def interrupt(self) -> None:
        """Ask the run to stop because this process ends; another attempt takes over."""
        self._stop(InterruptedRunError("the worker is shutting down; another attempt continues this run"))

    def _stop(self, reason: Exception) -> None:
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            callbacks = list(self._callbacks)
        for callback in callbacks:
            _run(callback)

    @property
    def requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self._reason is not None

    def check(self) -> None:
        """Raise the reason if the run was asked to stop.

        Raises:
            RunCancelledError: A user cancelled.
            InterruptedRunError: The worker is shutting down.
        """
        if self._reason is not None:
            raise self._reason

    @contextmanager
    def interrupting(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call ``callback`` from the cancelling thread while the block runs, e.g. a driver's own cancel.

        A driver that was cancelled raises its own error inside the block; the stop reason replaces it.
        """
        self.check()
        with self._lock:
            self._callbacks.append(callback)
        try:
            self.check()
            yield
        except Exception:
            if self._reason is not None:
                raise self._reason from None
            raise
        finally:
            with self._lock:
                self._callbacks.remove(callback)


def _run(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - a driver that can't cancel must not keep the others from it
        _log.warning("a blocking call could not be interrupted")
