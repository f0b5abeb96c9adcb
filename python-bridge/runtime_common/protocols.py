"""The seams of the data plane: what a source, a staging provider and a sink promise to the runtime.

    SourceEndpoint.open() -> SourceRead.batches() -> RecordWriter   (export)
    RecordReader -> SinkEndpoint.commit()                          (import)

An endpoint implements one of these protocols and has a descriptor; the runtime knows no endpoint by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import Field

from runtime_common.contracts import ContractModel, Cursor, CursorFamily, DatasetRef, WriteMode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

    from runtime_common.cancellation import Cancellation


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """What to read.

    Attributes:
        object: The unit's object, by the source template's object schema.
        cursor_field: Column to order by; None reads everything in any order.
        include_null_cursors: Whether rows without a cursor value come too, before all others.
        lag_seconds: How long before now the upper bound stays.
    """

    object: Mapping[str, Any]
    cursor_field: str | None
    include_null_cursors: bool = False
    lag_seconds: float = 0


@dataclass(frozen=True, kw_only=True)
class CursorColumn:
    """The cursor column as the source declares it; ``precision`` counts fractional digits of seconds."""

    field: str
    sql_type: str
    family: CursorFamily
    precision: int


class SourceRead(Protocol):
    """One consistent snapshot of one object, open until closed."""

    dataset: DatasetRef
    schema: pa.Schema
    schema_fingerprint: str
    cursor_column: CursorColumn | None
    upper_bound: str | None
    """Canonical upper bound, fixed in the snapshot; None when no row has a cursor value."""
    null_cursor_rows: int

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows with ``lower - lookback <= cursor <= upper``, ordered by the cursor (R2, R3, R4)."""
        ...

    def __enter__(self) -> SourceRead: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SourceEndpoint(Protocol):
    """An upstream system that rows are exported from."""

    engine: str

    def open(self, request: ReadRequest, cancellation: Cancellation) -> SourceRead:
        """Connect, take the snapshot, read the schema and fix the upper bound.

        Raises:
            SourceError: Typed by what went wrong, with the config field at fault.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class IngestionContext:
    """Whose slice it is, and on top of which checkpoint it is read.

    Attributes:
        unit_key: Endpoint, unit and sink, joined.
        sink_key: Names the sink for its landing mark.
        run_id: Run that asks.
        fence: Fence of the execution and number of the attempt: tells writers of different attempts apart.
        source_digest: Hash of everything that decides which rows the source yields, the starting cursor included.
        shared_between_runs: False for full reads: another run wants the rows of its own time.
    """

    unit_key: str
    sink_key: str
    run_id: str
    fence: tuple[int, int]
    generation: int
    checkpoint_version: int
    source_digest: str
    shared_between_runs: bool
    slice_index: int


class SliceCounts(ContractModel):
    """What the export of one slice saw."""

    rows_read: int
    rows_skipped_at_watermark: int


class StagedPart(ContractModel):
    """One Parquet file of a slice."""

    name: str
    rows: int
    bytes: int
    sha256: str


class SliceSeal(ContractModel):
    """What the runtime knows about a slice once its last row is written."""

    batch_id: str
    slice_index: int
    starts_after: str
    """Digest of the cursor that the slice was read on top of; a slice is reused only on top of the same one."""
    cursor: Cursor | None
    counts: SliceCounts
    input: DatasetRef


class SliceManifest(SliceSeal):
    """The seal and the files."""

    parts: list[StagedPart]

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)


class RecordWriter(Protocol):
    """Takes rows until it is sealed or aborted."""

    def write_batch(self, batch: pa.RecordBatch | Iterable[Mapping[str, Any]]) -> None:
        """Append rows; dictionaries are a convenience that costs a conversion."""
        ...

    def seal(self, seal: SliceSeal) -> SliceManifest:
        """Make the slice complete and visible (`_SUCCESS`)."""
        ...

    def abort(self) -> None:
        """Forget everything written."""
        ...


class RecordReader(Protocol):
    """Reads a sealed slice."""

    manifest: SliceManifest

    def iter_batches(self, chunk_size: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of at most ``chunk_size`` rows."""
        ...

    def part_paths(self) -> Sequence[Path]:
        """Return the Parquet files, for sinks that read files themselves."""
        ...


class StagingSession(Protocol):
    """One slice in the staging area, leased while open."""

    id: str

    def staged(self) -> SliceManifest | None:
        """Return the manifest if the slice is complete, intact and not yet landed in this sink."""
        ...

    def writer(self) -> RecordWriter:
        """Start writing the slice anew."""
        ...

    def reader(self) -> RecordReader:
        """Read the sealed slice."""
        ...

    def mark_landed(self) -> None:
        """Record that the sink has committed the slice (`_LANDED`)."""
        ...

    def discard(self) -> None:
        """Remove a slice that can't be used."""
        ...

    def close(self) -> None:
        """Give the lease up."""
        ...


@dataclass(frozen=True, kw_only=True)
class CleanupReport:
    """What a sweep did."""

    removed: list[str] = field(default_factory=list)
    kept_live: list[str] = field(default_factory=list)


class StagingProvider(Protocol):
    """A place that buffers slices between source and sink."""

    def allocate_session(self, context: IngestionContext) -> StagingSession:
        """Return the session of a slice, new or left by an earlier attempt."""
        ...

    def fix_upper_bound(self, context: IngestionContext, proposed: str | None) -> str | None:
        """Return the run's upper bound: ``proposed`` for its first attempt, that one again for the later ones."""
        ...

    def ttl_cleanup(self, now: datetime) -> CleanupReport:
        """Remove what has expired and is not leased."""
        ...


class ResumeRecord(ContractModel):
    """Where the unit stood after a commit, and on top of which checkpoint that commit was made."""

    generation: int
    checkpoint_version: int
    slice_index: int
    cursor: Cursor | None


class RunTotals(ContractModel):
    """Sums over the slices of one run; ``rows_written`` without the commit that carries the totals."""

    rows_read: int = 0
    rows_written: int = 0
    rows_skipped_at_watermark: int = 0
    bytes_staged: int = 0
    slices: int = 0
    slices_reused: int = 0


class CommitRecord(ContractModel):
    """What a sink commit carries inside itself (rule R8)."""

    run_id: str
    unit_key: str
    batch_id: str
    resume: ResumeRecord
    totals: RunTotals
    input: DatasetRef


class SinkCommit(ContractModel):
    """A commit found in, or made to, the sink."""

    record: CommitRecord
    rows_written: Annotated[int, Field(ge=0)]
    output: DatasetRef


@dataclass(frozen=True, kw_only=True)
class CommitRequest:
    """One slice to commit.

    Attributes:
        target: Name of the table or sub-folder.
        expected_version: Version of the unit's last commit as this attempt knows it; None when there was none. The
            commit fails if the sink has moved on, so that an attempt that was thought dead can't write.
    """

    target: str
    write_mode: WriteMode
    primary_key: Sequence[str]
    cursor_field: str | None
    record: CommitRecord
    expected_version: str | None


class SinkEndpoint(Protocol):
    """An external store that staged rows are committed to; it never touches the knowledge base."""

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's latest commit to ``target``."""
        ...

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the target as it stands; None before it exists."""
        ...

    def may_have_forgotten(self, target: str) -> bool:
        """Return whether records of earlier commits to ``target`` may be gone; False for a target that is missing."""
        ...

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit the slice atomically, or return the earlier commit of the same batch.

        Raises:
            SupersededError: The unit's last commit is not the expected one.
            SinkError: The sink failed; nothing was committed.
        """
        ...
