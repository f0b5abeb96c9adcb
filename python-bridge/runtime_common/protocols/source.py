"""What a source promises: one consistent read of one object, and where that read may be cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from runtime_common.bad_rows import BadRows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import TracebackType

    import pyarrow as pa

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor, CursorFamily, DatasetRef, MetadataContents, ReadEngine


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """What to read.

    Attributes:
        object: The unit's object, by the source template's object schema.
        cursor_field: Column to order by; None reads everything in any order.
        include_null_cursors: Whether rows without a cursor value come too, before all others.
        lag_seconds: How long before now the upper bound stays.
        tie_break_field: Unique column that orders rows of one cursor value.
        redelivers: Whether rows that were committed may come again, because the sink merges them by key.
        engine: What reads, where a source has a choice.
        bad_rows: Takes the rows that the source can't deliver exactly, or fails for them.
    """

    object: Mapping[str, Any]
    cursor_field: str | None
    include_null_cursors: bool = False
    lag_seconds: float = 0
    tie_break_field: str | None = None
    redelivers: bool = False
    engine: ReadEngine = "auto"
    bad_rows: BadRows = field(default_factory=BadRows)


@dataclass(frozen=True, kw_only=True)
class CursorColumn:
    """The cursor column as the source declares it; ``precision`` counts fractional digits of seconds."""

    field: str
    sql_type: str
    family: CursorFamily
    precision: int


@dataclass(frozen=True)
class Rows:
    """Rows to write into the present slice."""

    batch: pa.RecordBatch


@dataclass(frozen=True)
class Cut:
    """The slice ends here; ``cursor`` is the checkpoint that it allows, None if no row ever had a cursor value."""

    cursor: Cursor | None


class Cutter(Protocol):
    """Turns the batches of one read into rows to write and places where a checkpoint may stand (rules R2, R3)."""

    rows_skipped: int
    """Rows that an earlier run had committed."""

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield what to do with one batch, in order."""
        ...

    def end(self) -> Cut | None:
        """Return the last cut, or None when nothing was delivered since the one before."""
        ...


@dataclass(frozen=True, kw_only=True)
class MetadataTable:
    """Normalized metadata of one kind, in the columns of the bulk route (docs/bulk.md).

    Link sets have ``from`` and ``to``, a list of urns: the links of the kind that leave ``from`` become exactly these.
    Deletions have ``urn``.
    """

    contents: MetadataContents
    kind: str
    table: pa.Table


class SourceRead(Protocol):
    """One consistent read of one object, open until closed."""

    dataset: DatasetRef
    schema: pa.Schema
    schema_fingerprint: str
    engine: str
    """What reads, for the stats, e.g. ``adbc``."""
    cursor_column: CursorColumn | None
    upper_bound: str | None
    """Canonical upper bound, fixed before the first row; None when no row has a cursor value or the source has none."""
    null_cursor_rows: int
    """Rows without a cursor value; a source that can't count them before counts while it reads."""

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows with ``lower - lookback <= cursor <= upper`` (R2, R4), in order if the cutter needs it."""
        ...

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> Cutter:
        """Return what cuts this read.

        Args:
            start: Cursor that the read continues from.
            slice_rows: Rows after which a slice may end.
            compared: Columns by which rows at ``start`` are recognised, where the schema has grown; None for all.
        """
        ...

    def take_metadata(self) -> list[MetadataTable]:
        """Return the normalized metadata of the rows since the last call. Only semantic sources have any."""
        return []

    def __enter__(self) -> SourceRead: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SourceEndpoint(Protocol):
    """An upstream system that rows are exported from."""

    def open(self, request: ReadRequest, cancellation: Cancellation) -> SourceRead:
        """Connect, take the snapshot, read the schema and fix the upper bound.

        Raises:
            SourceError: Typed by what went wrong, with the config field at fault.
        """
        ...
