"""Reads ahead: a producer runs in a thread of its own, a few items before whoever takes them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from runtime_common.cancellation import Cancellation

T = TypeVar("T")

# How long a producer that was interrupted may take to end before it is left alone.
_FAREWELL_SECONDS = 5.0
_log = logging.getLogger(__name__)


class ReadAhead(Generic[T]):
    """One producer and one consumer with at most ``depth`` items between them.

    Args:
        produce: Makes the items, in the thread; what it raises is raised to the consumer, after the items before it.
        depth: Items that may wait. The producer holds one more, and so does the consumer.
        stall_seconds: How long the consumer waits for an item.
        interrupt: Ends a blocking call of the producer, from another thread. May itself block.
    """

    def __init__(
        self,
        produce: Callable[[], Generator[T, None, None]],
        *,
        depth: int,
        stall_seconds: float,
        interrupt: Callable[[], None],
    ) -> None:
        self._produce = produce
        self._depth = depth
        self._stall_seconds = stall_seconds
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._waiting: deque[T] = deque()
        self._failure: BaseException | None = None
        self._finished = False
        self._stopped = False

    def items(self, cancellation: Cancellation) -> Generator[T, None, None]:
        """Start the producer and yield what it makes; closing the generator ends it.

        Raises:
            TimeoutError: Nothing came for ``stall_seconds``. A producer that can't be interrupted then, as behind a
                network that stands still, is left behind in its thread.
            RunCancelledError: The run was cancelled.
        """
        thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        thread.start()
        try:
            with cancellation.interrupting(self._wake):
                while self._await_item(cancellation):
                    with self._changed:
                        item = self._waiting.popleft()
                        self._changed.notify_all()
                    yield item
            if self._failure is not None:
                raise self._failure
        finally:
            self._end(thread)

    def _run(self) -> None:
        try:
            with closing(self._produce()) as items:
                for item in items:
                    if not self._offer(item):
                        return
        except BaseException as error:  # noqa: BLE001 - whatever it is, the consumer raises it
            self._failure = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _offer(self, item: T) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._waiting) < self._depth)
            if self._stopped:
                return False
            self._waiting.append(item)
            self._changed.notify_all()
            return True

    def _await_item(self, cancellation: Cancellation) -> bool:
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._waiting or self._finished or cancellation.requested, self._stall_seconds
            )
            cancellation.check()
            if not came:
                raise TimeoutError(f"nothing came for {self._stall_seconds:g} s")
            return bool(self._waiting)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _end(self, thread: threading.Thread) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            finished = self._finished
        if not finished:
            # In a thread of its own: over a network that stands still, asking to stop does not return either.
            threading.Thread(target=self._interrupt_safely, name="read-ahead-interrupt", daemon=True).start()
        thread.join(_FAREWELL_SECONDS)
        if thread.is_alive():
            _log.warning("a read that stands still could not be interrupted; its thread is left behind")

    def _interrupt_safely(self) -> None:
        try:
            self._interrupt()
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            _log.debug("interrupting a read failed", extra={"data": {"reason": type(error).__name__}})
