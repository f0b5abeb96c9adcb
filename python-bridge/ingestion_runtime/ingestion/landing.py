"""Brings sealed slices into the sink: the rows that it takes, and those that go to quarantine."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion_runtime.ingestion.tally import merged_quarantine
from runtime_common.bad_rows import RejectedRow
from runtime_common.contracts import Cursor, QuarantineEntry
from runtime_common.exceptions import DataError, InternalError, RowsRejectedError, SinkError, SupersededError
from runtime_common.protocols import (
    CommitRecord,
    CommitRequest,
    RecordReader,
    RecordWriter,
    ResumeRecord,
    SinkCommit,
    SinkEndpoint,
    SliceManifest,
    SliceSeal,
    StagingProvider,
    StagingSession,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ingestion_runtime.ingestion.tally import Tally
    from ingestion_runtime.ingestion.unit_identity import UnitIdentity
    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import RunIngestionUnitInput

QUARANTINE_SUFFIX = "_quarantine"
_CHUNK_ROWS = 64 * 1024


@contextmanager
def writing(session: StagingSession) -> Iterator[RecordWriter]:
    """Write a slice and forget it if anything goes wrong before it is sealed."""
    writer = session.writer()
    try:
        yield writer
    except BaseException:
        writer.abort()
        raise


def quarantine_entries(rows: Sequence[RejectedRow]) -> list[QuarantineEntry]:
    """Count rejected rows by their reasons."""
    return merged_quarantine(
        [], [QuarantineEntry(code=row.code, field=row.field, reason=row.reason, rows=1) for row in rows]
    )


class Landing:
    """Commits the slices of one run, and knows where the unit stands in the sink.

    Attributes:
        last: The unit's last commit.
        cursor: What the last commit allows to continue from.
        slice_index: Index of the next slice.
    """

    def __init__(
        self,
        request: RunIngestionUnitInput,
        *,
        sink: SinkEndpoint,
        staging: StagingProvider,
        identity: UnitIdentity,
        tally: Tally,
        cancellation: Cancellation,
    ) -> None:
        self._request = request
        self._sink = sink
        self._staging = staging
        self._identity = identity
        self._tally = tally
        self._cancellation = cancellation
        self.last: SinkCommit | None = None
        self.cursor: Cursor | None = None
        self.slice_index = 0

    def land(self, session: StagingSession, manifest: SliceManifest, *, reused: bool) -> None:
        """Commit one sealed slice and continue from what the sink recorded.

        Rows that the sink refuses go to quarantine if the policy allows it; the others are staged once more without
        them, apart from the slice that other sinks may share.

        Raises:
            SupersededError: Another attempt was faster, with other rows.
            DataError: The sink refuses rows, and the policy is to fail or there are too many.
        """
        with self._tally.phase("import"):
            try:
                commit = self._commit(session.reader(), manifest, reused=reused)
            except RowsRejectedError as error:
                rejected = self._may_reject(error, manifest)
                commit = self._commit_accepted(session.reader(), manifest, rejected, reused=reused)
        with self._tally.phase("cleanup"):
            session.mark_landed()
        self.last = commit
        self.cursor = manifest.cursor
        self.slice_index = manifest.slice_index + 1

    def _commit(self, reader: RecordReader, manifest: SliceManifest, *, reused: bool) -> SinkCommit:
        record = self._record(manifest, reused=reused)
        self._quarantine(reader, record)
        unit = self._request.execution.unit
        # The offsets of a topic are no column; there the order of reading tells which row of a key is the last.
        is_column = any(field.name == unit.cursor_field for field in manifest.input.fields)
        commit = self._send(
            CommitRequest(
                target=unit.target,
                write_mode=unit.write_mode,
                primary_key=unit.primary_key,
                cursor_field=unit.cursor_field if is_column else None,
                record=record,
                expected_version=None if self.last is None else self.last.output.version,
                schema_change=self._request.policy.schema_change,
                delete_field=self._request.policy.delete_field,
            ),
            reader,
        )
        if commit.record.resume != record.resume:
            raise SupersededError(
                "another attempt committed this slice with other rows; the next attempt continues from there"
            )
        self._tally.committed(record.totals, commit)
        return commit

    def _record(self, manifest: SliceManifest, *, reused: bool) -> CommitRecord:
        checkpoint = self._request.checkpoint
        return CommitRecord(
            run_id=self._identity.run_id,
            unit_key=self._identity.unit_key,
            batch_id=manifest.batch_id,
            resume=ResumeRecord(
                generation=checkpoint.generation,
                checkpoint_version=checkpoint.version,
                slice_index=manifest.slice_index,
                cursor=manifest.cursor,
            ),
            totals=self._tally.including(manifest, reused=reused),
            input=manifest.input,
        )

    def _quarantine(self, reader: RecordReader, record: CommitRecord) -> None:
        """Commit the slice's rejected rows before its others: rows that nobody took must not get lost in between."""
        rejected = reader.rejected()
        if rejected is None:
            return
        target = f"{self._request.execution.unit.target}{QUARANTINE_SUFFIX}"
        key = self._identity.quarantine_key
        last = self._sink.last_commit(key, target)
        self._send(
            CommitRequest(
                target=target,
                write_mode="append",
                primary_key=[],
                cursor_field=None,
                record=record.model_copy(update={"unit_key": key}),
                expected_version=None if last is None else last.output.version,
            ),
            rejected,
        )

    def _send(self, request: CommitRequest, reader: RecordReader) -> SinkCommit:
        """Commit to the sink; what it says of a slice that was damaged meanwhile is a fault of staging, not of it.

        Raises:
            StagingError: The slice is no longer what was sealed.
        """
        try:
            return self._sink.commit(request, reader, self._cancellation)
        except (SinkError, OSError, pa.ArrowException):
            reader.verify()
            raise

    def _may_reject(self, error: RowsRejectedError, manifest: SliceManifest) -> Mapping[int, RejectedRow]:
        """Return the rows that the sink refuses, if they may go to quarantine."""
        policy = self._request.policy
        if not error.rejected:
            raise InternalError("a sink refused rows without naming them")
        first = next(iter(error.rejected.values()))
        if policy.bad_rows == "fail":
            raise DataError(
                f"{len(error.rejected)} row(s) can't be written: {first.reason}; correct them in the source, or set "
                "the policy badRows to quarantine",
                code=first.code,
                field=first.field,
            )
        before = self._tally.totals.rows_quarantined + sum(entry.rows for entry in manifest.quarantine)
        if before + len(error.rejected) > policy.max_bad_rows:
            raise DataError(
                f"more than {policy.max_bad_rows} row(s) can't be moved exactly (policy maxBadRows), the last ones "
                f"because: {first.reason}; correct the source, or allow more",
                code="TOO_MANY_BAD_ROWS",
                field=first.field,
            )
        return error.rejected

    def _commit_accepted(
        self, reader: RecordReader, manifest: SliceManifest, rejected: Mapping[int, RejectedRow], *, reused: bool
    ) -> SinkCommit:
        session = self._staging.allocate_session(self._identity.accepted_context(manifest.slice_index))
        with closing(session):
            accepted = session.staged()
            if accepted is None:
                with writing(session) as writer:
                    accepted = self._restage(writer, reader, manifest, rejected)
            commit = self._commit(session.reader(), accepted, reused=reused)
            session.mark_landed()
            return commit

    def _restage(
        self,
        writer: RecordWriter,
        reader: RecordReader,
        manifest: SliceManifest,
        rejected: Mapping[int, RejectedRow],
    ) -> SliceManifest:
        position = 0
        for batch in reader.iter_batches(_CHUNK_ROWS):
            self._cancellation.check()
            keep = [index for index in range(batch.num_rows) if position + index not in rejected]
            position += batch.num_rows
            writer.write_batch(batch.take(pa.array(keep, pa.int64())))
        names = {"run_id": self._identity.run_id, "batch_id": manifest.batch_id}
        refused = list(rejected.values())
        writer.write_rejected([*_rows_of(reader.rejected()), *refused], **names)
        quarantine = merged_quarantine(manifest.quarantine, quarantine_entries(refused))
        seal = {name: getattr(manifest, name) for name in SliceSeal.model_fields}
        return writer.seal(SliceSeal(**(seal | {"quarantine": quarantine})))


def _rows_of(reader: RecordReader | None) -> Iterator[RejectedRow]:
    if reader is None:
        return
    for path in reader.part_paths():
        for row in pq.read_table(path, columns=["code", "field", "reason", "row"]).to_pylist():
            yield RejectedRow(**row)
