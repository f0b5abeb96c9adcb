"""Bounds how long a cancellation may take, whatever an endpoint does."""

from __future__ import annotations

import contextvars
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_common.cancellation import Cancellation

PATIENCE_SECONDS = 3.0
_LOOK_SECONDS = 0.1
Result = TypeVar("Result")


def call_with_patience(call: Callable[[], Result], cancellation: Cancellation) -> Result:
    """Return what ``call`` returns, made in a thread of its own.

    An endpoint that does not stop within ``PATIENCE_SECONDS`` after it was asked to, e.g. inside a driver that can't be
    interrupted, is left to itself. Only for calls that may go on unheard: they read, and whatever they leave is swept.

    Raises:
        RunCancelledError: It was cancelled and did not stop by itself.
        InterruptedRunError: The worker is shutting down and it did not stop by itself.
    """
    outcome: Future[Result] = Future()

    def make() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            outcome.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(make,), name="operation", daemon=True).start()
    asked_at: float | None = None
    while not wait_for([outcome], timeout=_LOOK_SECONDS).done:
        if cancellation.requested:
            asked_at = asked_at or time.monotonic()
            if time.monotonic() - asked_at > PATIENCE_SECONDS:
                cancellation.check()
    return outcome.result()
