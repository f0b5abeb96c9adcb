"""Counters of a run that other threads may read at any time."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_common.contracts import RunPhase

_RATE_WINDOW_SECONDS = 5.0
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class ProgressSnapshot:
    """Where a run stands."""

    phase: RunPhase
    rows_read: int
    rows_written: int
    rows_per_second: float


class Progress:
    """Counts rows and tells listeners.

    Args:
        on_change: Called from the run's own thread after each change; must return at once.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[ProgressSnapshot], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._on_change = on_change
        self._clock = clock
        self._phase: RunPhase = "export"
        self._rows_read = 0
        self._rows_written = 0
        self._samples: deque[tuple[float, int]] = deque([(clock(), 0)])

    def enter(self, phase: RunPhase) -> None:
        """Begin a phase; its rate starts anew."""
        with self._lock:
            self._phase = phase
            self._samples = deque([(self._clock(), self._counted())])
        self._tell()

    def read(self, rows: int) -> None:
        """Count rows that the source delivered."""
        with self._lock:
            self._rows_read += rows
            self._sample()
        self._tell()

    def written(self, rows: int) -> None:
        """Count rows that the sink committed."""
        with self._lock:
            self._rows_written += rows
            self._sample()
        self._tell()

    def snapshot(self) -> ProgressSnapshot:
        """Return the counters and the rate of the present phase."""
        with self._lock:
            now = self._clock()
            while len(self._samples) > 1 and now - self._samples[0][0] > _RATE_WINDOW_SECONDS:
                self._samples.popleft()
            since, counted = self._samples[0]
            elapsed = now - since
            rate = (self._counted() - counted) / elapsed if elapsed > 0 else 0.0
            return ProgressSnapshot(
                phase=self._phase,
                rows_read=self._rows_read,
                rows_written=self._rows_written,
                rows_per_second=max(rate, 0.0),
            )

    def _counted(self) -> int:
        return self._rows_written if self._phase == "import" else self._rows_read

    def _sample(self) -> None:
        now = self._clock()
        if now - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._samples.append((now, self._counted()))

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.snapshot())
