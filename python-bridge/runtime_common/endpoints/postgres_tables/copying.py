"""Rows of Arrow batches as PostgreSQL's binary COPY takes them, and the rows that it could never take.

Dates and times travel as whole numbers counted from 2000, which is their form on the wire, so that every value that a
column can hold arrives to the last microsecond, also those beyond the years that Python's own types know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.bad_rows import RejectedRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runtime_common.endpoints.postgres_tables.column_types import SqlType
    from runtime_common.endpoints.postgres_tables.delivery import PreparedBatch

# 2000-01-01, PostgreSQL's epoch, in the days and microseconds of 1970.
_EPOCH_DAYS = 10_957
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400 * 1_000_000
# What date and timestamp can hold: 4714-11-24 BC to the ends of the years 5874897 and 294276.
_DAYS = (-2_451_545 + _EPOCH_DAYS, 2_145_031_948 + _EPOCH_DAYS)
_MICROSECONDS = (-211_813_488_000_000_000 + _EPOCH_MICROSECONDS, 9_223_371_331_200_000_000 - 1)
_WIRE_TYPES = {
    "date": "int4",
    "timestamp with time zone": "int8",
    "timestamp without time zone": "int8",
    "time without time zone": "int8",
    "boolean": "bool",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
}
_SHOWN_CHARACTERS = 4_096


def wire_type(column: SqlType) -> str:
    """Return the type as which psycopg writes a column's values."""
    if column.base.endswith("[]"):
        return f"{wire_type(column.element)}[]"
    return _WIRE_TYPES.get(column.base, column.base)


def wire_values(values: pa.Array, column: SqlType) -> list[object]:
    """Return a column's values as Python objects of its wire type; rows that can't be taken must be out already."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if column.base.startswith("timestamp"):
        return _since_2000(values.cast(pa.timestamp("us", tz=values.type.tz)).view(pa.int64()), _EPOCH_MICROSECONDS)
    if column.base.startswith("time "):
        return list(values.cast(pa.time64("us")).view(pa.int64()).to_pylist())
    if column.base.endswith("[]"):
        return _lists(values, column.element)
    if column.base == "date":
        return _since_2000(values.cast(pa.date32()).view(pa.int32()), _EPOCH_DAYS)
    return list(values.to_pylist())


def copy_rows(batch: pa.RecordBatch, columns: Sequence[SqlType], *, first_row: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a batch for COPY, each after its position in the slice."""
    numbers = range(first_row, first_row + batch.num_rows)
    values = [wire_values(column, type_) for column, type_ in zip(batch.columns, columns, strict=True)]
    return zip(numbers, *values, strict=True)


def refused_rows(batch: PreparedBatch, columns: Mapping[str, SqlType], *, key: Sequence[str]) -> dict[int, RejectedRow]:
    """Return the rows that no COPY and no comparison by key can take, by their position in the batch.

    Args:
        batch: The rows; those that are refused already stay so.
        columns: Types of the target's columns by name.
        key: Columns that identify a row in a merge; empty otherwise.
    """
    found = dict(batch.refused)
    for name, values in zip(batch.rows.schema.names, batch.rows.columns, strict=True):
        for code, reason, mask in _faults(values, columns[name], is_key=name in key):
            for position in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
                text = row_text(batch.source.slice(position, 1))
                found.setdefault(position, RejectedRow(code=code, field=name, reason=f"{name} {reason}", row=text))
    return found


def row_text(one: pa.RecordBatch) -> str:
    """Return a batch of one row as JSON text, for the quarantine."""
    return json.dumps({name: _shown(column) for name, column in zip(one.schema.names, one.columns, strict=True)})


def _faults(values: pa.Array, column: SqlType, *, is_key: bool) -> Iterator[tuple[str, str, pa.Array]]:
    if is_key and values.null_count:
        yield "KEY_IS_NULL", "is part of the primary key and has no value", values.is_null()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        yield "TEXT_HOLDS_NUL", "holds a NUL character, which PostgreSQL can't store", pc.match_substring(values, "\0")
        if column.max_characters is not None:
            too_long = pc.greater(pc.utf8_length(values), column.max_characters)
            yield "VALUE_TOO_LONG", f"is longer than the {column.max_characters} characters of its column", too_long
    elif column.base.endswith("[]"):
        yield from _faults_in_lists(values, column)
    elif pa.types.is_timestamp(values.type) or pa.types.is_time64(values.type):
        if values.type.unit == "ns":
            uneven = pc.not_equal(_modulo(values.view(pa.int64()), 1000), 0)
            yield "VALUE_TOO_FINE", "has nanoseconds, and its column keeps microseconds", uneven
        elif pa.types.is_timestamp(values.type):
            low, high = (_scaled(bound, values.type.unit) for bound in _MICROSECONDS)
            yield "VALUE_OUT_OF_RANGE", "lies outside of what a timestamp can hold", _outside(values, low, high)
    elif pa.types.is_date32(values.type):
        yield "VALUE_OUT_OF_RANGE", "lies outside of what a date can hold", _outside(values, *_DAYS)


def _lists(values: pa.Array, element: SqlType) -> list[object]:
    """Return the lists of an array whose elements are written one by one."""
    flat = wire_values(pc.list_flatten(values), element)
    start = 0
    lists: list[object] = []
    for length in pc.list_value_length(values).to_pylist():
        lists.append(None if length is None else flat[start : start + length])
        start += length or 0
    return lists


def _faults_in_lists(values: pa.Array, column: SqlType) -> Iterator[tuple[str, str, pa.Array]]:
    parents = pc.list_parent_indices(values)
    numbers = pa.array(range(len(values)), pa.int64())
    for code, reason, mask in _faults(pc.list_flatten(values), column.element, is_key=False):
        yield code, reason, pc.is_in(numbers, value_set=parents.filter(pc.fill_null(mask, False)))


def _since_2000(values: pa.Array, epoch: int) -> list[object]:
    return [None if value is None else value - epoch for value in values.to_pylist()]


def _outside(values: pa.Array, low: int, high: int) -> pa.Array:
    numbers = values.view(pa.int32() if pa.types.is_date32(values.type) else pa.int64())
    return pc.or_(pc.less(numbers, low), pc.greater(numbers, high))


def _scaled(microseconds: int, unit: str) -> int:
    return microseconds // {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]


def _modulo(numbers: pa.Array, divisor: int) -> pa.Array:
    return pc.subtract(numbers, pc.multiply(pc.divide(numbers, divisor), divisor))


def _shown(column: pa.Array) -> object:
    """Return a value as JSON can hold it; text of the values that it can't, and no more than the quarantine needs."""
    try:
        value = column[0].as_py()
    except (ValueError, OverflowError):
        # Beyond the years that Python's own types know.
        value = column.view(pa.int64() if column.type.bit_width == 64 else pa.int32())[0].as_py()
    if isinstance(value, bytes):
        value = value.hex()
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)[:_SHOWN_CHARACTERS]
