"""Values of a column as text, for people: nothing is rounded and no time is moved into another zone."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.redaction import MASK, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def cell_texts(column: pa.ChunkedArray) -> Sequence[str | None]:
    """Return one text for each value: bytes as hexadecimal digits, lists and structs as JSON, NULL as None."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return cell_texts(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_dictionary(kind):
        return cell_texts(pc.cast(column, kind.value_type))
    if pa.types.is_nested(kind):
        return _each(column, _json)
    if any(is_kind(kind) for is_kind in _BYTES):
        return _each(column, _hexadecimal)
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return _each(column, str)
    texts: list[str | None] = pc.cast(column, pa.string()).to_pylist()
    return texts


def _each(column: pa.ChunkedArray, text: Callable[[Any], str]) -> list[str | None]:
    return [None if value is None else text(value) for value in column.to_pylist()]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_inside)


def _hexadecimal(value: bytes) -> str:
    # In hexadecimal a secret would be found by nobody who looks for it.
    plain = value.decode(errors="replace")
    return MASK if redact(plain) != plain else f"\\x{value.hex()}"


def _inside(value: object) -> str:
    """Return a value inside a list or struct that JSON has no form for."""
    if isinstance(value, bytes):
        return _hexadecimal(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
