"""What a staging provider promises: slices that are whole or absent, and that outlive the attempt that wrote them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from runtime_common.contracts import ContractModel, Cursor, DatasetRef, QuarantineEntry, RunMetadataFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from runtime_common.bad_rows import RejectedRow


@dataclass(frozen=True, kw_only=True)
class IngestionContext:
    """Whose slice it is, and on top of which checkpoint it is read.

    Attributes:
        unit_key: Endpoint, unit and sink, joined.
        sink_key: Names the sink for its landing mark.
        run_id: Run that asks.
        extraction_id: Shared by the runs that write one extraction to several sinks.
        fence: Fence of the execution and number of the attempt: tells writers of different attempts apart.
        generation: Of the checkpoint; reset and rewind begin a new one, and never take what an older one has staged.
        source_digest: Hash of everything that decides which rows the source yields, the starting cursor included.
        shared_between_runs: False for full reads: another extraction wants the rows of its own time.
    """

    unit_key: str
    sink_key: str
    run_id: str
    extraction_id: str
    fence: tuple[int, int]
    generation: int
    source_digest: str
    shared_between_runs: bool
    slice_index: int


class SliceCounts(ContractModel):
    """What the export of one slice saw."""

    rows_read: int
    rows_skipped_at_watermark: int
    null_cursor_rows: int = 0


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
    engine: str = ""
    metadata_files: list[RunMetadataFile] = Field(default_factory=list)
    quarantine: list[QuarantineEntry] = Field(default_factory=list)


class SliceManifest(SliceSeal):
    """The seal and the files.

    Attributes:
        sink_key: Sink for which the slice was read.
        fence: Of the attempt that wrote it; those of one sink are in order.
        arrow_schema: The columns as an Arrow IPC message in base64.
    """

    sink_key: str
    fence: tuple[int, int]
    arrow_schema: str
    parts: list[StagedPart]
    rejected_parts: list[StagedPart] = Field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)


class ExtractionEnd(ContractModel):
    """How many slices an extraction has, and the digest of the cursor that it has reached."""

    slices: int
    reached: str


class RecordWriter(Protocol):
    """Takes rows until it is sealed or aborted."""

    def write_batch(self, batch: pa.RecordBatch | Iterable[Mapping[str, Any]]) -> None:
        """Append rows; dictionaries are a convenience that costs a conversion."""
        ...

    def write_rejected(self, rows: Sequence[RejectedRow], *, run_id: str, batch_id: str) -> None:
        """Append rows that go to quarantine, beside the others."""
        ...

    def seal(self, seal: SliceSeal) -> SliceManifest:
        """Make the slice complete and visible (`_SUCCESS`)."""
        ...

    def abort(self) -> None:
        """Forget everything written."""
        ...


class RecordReader(Protocol):
    """Reads a sealed slice; each method raises :class:`StagingError` for one that was damaged since."""

    manifest: SliceManifest

    def schema(self) -> pa.Schema:
        """Return the columns as the files have them."""
        ...

    def verify(self) -> None:
        """Read everything back and compare checksums.

        Raises:
            StagingError: The slice is not what was sealed.
        """
        ...

    def iter_batches(self, chunk_size: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of at most ``chunk_size`` rows."""
        ...

    def part_paths(self) -> Sequence[Path]:
        """Return the Parquet files on this machine, brought here first where they are elsewhere."""
        ...

    def part_urls(self) -> Sequence[str]:
        """Return the Parquet files as Spark reads them."""
        ...

    def rejected(self) -> RecordReader | None:
        """Return a reader of the rows that go to quarantine; its manifest names them as the parts."""
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
        """Return the extraction's upper bound: ``proposed`` for its first reader, that again for all others."""
        ...

    def extraction_end(self, context: IngestionContext) -> ExtractionEnd | None:
        """Return where the extraction ends from this starting cursor; None unless the source was read to its end."""
        ...

    def end_extraction(self, context: IngestionContext, end: ExtractionEnd) -> None:
        """Record that the source was read to its end, so that nobody has to ask it again for this extraction."""
        ...

    def ttl_cleanup(self, now: datetime) -> CleanupReport:
        """Remove what has expired and is not leased."""
        ...

    def close(self) -> None:
        """Stop what runs in the background; what is staged stays."""
        ...
