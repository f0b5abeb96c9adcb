"""Cuts a read by a cursor column into slices whose ends are safe watermarks (rules R2, R3, R5).

SliceCutter         an ordered read: a watermark may stand wherever the cursor changes
WholeReadCutter     a read in any order: the watermark stands at the end only
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.contracts.checkpoint import MAX_BOUNDARY_ROWS, Cursor
from runtime_common.cursor import canonical, change_positions, comparable, scalar
from runtime_common.exceptions import DataError, InternalError
from runtime_common.protocols import Cut, Rows
from runtime_common.row_hash import row_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.contracts import CursorTie
    from runtime_common.protocols import CursorColumn


@dataclass
class LargeTies:
    """Groups of equal cursor values that no list of hashes can hold; shared with the read, which knows their size.

    Attributes:
        closing: Stands for all rows at the upper bound of the read, once that is known; None where hashes will do.
        closing_value: The upper bound.
    """

    closing: CursorTie | None = None
    closing_value: str | None = None


class Tie:
    """Hashes of all rows seen so far that share the highest cursor value.

    Args:
        hashed: Columns that make up a row; None for all of a batch.
    """

    def __init__(self, hashed: Sequence[str] | None = None) -> None:
        self._hashed = hashed
        self.value: Any = None
        self.hashes: list[str] = []
        self.rows = 0

    @property
    def makes_a_watermark(self) -> bool:
        """Whether a checkpoint can hold this value; a slice goes on to the next change where it can't."""
        return self.value is not None and self.value != "" and self.rows <= MAX_BOUNDARY_ROWS

    def absorb(self, values: pa.Array, rows: pa.RecordBatch) -> None:
        """Take in rows that are ordered, and not below those before."""
        if len(values) == 0:
            return
        changes = change_positions(values)
        start = changes[-1] if changes else 0
        if changes or values[0].as_py() != self.value:
            self._begin(values[-1].as_py())
        self._add(rows.slice(start))

    def absorb_unordered(self, values: pa.Array, rows: pa.RecordBatch) -> None:
        """Take in rows in any order; those without a value count for nothing."""
        highest = pc.max(values).as_py()
        if highest is None or (self.value is not None and highest < self.value):
            return
        if highest != self.value:
            self._begin(highest)
        self._add(rows.filter(pc.equal(values, pa.scalar(highest, values.type))))

    def _begin(self, value: Any) -> None:
        self.value = value
        self.hashes = []
        self.rows = 0

    def _add(self, rows: pa.RecordBatch) -> None:
        self.rows += rows.num_rows
        if self.rows <= MAX_BOUNDARY_ROWS:
            self.hashes += row_hashes(rows if self._hashed is None else rows.select(self._hashed))
        else:
            self.hashes = []


class _ColumnCutter:
    """What both cutters know of the watermark they start from and of the one they come to."""

    def __init__(
        self,
        *,
        column: CursorColumn,
        schema_fingerprint: str,
        start: Cursor | None,
        hashed: Sequence[str] | None = None,
        compared: Sequence[str] | None = None,
        large_ties: LargeTies | None = None,
    ) -> None:
        self._large_ties = large_ties or LargeTies()
        self._column = column
        self._fingerprint = schema_fingerprint
        self._start = start
        self._compared = hashed if compared is None else compared
        self._committed = Counter(start.boundary if start else ())
        self._tie = Tie(hashed)
        self._rows_in_slice = 0
        self.rows_skipped = 0

    def _without_committed(self, ties: pa.RecordBatch) -> pa.RecordBatch:
        fresh = []
        for index, digest in enumerate(row_hashes(ties if self._compared is None else ties.select(self._compared))):
            if self._committed[digest] > 0:
                self._committed[digest] -= 1
            else:
                fresh.append(index)
        self.rows_skipped += ties.num_rows - len(fresh)
        return ties.take(pa.array(fresh, pa.int64())) if len(fresh) < ties.num_rows else ties

    def _deliver(self, rows: pa.RecordBatch) -> Iterator[Rows]:
        if rows.num_rows:
            self._rows_in_slice += rows.num_rows
            yield Rows(rows)

    def _cursor(self, carried: Sequence[str] = ()) -> Cursor:
        value = canonical(self._tie.value, self._column.family, column=self._column.field)
        large = self._large_ties.closing if value == self._large_ties.closing_value else None
        if large is None and self._tie.rows + len(carried) > MAX_BOUNDARY_ROWS:
            raise DataError(
                f"more than {MAX_BOUNDARY_ROWS} rows share one value of cursor column {self._column.field!r}; "
                "choose a column with finer values, or set the policy tieBreakField",
                code="CURSOR_TOO_COARSE",
                field=self._column.field,
            )
        return Cursor(
            field=self._column.field,
            sql_type=self._column.sql_type,
            family=self._column.family,
            time_zone="UTC" if self._column.family == "timestamptz" else "none",
            precision=self._column.precision,
            value=value,
            boundary=[] if large is not None else sorted([*self._tie.hashes, *carried]),
            tie=large,
            schema_fingerprint=self._fingerprint,
        )


class SliceCutter(_ColumnCutter):
    """Turns ordered batches into rows to write and places to cut.

    A slice ends after ``slice_rows`` rows at the next change of the cursor, never inside a group of equal values,
    never below the watermark it started from and never behind a value that no checkpoint can hold. Rows at that
    watermark which an earlier run committed are dropped and counted; a row that changed since then is delivered again.

    Args:
        column: The cursor column.
        schema_fingerprint: Goes into each cursor.
        start: Cursor that the stream was opened at, None for the first run.
        slice_rows: Rows after which a slice may end.
        hashed: Columns that make up a row, where batches have others beside them; None for all.
        compared: Columns by which committed rows are recognised, where the schema has grown; None for all.
        large_ties: What the read knows of groups that are too large to list.
    """

    def __init__(
        self,
        *,
        column: CursorColumn,
        schema_fingerprint: str,
        start: Cursor | None,
        slice_rows: int,
        hashed: Sequence[str] | None = None,
        compared: Sequence[str] | None = None,
        large_ties: LargeTies | None = None,
    ) -> None:
        super().__init__(
            column=column,
            schema_fingerprint=schema_fingerprint,
            start=start,
            hashed=hashed,
            compared=compared,
            large_ties=large_ties,
        )
        self._slice_rows = slice_rows
        self._highest: pa.Scalar | None = None

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield what to do with one batch, in order."""
        values = comparable(batch.column(self._column.field), self._column.family)
        position = values.null_count
        self._check_order(values.slice(position))
        if position:
            yield from self._deliver(batch.slice(0, position))
        if self._start is not None:
            watermark = scalar(self._start.value, self._column.family, values.type)
            below = pc.sum(pc.less(values, watermark)).as_py() or 0
            equal = pc.sum(pc.equal(values, watermark)).as_py() or 0
            if below:
                yield from self._deliver(batch.slice(position, below))
            position += below
            if equal:
                ties = batch.slice(position, equal)
                self._tie.absorb(values.slice(position, equal), ties)
                yield from self._deliver(self._without_committed(ties))
            position += equal
        yield from self._cut_where_allowed(values.slice(position), batch.slice(position))

    def end(self) -> Cut | None:
        """Return the last cut, or None when nothing was delivered since the one before."""
        if self._rows_in_slice == 0:
            return None
        cursor = self._cursor() if self._tie.value is not None else self._start
        self._rows_in_slice = 0
        return Cut(cursor)

    def _check_order(self, values: pa.Array) -> None:
        """Prove the order that every cut relies on (rule R3): a row behind a cut below it would never be read again.

        Raises:
            InternalError: The source delivered rows in another order.
        """
        if len(values) == 0:
            return
        before, after = values.slice(0, len(values) - 1), values.slice(1)
        falls = values.null_count > 0 or pc.any(pc.greater(before, after)).as_py()
        if falls or (self._highest is not None and pc.greater(self._highest, values[0]).as_py()):
            raise InternalError(
                f"the source delivered rows that are not ordered by {self._column.field!r}, so no part of them can be "
                "committed alone",
                code="READ_NOT_ORDERED",
                field=self._column.field,
            )
        self._highest = values[-1]

    def _cut_where_allowed(self, values: pa.Array, rows: pa.RecordBatch) -> Iterator[Rows | Cut]:
        if len(values) == 0:
            return
        changes = change_positions(values)
        if self._tie.value is not None and values[0].as_py() != self._tie.value:
            changes.insert(0, 0)
        done = 0
        for change in changes:
            if self._rows_in_slice + change - done < self._slice_rows:
                continue
            yield from self._advance(values, rows, done, change)
            done = change
            if self._tie.makes_a_watermark and not self._is_partly_known and self._rows_in_slice:
                yield Cut(self._cursor())
                self._rows_in_slice = 0
        yield from self._advance(values, rows, done, len(values))

    @property
    def _is_partly_known(self) -> bool:
        """Whether the group is that of a watermark of which the read has left the committed rows out."""
        if self._start is None or self._start.tie is None:
            return False
        return self._start.value == canonical(self._tie.value, self._column.family, column=self._column.field)

    def _advance(self, values: pa.Array, rows: pa.RecordBatch, start: int, end: int) -> Iterator[Rows]:
        if end > start:
            piece = rows.slice(start, end - start)
            self._tie.absorb(values.slice(start, end - start), piece)
            yield from self._deliver(piece)


class WholeReadCutter(_ColumnCutter):
    """Takes a read in any order as one slice: only its end says that no row of a lower value is still to come.

    The watermark is the highest value of all rows, and never below the one it started from. Of that one the rows that
    an earlier run committed stay known, whether or not the source delivers them again.
    """

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield the rows of one batch without those that an earlier run committed."""
        values = comparable(batch.column(self._column.field), self._column.family)
        if self._start is None:
            self._tie.absorb_unordered(values, batch)
            yield from self._deliver(batch)
            return
        watermark = scalar(self._start.value, self._column.family, values.type)
        reached = pc.fill_null(pc.greater_equal(values, watermark), False)
        self._tie.absorb_unordered(values.filter(reached), batch.filter(reached))
        equal = pc.fill_null(pc.equal(values, watermark), False)
        yield from self._deliver(batch.filter(pc.invert(equal)))
        yield from self._deliver(self._without_committed(batch.filter(equal)))

    def end(self) -> Cut | None:
        """Return the only cut, or None when nothing was delivered."""
        if self._rows_in_slice == 0:
            return None
        self._rows_in_slice = 0
        if self._tie.value is None:
            return Cut(self._start)
        at_start = self._start is not None and self._start.value == canonical(
            self._tie.value, self._column.family, column=self._column.field
        )
        return Cut(self._cursor(list(self._committed.elements()) if at_start else ()))
