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

from ingestion_runtime.events import Progress
from ingestion_runtime.ingestion.export import Export
from ingestion_runtime.ingestion.landing import Landing, writing
from ingestion_runtime.ingestion.tally import Tally
from ingestion_runtime.ingestion.unit_identity import UnitIdentity
from ingestion_runtime.ingestion.unit_rules import check_unit
from runtime_common.bad_rows import BadRows
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import (
    NewCheckpoint,
    RunIngestionUnitInput,
    RunIngestionUnitResult,
)
from runtime_common.cursor import TIME_FAMILIES
from runtime_common.exceptions import ConfigurationError, DataError, InternalError
from runtime_common.protocols import (
    Cut,
    Cutter,
    ExtractionEnd,
    ReadRequest,
    Rows,
    SliceManifest,
    SourceRead,
    StagingProvider,
    StagingSession,
)
from runtime_common.state import (
    check_cursor_fits,
    check_same_source,
    check_target_known,
    cursor_digest,
    effective_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from runtime_common.endpoints import EndpointFactory
    from runtime_common.protocols import IngestionContext
    from runtime_common.run_metadata import RunMetadataFolder


@dataclass(frozen=True, kw_only=True)
class RuntimeEnvironment:
    """What a run needs from its process.

    Attributes:
        factory: Builds the endpoints.
        staging: Staging providers by id.
        metadata: Takes the normalized metadata of semantic sources.
        attempt: Number of this attempt, from 1; with the execution's fence it tells attempts apart.
        cancellation: Asks the run to stop.
        progress: Counts rows for whoever watches.
    """

    factory: EndpointFactory
    staging: Mapping[str, StagingProvider]
    metadata: RunMetadataFolder
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
        self._metadata = environment.metadata
        descriptor = environment.factory.descriptor(execution.sink, "sink")
        check_unit(request, sink_title=descriptor.title, write_modes=descriptor.write_modes)
        self._source = environment.factory.source(execution.source)
        self._sink = environment.factory.sink(execution.sink)
        self._staging = _staging(environment.staging, request.staging_provider_id)
        self._identity = UnitIdentity(request, attempt=environment.attempt)
        self._tally = Tally(progress=environment.progress, cancellation=environment.cancellation)
        self._landing = Landing(
            request,
            sink=self._sink,
            staging=self._staging,
            identity=self._identity,
            tally=self._tally,
            cancellation=environment.cancellation,
        )

    def execute(self) -> RunIngestionUnitResult:
        with self._tally.phase("import"):
            last = self._sink.last_commit(self._identity.unit_key, self._unit.target)
        self._landing.last = last
        if self._unit.mode == "full":
            self._tally.resume(last, self._identity.run_id, continues=False)
            self._begin_reading()
            self._replace_all()
        else:
            start = effective_start(self._request.checkpoint, last)
            self._tally.resume(last, self._identity.run_id, continues=start.slice_index > 0)
            self._begin_reading()
            with self._tally.phase("import"):
                check_target_known(
                    start.cursor,
                    last,
                    target=self._unit.target,
                    may_have_forgotten=partial(self._sink.may_have_forgotten, self._unit.target),
                )
            self._landing.cursor = start.cursor
            self._landing.slice_index = start.slice_index
            self._take_staged_slices()
            if self._staging.extraction_end(self._context()) != self._reached():
                self._read_new_slices()
        self._progress.enter("cleanup")
        return self._result()

    def _begin_reading(self) -> None:
        policy = self._request.policy
        self._bad_rows = BadRows(
            policy=policy.bad_rows, limit=policy.max_bad_rows, before=self._tally.totals.rows_quarantined
        )
        self._export = Export(
            self._request,
            identity=self._identity,
            landing=self._landing,
            metadata=self._metadata,
            bad_rows=self._bad_rows,
        )

    def _replace_all(self) -> None:
        """Move the whole object in one commit; a run that finds its own commit in the sink has nothing left to do."""
        last = self._landing.last
        if last is not None and last.record.batch_id == self._identity.batch_id(0):
            return
        with self._session() as session:
            manifest = session.staged()
            reused = manifest is not None
            if manifest is None:
                manifest = self._export_all(session)
            self._landing.land(session, manifest, reused=reused)

    def _export_all(self, session: StagingSession) -> SliceManifest:
        with (
            self._tally.phase("export"),
            self._source.open(self._read_request(cursor_field=None), self._cancellation) as read,
            closing(read.batches(lower=None, upper=None)) as batches,
            writing(session) as writer,
        ):
            self._check_key(read)
            self._export.choose_columns(read)
            open_slice = self._export.begin(read, writer)
            for batch in batches:
                self._cancellation.check()
                self._progress.read(batch.num_rows)
                open_slice.write(batch)
            return open_slice.seal(None, skipped=0)

    def _take_staged_slices(self) -> None:
        """Commit the slices that an earlier attempt, or a run into another sink, has staged on top of this cursor."""
        while True:
            with self._session() as session:
                manifest = session.staged()
                if manifest is None or manifest.starts_after != cursor_digest(self._landing.cursor):
                    return
                self._progress.read(manifest.counts.rows_read)
                self._landing.land(session, manifest, reused=True)

    def _read_new_slices(self) -> None:
        policy = self._request.policy
        with self._tally.phase("export"):
            opened = self._source.open(self._read_request(cursor_field=self._unit.cursor_field), self._cancellation)
        with opened as read:
            cutter = self._prepare(read)
            upper = self._staging.fix_upper_bound(self._context(), read.upper_bound)
            cursor = self._landing.cursor
            # Closed here and now: a stream that a failed run leaves to the garbage collector would hold its locks on.
            with closing(
                read.batches(
                    lower=None if cursor is None else cursor.value,
                    upper=upper,
                    lookback_seconds=policy.lookback_seconds,
                )
            ) as batches:
                self._export_slices(read, cutter, batches)
        self._staging.end_extraction(self._context(), self._reached())

    def _reached(self) -> ExtractionEnd:
        return ExtractionEnd(slices=self._landing.slice_index, reached=cursor_digest(self._landing.cursor))

    def _read_request(self, *, cursor_field: str | None) -> ReadRequest:
        policy = self._request.policy
        return ReadRequest(
            object=self._unit.object,
            cursor_field=cursor_field,
            include_null_cursors=policy.null_cursor == "include",
            lag_seconds=policy.lag_seconds,
            tie_break_field=policy.tie_break_field,
            redelivers=self._unit.write_mode == "merge",
            engine=policy.engine,
            bad_rows=self._bad_rows,
        )

    def _prepare(self, read: SourceRead) -> Cutter:
        """Check what was stored against what the source is now."""
        column = read.cursor_column
        cursor = self._landing.cursor
        policy = self._request.policy
        self._check_key(read)
        check_same_source(cursor, self._landing.last, read.dataset)
        if column is not None:
            check_cursor_fits(cursor, column=column)
            if policy.lookback_seconds and column.family not in TIME_FAMILIES:
                raise ConfigurationError(
                    f"lookbackSeconds needs a time cursor, but {column.field!r} is {column.sql_type}",
                    field="policy.lookbackSeconds",
                )
            self._check_null_cursors(read)
        compared = self._export.choose_columns(read)
        self._tally.input = self._export.input
        return read.cutter(start=cursor, slice_rows=policy.slice_rows, compared=compared)

    def _check_null_cursors(self, read: SourceRead) -> None:
        """Stop at rows without a cursor value, if the policy says so; sources that can count them before do."""
        column = read.cursor_column
        if column is not None and read.null_cursor_rows and self._request.policy.null_cursor == "fail":
            raise DataError(
                f"{read.null_cursor_rows} row(s) have no value in cursor column {column.field!r}; set the policy "
                "nullCursor to include (needs merge) or exclude, or fill the column",
                code="NULL_CURSOR",
                field=column.field,
            )

    def _export_slices(self, read: SourceRead, cutter: Cutter, batches: Iterator[pa.RecordBatch]) -> None:
        """Write, seal and land one slice after the other; a slice is opened by its first row."""
        steps = self._steps(read, cutter, batches)
        counted = 0
        while True:
            with self._tally.phase("export"):
                step = next(steps, None)
            if step is None:
                break
            with self._session() as session:
                with self._tally.phase("export"), writing(session) as writer:
                    open_slice = self._export.begin(read, writer)
                    while isinstance(step, Rows):
                        open_slice.write(step.batch)
                        step = next(steps, None)
                    if step is None:
                        raise InternalError("the stream ended inside a slice")
                    skipped, counted = cutter.rows_skipped - counted, cutter.rows_skipped
                    manifest = open_slice.seal(step.cursor, skipped=skipped)
                self._landing.land(session, manifest, reused=False)
        self._land_rest(read, skipped=cutter.rows_skipped - counted)

    def _land_rest(self, read: SourceRead, *, skipped: int) -> None:
        """Land what the end of the read has left without a slice: rejected rows, metadata, and counts."""
        if self._bad_rows.waiting:
            with self._session() as session:
                with self._tally.phase("export"), writing(session) as writer:
                    manifest = self._export.begin(read, writer).seal(self._landing.cursor, skipped=skipped)
                self._landing.land(session, manifest, reused=False)
            skipped = 0
        self._tally.left_metadata(self._export.metadata_files(read))
        self._tally.read_after_the_last_slice(
            skipped=skipped, null_cursor_rows=read.null_cursor_rows, engine=read.engine
        )

    def _steps(self, read: SourceRead, cutter: Cutter, batches: Iterator[pa.RecordBatch]) -> Iterator[Rows | Cut]:
        for batch in batches:
            self._cancellation.check()
            self._check_null_cursors(read)
            self._progress.read(batch.num_rows)
            yield from cutter.feed(batch)
        final = cutter.end()
        if final is not None:
            yield final

    def _check_key(self, read: SourceRead) -> None:
        for name in self._unit.primary_key:
            if name not in read.schema.names:
                raise ConfigurationError(
                    f"the primary key names {name!r}, but the source has {', '.join(read.schema.names)}",
                    field="unit.primaryKey",
                )

    def _context(self) -> IngestionContext:
        return self._identity.context(self._landing.slice_index)

    @contextmanager
    def _session(self) -> Iterator[StagingSession]:
        with closing(self._staging.allocate_session(self._context())) as session:
            yield session

    def _result(self) -> RunIngestionUnitResult:
        last = self._landing.last
        cursor = self._landing.cursor
        output = last.output if last is not None else self._sink.current_output(self._unit.target)
        moved = cursor is not None and cursor != self._request.checkpoint.cursor
        return RunIngestionUnitResult(
            new_checkpoint=NewCheckpoint(cursor=cursor) if moved and cursor is not None else None,
            stats=self._tally.stats(output=output),
            metadata_files=self._tally.totals.metadata_files,
        )


def _staging(providers: Mapping[str, StagingProvider], provider_id: str) -> StagingProvider:
    try:
        return providers[provider_id]
    except KeyError:
        raise ConfigurationError(
            f"this worker has no staging provider {provider_id!r}; it knows {', '.join(sorted(providers))}",
            code="UNKNOWN_STAGING_PROVIDER",
            field="stagingProviderId",
        ) from None
