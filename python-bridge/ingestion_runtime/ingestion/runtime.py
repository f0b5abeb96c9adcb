"""``run_ingestion``: one unit, from its source through staging into its sink.

The sink's own commit records, not this process, know how far a unit is. Each attempt asks the sink first, takes slices
that an earlier attempt staged, and reads the rest from the source. A crash at any point leaves a state from which that
works.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion_runtime.events import Progress
from ingestion_runtime.ingestion.tally import Tally
from ingestion_runtime.ingestion.unit_identity import UnitIdentity
from ingestion_runtime.ingestion.unit_rules import check_unit
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import (
    Cursor,
    DatasetRef,
    NewCheckpoint,
    RunIngestionUnitInput,
    RunIngestionUnitResult,
)
from runtime_common.cursor import TIME_FAMILIES
from runtime_common.exceptions import ConfigurationError, DataError, InternalError, SupersededError
from runtime_common.protocols import (
    CommitRecord,
    CommitRequest,
    ReadRequest,
    RecordWriter,
    ResumeRecord,
    SliceCounts,
    SliceManifest,
    SliceSeal,
    SourceRead,
    StagingProvider,
    StagingSession,
)
from runtime_common.slicing import Cut, Rows, SliceCutter
from runtime_common.state import (
    check_cursor_fits,
    check_same_source,
    check_target_known,
    cursor_digest,
    effective_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runtime_common.endpoints import EndpointFactory


@dataclass(frozen=True, kw_only=True)
class RuntimeEnvironment:
    """What a run needs from its process.

    Attributes:
        factory: Builds the endpoints.
        staging: Staging providers by id.
        attempt: Number of this attempt, from 1; with the execution's fence it tells attempts apart.
        cancellation: Asks the run to stop.
        progress: Counts rows for whoever watches.
    """

    factory: EndpointFactory
    staging: Mapping[str, StagingProvider]
    attempt: int = 1
    cancellation: Cancellation = field(default_factory=Cancellation)
    progress: Progress = field(default_factory=Progress)


def run_ingestion(request: RunIngestionUnitInput, environment: RuntimeEnvironment) -> RunIngestionUnitResult:
    """Move the unit's new rows and return the checkpoint that they allow.

    Args:
        request: The contract's input; secrets in it are still sealed.
        environment: Endpoints, staging, cancellation and progress.

    Raises:
        IngestionError: Typed; the sink holds whole slices only and the next attempt continues after the last one.
        RunCancelledError: The run was cancelled.
    """
    return _UnitRun(request, environment).execute()


class _UnitRun:
    def __init__(self, request: RunIngestionUnitInput, environment: RuntimeEnvironment) -> None:
        execution = request.execution
        self._request = request
        self._unit = execution.unit
        self._cancellation = environment.cancellation
        self._progress = environment.progress
        descriptor = environment.factory.sink_descriptor(execution.sink)
        check_unit(request, sink_title=descriptor.title, write_modes=descriptor.write_modes)
        self._source = environment.factory.source(execution.source)
        self._sink = environment.factory.sink(execution.sink)
        self._staging = _staging(environment.staging, request.staging_provider_id)
        self._identity = UnitIdentity(request, attempt=environment.attempt)
        self._tally = Tally(progress=environment.progress, cancellation=environment.cancellation)

    def execute(self) -> RunIngestionUnitResult:
        with self._tally.phase("import"):
            self._last = self._sink.last_commit(self._identity.unit_key, self._unit.target)
        self._tally.resume(self._last, self._identity.run_id)
        if self._unit.mode == "full":
            self._cursor: Cursor | None = None
            self._slice_index = 0
            self._replace_all()
        else:
            start = effective_start(self._request.checkpoint, self._last)
            with self._tally.phase("import"):
                check_target_known(
                    start.cursor,
                    self._last,
                    target=self._unit.target,
                    may_have_forgotten=partial(self._sink.may_have_forgotten, self._unit.target),
                )
            self._cursor = start.cursor
            self._slice_index = start.slice_index
            self._take_staged_slices()
            self._read_new_slices()
        self._progress.enter("cleanup")
        return self._result()

    def _replace_all(self) -> None:
        """Move the whole table in one commit; a run that finds its own commit in the sink has nothing left to do."""
        if self._last is not None and self._last.record.batch_id == self._identity.batch_id(0):
            return
        with self._session() as session:
            manifest = session.staged()
            reused = manifest is not None
            if manifest is None:
                manifest = self._export_all(session)
            self._import(session, manifest, reused=reused)

    def _export_all(self, session: StagingSession) -> SliceManifest:
        with (
            self._tally.phase("export"),
            self._source.open(ReadRequest(object=self._unit.object, cursor_field=None), self._cancellation) as read,
            closing(read.batches(lower=None, upper=None)) as batches,
            _writing(session) as writer,
        ):
            self._check_key(read)
            rows = 0
            for batch in batches:
                self._cancellation.check()
                writer.write_batch(batch)
                rows += batch.num_rows
                self._progress.read(batch.num_rows)
            if rows == 0:
                # An empty table still replaces the target, and its files need the columns.
                writer.write_batch(pa.RecordBatch.from_pylist([], schema=read.schema))
            return writer.seal(self._seal(read.dataset, None, rows=rows, skipped=0))

    def _take_staged_slices(self) -> None:
        """Commit the slices that an earlier attempt had staged on top of exactly this cursor."""
        while True:
            with self._session() as session:
                manifest = session.staged()
                if manifest is None or manifest.starts_after != cursor_digest(self._cursor):
                    return
                self._progress.read(manifest.counts.rows_read)
                self._import(session, manifest, reused=True)

    def _read_new_slices(self) -> None:
        policy = self._request.policy
        with self._tally.phase("export"):
            opened = self._source.open(
                ReadRequest(
                    object=self._unit.object,
                    cursor_field=self._unit.cursor_field,
                    include_null_cursors=policy.null_cursor == "include",
                    lag_seconds=policy.lag_seconds,
                ),
                self._cancellation,
            )
        with opened as read:
            cutter = self._prepare(read)
            upper = self._staging.fix_upper_bound(self._identity.context(self._slice_index), read.upper_bound)
            # Closed here and now: a stream that a failed run leaves to the garbage collector would hold its locks on.
            with closing(
                read.batches(
                    lower=None if self._cursor is None else self._cursor.value,
                    upper=upper,
                    lookback_seconds=policy.lookback_seconds,
                )
            ) as batches:
                self._export_slices(read, cutter, batches)

    def _prepare(self, read: SourceRead) -> SliceCutter:
        """Check what was stored against what the source is now."""
        column = read.cursor_column
        if column is None:
            raise InternalError("the source opened an incremental read without a cursor column")
        policy = self._request.policy
        self._check_key(read)
        check_same_source(self._cursor, self._last, read.dataset)
        check_cursor_fits(self._cursor, column=column, schema_fingerprint=read.schema_fingerprint)
        if policy.lookback_seconds and column.family not in TIME_FAMILIES:
            raise ConfigurationError(
                f"lookbackSeconds needs a time cursor, but {column.field!r} is {column.sql_type}",
                field="policy.lookbackSeconds",
            )
        self._tally.null_cursor_rows = read.null_cursor_rows
        if read.null_cursor_rows and policy.null_cursor == "fail":
            raise DataError(
                f"{read.null_cursor_rows} row(s) have no value in cursor column {column.field!r}; set the policy "
                "nullCursor to include (needs merge) or exclude, or fill the column",
                code="NULL_CURSOR",
                field=column.field,
            )
        self._tally.input = read.dataset
        return SliceCutter(
            column=column,
            schema_fingerprint=read.schema_fingerprint,
            start=self._cursor,
            slice_rows=policy.slice_rows,
        )

    def _export_slices(self, read: SourceRead, cutter: SliceCutter, batches: Iterator[pa.RecordBatch]) -> None:
        """Write, seal and import one slice after the other; a slice is opened by its first row."""
        steps = self._steps(cutter, batches)
        counted = 0
        while True:
            with self._tally.phase("export"):
                step = next(steps, None)
            if step is None:
                break
            with self._session() as session:
                with self._tally.phase("export"), _writing(session) as writer:
                    rows = 0
                    while isinstance(step, Rows):
                        writer.write_batch(step.batch)
                        rows += step.batch.num_rows
                        step = next(steps, None)
                    if step is None:
                        raise InternalError("the stream ended inside a slice")
                    skipped, counted = cutter.rows_skipped - counted, cutter.rows_skipped
                    manifest = writer.seal(self._seal(read.dataset, step.cursor, rows=rows, skipped=skipped))
                self._import(session, manifest, reused=False)
        self._tally.skipped(cutter.rows_skipped - counted)

    def _steps(self, cutter: SliceCutter, batches: Iterator[pa.RecordBatch]) -> Iterator[Rows | Cut]:
        for batch in batches:
            self._cancellation.check()
            self._progress.read(batch.num_rows)
            yield from cutter.feed(batch)
        final = cutter.end()
        if final is not None:
            yield final

    def _import(self, session: StagingSession, manifest: SliceManifest, *, reused: bool) -> None:
        """Commit one sealed slice and continue from what the sink recorded."""
        record = CommitRecord(
            run_id=self._identity.run_id,
            unit_key=self._identity.unit_key,
            batch_id=manifest.batch_id,
            resume=ResumeRecord(
                generation=self._request.checkpoint.generation,
                checkpoint_version=self._request.checkpoint.version,
                slice_index=manifest.slice_index,
                cursor=manifest.cursor,
            ),
            totals=self._tally.including(manifest, reused=reused),
            input=manifest.input,
        )
        request = CommitRequest(
            target=self._unit.target,
            write_mode=self._unit.write_mode,
            primary_key=self._unit.primary_key,
            cursor_field=self._unit.cursor_field,
            record=record,
            expected_version=None if self._last is None else self._last.output.version,
        )
        with self._tally.phase("import"):
            commit = self._sink.commit(request, session.reader(), self._cancellation)
            if commit.record.resume != record.resume:
                raise SupersededError(
                    "another attempt committed this slice with other rows; the next attempt continues from there"
                )
            self._tally.committed(record.totals, commit)
        with self._tally.phase("cleanup"):
            session.mark_landed()
        self._last = commit
        self._cursor = manifest.cursor
        self._slice_index = manifest.slice_index + 1

    def _check_key(self, read: SourceRead) -> None:
        for name in self._unit.primary_key:
            if name not in read.schema.names:
                raise ConfigurationError(
                    f"the primary key names {name!r}, but the source has {', '.join(read.schema.names)}",
                    field="unit.primaryKey",
                )

    def _seal(self, dataset: DatasetRef, cursor: Cursor | None, *, rows: int, skipped: int) -> SliceSeal:
        return SliceSeal(
            batch_id=self._identity.batch_id(self._slice_index),
            slice_index=self._slice_index,
            starts_after=cursor_digest(self._cursor),
            cursor=cursor,
            counts=SliceCounts(rows_read=rows + skipped, rows_skipped_at_watermark=skipped),
            input=dataset,
        )

    @contextmanager
    def _session(self) -> Iterator[StagingSession]:
        session = self._staging.allocate_session(self._identity.context(self._slice_index))
        try:
            yield session
        finally:
            session.close()

    def _result(self) -> RunIngestionUnitResult:
        output = self._last.output if self._last is not None else self._sink.current_output(self._unit.target)
        moved = self._cursor is not None and self._cursor != self._request.checkpoint.cursor
        return RunIngestionUnitResult(
            new_checkpoint=NewCheckpoint(cursor=self._cursor) if moved and self._cursor is not None else None,
            stats=self._tally.stats(engine=self._source.engine, output=output),
        )


@contextmanager
def _writing(session: StagingSession) -> Iterator[RecordWriter]:
    """Write a slice and forget it if anything goes wrong before it is sealed."""
    writer = session.writer()
    try:
        yield writer
    except BaseException:
        writer.abort()
        raise


def _staging(providers: Mapping[str, StagingProvider], provider_id: str) -> StagingProvider:
    try:
        return providers[provider_id]
    except KeyError:
        raise ConfigurationError(
            f"this worker has no staging provider {provider_id!r}; it knows {', '.join(sorted(providers))}",
            code="UNKNOWN_STAGING_PROVIDER",
            field="stagingProviderId",
        ) from None
