"""A read of JSON records that keeps to a window of the cursor, whatever the server delivers.

A server may take bounds only roughly (whole minutes, whole days), or not at all. So each record is held against the
bounds here, and the upper one is fixed before the first record (rule R4): a record that changes while others are read
waits for the next run, and can't lift the watermark over changes that this read has already passed by.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.contracts import DatasetRef
from runtime_common.cursor import TIME_FAMILIES, comparable, scalar
from runtime_common.exceptions import ConfigurationError, InternalError
from runtime_common.protocols import CursorColumn, SourceRead
from runtime_common.slicing import SliceCutter, WholeReadCutter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor, CursorFamily
    from runtime_common.endpoints.json_rows.records import RecordDecoder, RejectedRecord
    from runtime_common.protocols import Cutter, ReadRequest

_FAMILIES: dict[str, CursorFamily] = {
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
    "date": "date",
    "integer": "integer",
    "text": "text",
}
_MICROSECONDS = 6
_TIME_FORMATS = {"timestamptz": "%Y-%m-%dT%H:%M:%S.%fZ", "timestamp": "%Y-%m-%dT%H:%M:%S.%f", "date": "%Y-%m-%d"}


class WindowRead(SourceRead):
    """See :class:`runtime_common.protocols.SourceRead`; a subclass says how records are fetched.

    Args:
        namespace: Of the data set.
        name: Likewise.
        decoder: Makes rows of records.
        request: What to read.
        ordered: Whether the server delivers by the cursor, ascending; proven while the read is cut.
        now: The server's clock, or ours where that is behind; the upper bound of times stays ``lag_seconds`` below.
        cancellation: Ends the read.

    Raises:
        ConfigurationError: The unit asks for what records can't give.
    """

    engine = "http"

    def __init__(
        self,
        *,
        namespace: str,
        name: str,
        decoder: RecordDecoder,
        request: ReadRequest,
        ordered: bool,
        now: datetime,
        cancellation: Cancellation,
    ) -> None:
        self._decoder = decoder
        self._bad_rows = request.bad_rows
        self._include_nulls = request.include_null_cursors
        self._ordered = ordered
        self._cancellation = cancellation
        self.dataset = DatasetRef(namespace=namespace, name=name, version=None, fields=decoder.fields)
        self.schema = decoder.schema
        self.schema_fingerprint = decoder.fingerprint
        self.cursor_column = _cursor_column(request, decoder)
        self.upper_bound = _upper_bound(self.cursor_column, now - timedelta(seconds=request.lag_seconds))
        self.null_cursor_rows = 0

    @abstractmethod
    def _fetch(self, lower: str | None, upper: str | None) -> Iterator[list[Any]]:
        """Yield records, a page at a time.

        Args:
            lower: Canonical, the look-back taken off; None from the beginning.
            upper: Canonical, inclusive; None without an end.
        """

    def _note(self, records: list[Any]) -> None:
        """Learn from records what no row tells; for sources that leave metadata."""

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows within the bounds; see the protocol.

        Raises:
            SourceError: The server fails, refuses, or gives no answer that can be read.
            DataError: A record can't be a row.
        """
        column = self.cursor_column
        start = lower
        if column is not None and lower is not None and lookback_seconds:
            start = earlier(lower, column.family, lookback_seconds)
        for records in self._fetch(start, upper):
            self._cancellation.check()
            self._note(records)
            decoded = self._decoder.decode(records)
            yield self._within(decoded.batch, start, upper)
            for rejected in self._rejected_within(decoded.rejected, start, upper):
                self._bad_rows.reject(rejected.row)

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> Cutter:
        """Return what cuts this read: after any slice where it is ordered, else at its end."""
        column = self.cursor_column
        if column is None:
            raise InternalError("a read without a cursor column was to be cut")
        if self._ordered:
            return SliceCutter(
                column=column,
                schema_fingerprint=self.schema_fingerprint,
                start=start,
                slice_rows=slice_rows,
                compared=compared,
            )
        return WholeReadCutter(
            column=column, schema_fingerprint=self.schema_fingerprint, start=start, compared=compared
        )

    def _within(self, batch: pa.RecordBatch, lower: str | None, upper: str | None) -> pa.RecordBatch:
        column = self.cursor_column
        if column is None:
            return batch
        values = comparable(batch.column(column.field), column.family)
        self.null_cursor_rows += values.null_count
        rows = batch.filter(_mask(values, column.family, lower, upper))
        if not self._include_nulls or not values.null_count:
            return rows
        return pa.concat_batches([batch.filter(pc.is_null(values)), rows])

    def _rejected_within(
        self, rejected: list[RejectedRecord], lower: str | None, upper: str | None
    ) -> Iterator[RejectedRecord]:
        """Leave out what an earlier run has told of, and what the next one will; what can't be told apart stays."""
        column = self.cursor_column
        if column is None or not rejected:
            yield from rejected
            return
        type_ = self.schema.field(column.field).type
        found = pa.array([self._decoder.value(one.record, column.field) for one in rejected], type_)
        values = comparable(found, column.family)
        mask = pc.or_(pc.is_null(values), _mask(values, column.family, lower, upper))
        for one, inside in zip(rejected, mask.to_pylist(), strict=True):
            if inside:
                yield one

    def __enter__(self) -> WindowRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open."""


def earlier(value: str, family: CursorFamily, seconds: float) -> str:
    """Return the canonical time that lies ``seconds`` before another one."""
    moment = datetime.strptime(value, _TIME_FORMATS[family])  # noqa: DTZ007 - its zone is that of its family
    try:
        moment -= timedelta(seconds=seconds)
    except OverflowError:
        moment = datetime.min  # noqa: DTZ901 - likewise
    return canonical_time(moment, family)


def canonical_time(moment: datetime, family: CursorFamily) -> str:
    """Return a time in the canonical form of its family."""
    digits = moment.strftime(_TIME_FORMATS[family])
    # strftime leaves out leading zeros of years before 1000 on some platforms.
    return digits.rjust(len(datetime(2000, 1, 1, tzinfo=UTC).strftime(_TIME_FORMATS[family])), "0")


def _mask(values: pa.Array, family: CursorFamily, lower: str | None, upper: str | None) -> pa.Array:
    """Return which values lie within the bounds; those that are NULL do not."""
    mask = pc.is_valid(values)
    if lower is not None:
        mask = pc.and_(mask, pc.fill_null(pc.greater_equal(values, scalar(lower, family, values.type)), False))
    if upper is not None:
        mask = pc.and_(mask, pc.fill_null(pc.less_equal(values, scalar(upper, family, values.type)), False))
    return mask


def _cursor_column(request: ReadRequest, decoder: RecordDecoder) -> CursorColumn | None:
    if request.tie_break_field is not None:
        raise ConfigurationError(
            "records have no order within a tie; remove tieBreakField", field="policy.tieBreakField"
        )
    if request.engine == "spark":
        raise ConfigurationError("records are not read by Spark; set engine to auto", field="policy.engine")
    name = request.cursor_field
    if name is None:
        return None
    declared = next((one for one in decoder.fields if one.name == name), None)
    if declared is None or declared.type not in _FAMILIES:
        what = "no field" if declared is None else f"a field of type {declared.type}"
        raise ConfigurationError(
            f"the cursor field {name!r} is {what}; it must be one of type {', '.join(_FAMILIES)}",
            field="unit.cursorField",
        )
    family = _FAMILIES[declared.type]
    if request.lag_seconds and family not in TIME_FAMILIES:
        raise ConfigurationError(
            f"lagSeconds needs a time cursor, but {name!r} is {declared.type}", field="policy.lagSeconds"
        )
    precision = _MICROSECONDS if family in {"timestamptz", "timestamp"} else 0
    return CursorColumn(field=name, sql_type=declared.type, family=family, precision=precision)


def _upper_bound(column: CursorColumn | None, now: datetime) -> str | None:
    if column is None or column.family not in TIME_FAMILIES:
        return None
    return canonical_time(now.astimezone(UTC), column.family)
