"""What a run has counted and how long its phases took."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime_common.contracts import DatasetRef, PhaseDurations, Provenance, QuarantineEntry, RunStats
from runtime_common.protocols import RunTotals, SinkCommit, SliceCounts, SliceManifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingestion_runtime.events import Progress
    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import RunMetadataFile, RunPhase

_MAX_QUARANTINE_ENTRIES = 20


class Tally:
    """Totals over all attempts of the run, which travel in the sink's commits; durations of this attempt."""

    def __init__(self, *, progress: Progress, cancellation: Cancellation) -> None:
        self._progress = progress
        self._cancellation = cancellation
        self._seconds: dict[RunPhase, float] = {"export": 0.0, "import": 0.0, "cleanup": 0.0}
        self.totals = RunTotals()
        self.input: DatasetRef | None = None

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

    def resume(self, last: SinkCommit | None, run_id: str, *, continues: bool) -> None:
        """Continue the totals of earlier attempts of this very run.

        A run that goes on where another one broke off takes over its metadata files: nobody else will apply them.

        Args:
            last: The unit's last commit.
            run_id: This run.
            continues: Whether that commit was made on top of the same checkpoint.
        """
        if last is None:
            return
        if last.record.run_id == run_id:
            self.totals = _after(last.record.totals, last)
            self.input = last.record.input
            self._progress.read(self.totals.rows_read)
            self._progress.written(self.totals.rows_written)
        elif continues:
            self.left_metadata(last.record.totals.metadata_files)

    def including(self, manifest: SliceManifest, *, reused: bool) -> RunTotals:
        """Return the totals that the slice's commit carries: with what it read, without what it will have written."""
        totals = self._plus(manifest.counts)
        return totals.model_copy(
            update={
                "bytes_staged": totals.bytes_staged + manifest.bytes,
                "slices": totals.slices + 1,
                "slices_reused": totals.slices_reused + int(reused),
                "rows_quarantined": totals.rows_quarantined + sum(entry.rows for entry in manifest.quarantine),
                "quarantine": merged_quarantine(totals.quarantine, manifest.quarantine),
                "metadata_files": _joined(totals.metadata_files, manifest.metadata_files),
                "engine": manifest.engine or totals.engine,
            }
        )

    def committed(self, totals: RunTotals, commit: SinkCommit) -> None:
        """Take over the totals of a slice that is now in the sink."""
        self.totals = _after(totals, commit)
        self.input = commit.record.input
        self._progress.written(commit.rows_written)

    def read_after_the_last_slice(self, *, skipped: int, null_cursor_rows: int, engine: str) -> None:
        """Count what no slice holds: rows that were skipped, and what is known only at the end of the read."""
        counts = SliceCounts(rows_read=skipped, rows_skipped_at_watermark=skipped, null_cursor_rows=null_cursor_rows)
        self.totals = self._plus(counts).model_copy(update={"engine": engine})

    def left_metadata(self, files: Sequence[RunMetadataFile]) -> None:
        """Note metadata files that no slice of this run holds."""
        self.totals = self.totals.model_copy(update={"metadata_files": _joined(self.totals.metadata_files, files)})

    def _plus(self, counts: SliceCounts) -> RunTotals:
        return self.totals.model_copy(
            update={
                "rows_read": self.totals.rows_read + counts.rows_read,
                "rows_skipped_at_watermark": self.totals.rows_skipped_at_watermark + counts.rows_skipped_at_watermark,
                # Of one read, not of one slice: each slice of the read names the same number.
                "null_cursor_rows": max(self.totals.null_cursor_rows, counts.null_cursor_rows),
            }
        )

    def stats(self, *, output: DatasetRef | None) -> RunStats:
        """Return the run's numbers in the contract's form."""
        milliseconds = {phase: round(seconds * 1000) for phase, seconds in self._seconds.items()}
        totals = dict(self.totals)
        del totals["metadata_files"]
        return RunStats(
            **totals,
            durations_ms=PhaseDurations(
                export=milliseconds["export"], import_=milliseconds["import"], cleanup=milliseconds["cleanup"]
            ),
            provenance=Provenance(
                inputs=[] if self.input is None else [self.input], outputs=[] if output is None else [output]
            ),
        )


def merged_quarantine(some: Sequence[QuarantineEntry], more: Sequence[QuarantineEntry]) -> list[QuarantineEntry]:
    """Return the entries with one for each reason, the most frequent first, as many as the contract takes."""
    rows: Counter[tuple[str, str | None, str]] = Counter()
    for entry in [*some, *more]:
        rows[entry.code, entry.field, entry.reason] += entry.rows
    return [
        QuarantineEntry(code=code, field=field, reason=reason, rows=count)
        for (code, field, reason), count in rows.most_common(_MAX_QUARANTINE_ENTRIES)
    ]


def _joined(some: Sequence[RunMetadataFile], more: Sequence[RunMetadataFile]) -> list[RunMetadataFile]:
    return list({file.path: file for file in [*some, *more]}.values())


def _after(totals: RunTotals, commit: SinkCommit) -> RunTotals:
    return totals.model_copy(update={"rows_written": totals.rows_written + commit.rows_written})
