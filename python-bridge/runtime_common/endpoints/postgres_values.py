"""From what the driver delivers to the exact types of the staged rows, and rows that have none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.bad_rows import RejectedRow
from runtime_common.protocols import Cut, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_common.bad_rows import BadRows
    from runtime_common.endpoints.postgres_schema import Column, TableSchema
    from runtime_common.protocols import Cutter

REJECTION = "\x00rejection"
"""A column that batches with bad rows have in addition: why a row can't be delivered, as JSON; NULL for the others."""

# 24 November 4714 BC, where PostgreSQL's calendar begins. The driver adds 30 years to a number that is counted from
# 2000: infinities and years after 294246 run over and come out far below.
_FIRST_MICROSECOND = -210_866_803_200_000_000
_FIRST_DAY = -2_440_588
_EPOCH_MICROSECONDS = 946_684_800_000_000
_EPOCH_DAYS = 10_957
_CODE = "VALUE_NOT_REPRESENTABLE"


class ExactValues:
    """Converts the batches of one read.

    Args:
        table: The columns that were selected.
    """

    def __init__(self, table: TableSchema) -> None:
        self._columns = table.columns
        self._schema = table.arrow

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch in the types of the schema; where rows have no exact form, with :data:`REJECTION`."""
        columns = []
        faults: dict[int, dict[str, str]] = {}
        for declared, field, values in zip(self._columns, self._schema, batch.columns, strict=True):
            storage = values.storage if isinstance(values, pa.ExtensionArray) else values
            bad = _unrepresentable(storage, field.type)
            for index in () if bad is None else pc.indices_nonzero(bad).to_pylist():
                faults.setdefault(index, {})[declared.name] = _original(storage[index])
            if bad is not None and pa.types.is_decimal(field.type):
                storage = pc.if_else(bad, None, storage)
            columns.append(storage.cast(field.type))
        converted = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        if not faults:
            return converted
        notes = [
            json.dumps(self._rejection(converted, index, faults[index])) if index in faults else None
            for index in range(batch.num_rows)
        ]
        return converted.append_column(REJECTION, pa.array(notes, pa.string()))

    def _rejection(self, batch: pa.RecordBatch, index: int, faults: dict[str, str]) -> dict[str, str | None]:
        first = next(one for one in self._columns if one.name in faults)
        row = {one.name: faults.get(one.name, _text(batch.column(one.name)[index])) for one in self._columns}
        return {"field": first.name, "reason": _reason(first), "row": json.dumps(row, ensure_ascii=False)}


def without_rejected(batch: pa.RecordBatch, bad_rows: BadRows) -> pa.RecordBatch:
    """Return the rows that can be delivered, and hand the others over.

    Raises:
        DataError: The policy is to fail, or too many rows were rejected.
    """
    if REJECTION not in batch.schema.names:
        return batch
    notes = batch.column(REJECTION)
    for text in notes.drop_null().to_pylist():
        note = json.loads(text)
        bad_rows.reject(RejectedRow(code=_CODE, field=note["field"], reason=note["reason"], row=note["row"]))
    return batch.filter(pc.is_null(notes)).drop_columns(REJECTION)


class AcceptingCutter:
    """Hands bad rows over where the cutter would deliver them.

    A bad row counts as committed once it is in quarantine. So it passes through the cutter like any other row: one at
    the watermark is known by its hash afterwards, and no later run puts it there again.

    Args:
        cutter: Cuts the read; told to recognise rows by their own columns alone.
        bad_rows: Takes the bad rows.
    """

    def __init__(self, cutter: Cutter, bad_rows: BadRows) -> None:
        self._cutter = cutter
        self._bad_rows = bad_rows
        self.rows_skipped = 0

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield what to do with one batch, in order."""
        for step in self._cutter.feed(batch):
            self.rows_skipped = self._cutter.rows_skipped
            yield Rows(without_rejected(step.batch, self._bad_rows)) if isinstance(step, Rows) else step
        self.rows_skipped = self._cutter.rows_skipped

    def end(self) -> Cut | None:
        """Return the last cut, or None when nothing was delivered since the one before."""
        return self._cutter.end()


def _unrepresentable(values: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    """Return which values have no exact form; None when all have one."""
    if pa.types.is_timestamp(wanted):
        bad = pc.less(values.view(pa.int64()), _FIRST_MICROSECOND)
    elif pa.types.is_date32(wanted):
        bad = pc.less(values.view(pa.int32()), _FIRST_DAY)
    elif pa.types.is_decimal(wanted):
        bad = pc.is_in(values, pa.array(["NaN", "Infinity", "-Infinity"]))
    else:
        return None
    return bad if pc.any(bad).as_py() else None


def _reason(column: Column) -> str:
    if column.decimal is not None:
        return f"column {column.name!r} holds NaN or infinity, which {column.sql_type} can't keep as a number"
    return f"column {column.name!r} holds infinity or a time after the year 294246, which no time can keep exactly"


def _original(scalar: pa.Scalar) -> str:
    """Return what the server holds, for the quarantine."""
    if pa.types.is_timestamp(scalar.type):
        return _wrapped(scalar.cast(pa.int64()).as_py(), bits=64, epoch=_EPOCH_MICROSECONDS, unit="microseconds")
    if pa.types.is_date32(scalar.type):
        return _wrapped(scalar.cast(pa.int32()).as_py(), bits=32, epoch=_EPOCH_DAYS, unit="days")
    return str(scalar.as_py())


def _wrapped(value: int, *, bits: int, epoch: int, unit: str) -> str:
    half = 1 << (bits - 1)
    counted = (value - epoch + half) % (1 << bits) - half
    names = {half - 1: "infinity", -half: "-infinity"}
    return names.get(counted, f"{counted} {unit} after 2000-01-01")


def _text(scalar: pa.Scalar) -> Any:
    if not scalar.is_valid or pa.types.is_boolean(scalar.type):
        return scalar.as_py()
    if pa.types.is_binary(scalar.type):
        return f"\\x{scalar.as_py().hex()}"
    return scalar.cast(pa.string()).as_py()
