"""What a run has counted and how long its phases took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime_common.contracts import DatasetRef, PhaseDurations, Provenance, RunStats
from runtime_common.protocols import RunTotals, SinkCommit, SliceCounts, SliceManifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion_runtime.events import Progress
    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import RunPhase


class Tally:
    """Totals over all attempts of the run, which travel in the sink's commits; durations of this attempt."""

    def __init__(self, *, progress: Progress, cancellation: Cancellation) -> None:
        self._progress = progress
        self._cancellation = cancellation
        self._seconds: dict[RunPhase, float] = {"export": 0.0, "import": 0.0, "cleanup": 0.0}
        self.totals = RunTotals()
        self.input: DatasetRef | None = None
        self.null_cursor_rows = 0

    @contextmanager
    def phase(self, phase: RunPhase) -> Iterator[None]:
        """Measure a part of a phase; the run stops here if it was asked to."""
        self._cancellation.check()
        self._progress.enter(phase)
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[phase] += time.monotonic() - began

    def resume(self, last: SinkCommit | None, run_id: str) -> None:
        """Continue the totals of earlier attempts of this very run."""
        if last is None or last.record.run_id != run_id:
            return
        self.totals = _after(last.record.totals, last)
        self.input = last.record.input
        self._progress.read(self.totals.rows_read)
        self._progress.written(self.totals.rows_written)

    def including(self, manifest: SliceManifest, *, reused: bool) -> RunTotals:
        """Return the totals that the slice's commit carries: with what it read, without what it will have written."""
        return self._plus(manifest.counts).model_copy(
            update={
                "bytes_staged": self.totals.bytes_staged + manifest.bytes,
                "slices": self.totals.slices + 1,
                "slices_reused": self.totals.slices_reused + int(reused),
            }
        )

    def committed(self, totals: RunTotals, commit: SinkCommit) -> None:
        """Take over the totals of a slice that is now in the sink."""
        self.totals = _after(totals, commit)
        self.input = commit.record.input
        self._progress.written(commit.rows_written)

    def skipped(self, rows: int) -> None:
        """Count rows that were read and skipped after the last slice."""
        self.totals = self._plus(SliceCounts(rows_read=rows, rows_skipped_at_watermark=rows))

    def _plus(self, counts: SliceCounts) -> RunTotals:
        return self.totals.model_copy(
            update={
                "rows_read": self.totals.rows_read + counts.rows_read,
                "rows_skipped_at_watermark": self.totals.rows_skipped_at_watermark + counts.rows_skipped_at_watermark,
            }
        )

    def stats(self, *, engine: str, output: DatasetRef | None) -> RunStats:
        """Return the run's numbers in the contract's form."""
        milliseconds = {phase: round(seconds * 1000) for phase, seconds in self._seconds.items()}
        return RunStats(
            **dict(self.totals),
            null_cursor_rows=self.null_cursor_rows,
            engine=engine,
            durations_ms=PhaseDurations(
                export=milliseconds["export"], import_=milliseconds["import"], cleanup=milliseconds["cleanup"]
            ),
            provenance=Provenance(
                inputs=[] if self.input is None else [self.input], outputs=[] if output is None else [output]
            ),
        )


def _after(totals: RunTotals, commit: SinkCommit) -> RunTotals:
    return totals.model_copy(update={"rows_written": totals.rows_written + commit.rows_written})
