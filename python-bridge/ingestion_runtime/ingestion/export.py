"""Writes what a source delivers into slices: the columns that the policy keeps, rejected rows, normalized metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion_runtime.ingestion.landing import quarantine_entries
from ingestion_runtime.ingestion.schema_drift import check_drift
from ingestion_runtime.ingestion.tally import merged_quarantine
from runtime_common.protocols import SliceCounts, SliceManifest, SliceSeal
from runtime_common.schema_drift import compare_fields
from runtime_common.state import cursor_digest

if TYPE_CHECKING:
    from ingestion_runtime.ingestion.landing import Landing
    from ingestion_runtime.ingestion.unit_identity import UnitIdentity
    from runtime_common.bad_rows import BadRows
    from runtime_common.contracts import (
        Cursor,
        DatasetRef,
        QuarantineEntry,
        RunIngestionUnitInput,
        RunMetadataFile,
    )
    from runtime_common.protocols import RecordWriter, SourceRead
    from runtime_common.run_metadata import RunMetadataFolder


class Export:
    """What the slices of one run have in common.

    Attributes:
        input: The data set that is read, with the columns that are kept; known after :meth:`choose_columns`.
    """

    input: DatasetRef

    def __init__(
        self,
        request: RunIngestionUnitInput,
        *,
        identity: UnitIdentity,
        landing: Landing,
        metadata: RunMetadataFolder,
        bad_rows: BadRows,
    ) -> None:
        self.run_id = request.execution.run_id
        self.identity = identity
        self.landing = landing
        self.bad_rows = bad_rows
        self._policy = request.policy.schema_change
        self._write_mode = request.execution.unit.write_mode
        self._metadata = metadata
        self._kept: list[str] | None = None

    def choose_columns(self, read: SourceRead) -> list[str] | None:
        """Decide which columns are staged, and return those by which rows at the watermark are recognised.

        Returns:
            None for all columns.

        Raises:
            CheckpointMismatchError: The columns changed in a way that the policy does not allow (rule R7).
        """
        last = self.landing.last
        cursor = self.landing.cursor
        drift = None if last is None else compare_fields(last.record.input.fields, read.dataset.fields)
        check_drift(drift, cursor, fingerprint=read.schema_fingerprint, policy=self._policy, mode=self._write_mode)
        self.input = read.dataset
        if self._policy == "discard" and drift is not None and drift.added and drift.only_adds:
            self._kept = [name for name in read.schema.names if name not in drift.added]
            kept = [one for one in read.dataset.fields if one.name not in drift.added]
            self.input = read.dataset.model_copy(update={"fields": kept})
        if cursor is None or drift is None or cursor.schema_fingerprint == read.schema_fingerprint:
            return None
        return list(drift.unchanged)

    def kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the columns of a batch that are staged."""
        return batch if self._kept is None else batch.select(self._kept)

    def begin(self, read: SourceRead, writer: RecordWriter) -> OpenSlice:
        """Begin the next slice."""
        return OpenSlice(self, read, writer)

    def metadata_files(self, read: SourceRead) -> list[RunMetadataFile]:
        """Write what the source has seen beside its rows. The entries travel with the slice, so a crash loses none."""
        return [
            self._metadata.write(self.run_id, contents=one.contents, kind=one.kind, table=one.table)
            for one in read.take_metadata()
        ]


class OpenSlice:
    """A slice that is being written."""

    def __init__(self, export: Export, read: SourceRead, writer: RecordWriter) -> None:
        self._export = export
        self._read = read
        self._writer = writer
        self._rows = 0
        self._quarantine: list[QuarantineEntry] = []
        self._batch_id = export.identity.batch_id(export.landing.slice_index)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows, and those that the source has rejected meanwhile."""
        self._writer.write_batch(self._export.kept(batch))
        self._rows += batch.num_rows
        self._write_rejected()

    def seal(self, cursor: Cursor | None, *, skipped: int) -> SliceManifest:
        """End the slice at ``cursor``.

        Args:
            cursor: What the slice allows to continue from.
            skipped: Rows of this slice that an earlier run had committed.
        """
        self._write_rejected()
        read = self._read
        if self._rows == 0:
            # A slice without rows still has columns: an empty table replaces the target all the same.
            self._writer.write_batch(self._export.kept(pa.RecordBatch.from_pylist([], schema=read.schema)))
        refused = sum(entry.rows for entry in self._quarantine)
        landing = self._export.landing
        return self._writer.seal(
            SliceSeal(
                batch_id=self._batch_id,
                slice_index=landing.slice_index,
                starts_after=cursor_digest(landing.cursor),
                cursor=cursor,
                counts=SliceCounts(
                    rows_read=self._rows + skipped + refused,
                    rows_skipped_at_watermark=skipped,
                    null_cursor_rows=read.null_cursor_rows,
                ),
                input=self._export.input,
                engine=read.engine,
                metadata_files=self._export.metadata_files(read),
                quarantine=self._quarantine,
            )
        )

    def _write_rejected(self) -> None:
        rejected = self._export.bad_rows.take()
        if rejected:
            self._quarantine = merged_quarantine(self._quarantine, quarantine_entries(rejected))
            self._writer.write_rejected(rejected, run_id=str(self._export.run_id), batch_id=self._batch_id)
