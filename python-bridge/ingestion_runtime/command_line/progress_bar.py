"""Progress of a run on the error stream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingestion_runtime.events import ProgressSnapshot

_WIDTH = 24
_REDRAW_SECONDS = 0.1


class ProgressBar:
    """A bar that is redrawn on a terminal; elsewhere one line per phase.

    How much a source holds is not known before it has been read, so the bar shows how much of what was read the sink
    has committed.

    Args:
        stream: Where to draw.
        clock: Monotonic seconds.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._phase: str | None = None
        self._last: ProgressSnapshot | None = None
        self._drawn_at = float("-inf")

    def show(self, snapshot: ProgressSnapshot) -> None:
        """Draw the newest state, on a terminal at most ten times a second."""
        self._last = snapshot
        if not self._live:
            if snapshot.phase != self._phase:
                self._stream.write(f"{_numbers(snapshot)}\n")
        elif snapshot.phase != self._phase or self._clock() - self._drawn_at >= _REDRAW_SECONDS:
            self._draw(snapshot)
        self._phase = snapshot.phase

    def finish(self) -> None:
        """Draw the last state and leave the line."""
        if self._live and self._last is not None:
            self._draw(self._last)
            self._stream.write("\n")

    def _draw(self, snapshot: ProgressSnapshot) -> None:
        self._drawn_at = self._clock()
        self._stream.write(f"\r\x1b[K{_bar(snapshot)} {_numbers(snapshot)}")
        self._stream.flush()


def _bar(snapshot: ProgressSnapshot) -> str:
    share = min(snapshot.rows_written / snapshot.rows_read, 1.0) if snapshot.rows_read else 0.0
    filled = int(share * _WIDTH)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"


def _numbers(snapshot: ProgressSnapshot) -> str:
    return (
        f"{snapshot.phase:<8} read {snapshot.rows_read:>12,}  written {snapshot.rows_written:>12,}"
        f"  {snapshot.rows_per_second:>10,.0f} rows/s"
    )
