"""Canonical text of cursor values, and the Arrow form in which they are compared.

Forms (``ingestion/contracts/checkpoint.ts``): timestamptz ``YYYY-MM-DDTHH:MM:SS.ffffffZ``, timestamp the same without
``Z``, date ``YYYY-MM-DD``, integer and decimal in plain notation, text as it is (ordered by code point).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.exceptions import CheckpointMismatchError, DataError

if TYPE_CHECKING:
    from runtime_common.contracts import CursorFamily

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE = date(1970, 1, 1)
_TIMESTAMP = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}"
_PATTERNS: dict[CursorFamily, re.Pattern[str]] = {
    "timestamptz": re.compile(_TIMESTAMP + "Z"),
    "timestamp": re.compile(_TIMESTAMP),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "integer": re.compile(r"-?(0|[1-9]\d*)"),
    "decimal": re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?"),
    "text": re.compile(r".+", re.DOTALL),
}
TIME_FAMILIES: frozenset[CursorFamily] = frozenset({"timestamptz", "timestamp", "date"})


def is_canonical(family: CursorFamily, value: str) -> bool:
    """Return whether ``value`` is in the canonical form of its family."""
    return _PATTERNS[family].fullmatch(value) is not None


def check_canonical(family: CursorFamily, value: str) -> str:
    """Return ``value`` if it is in the canonical form of its family.

    Raises:
        CheckpointMismatchError: It is not, so it was not made by this code.
    """
    if not is_canonical(family, value):
        raise CheckpointMismatchError(
            f"the checkpoint's cursor value is no canonical {family}; restore the checkpoint, or define a new unit id "
            "with a new target",
            code="CHECKPOINT_VALUE_INVALID",
        )
    return value


def canonical_decimal(value: Decimal) -> str:
    """Return plain notation without exponent, trailing zeros or a negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def comparable(column: pa.Array, family: CursorFamily) -> pa.Array:
    """Return the column in a form whose equality and order are those of the source."""
    if family in {"timestamptz", "timestamp"}:
        return column.cast(pa.timestamp("us")).view(pa.int64())
    if family == "date":
        return column.cast(pa.date32()).view(pa.int32())
    return column


def out_of_range(column: str) -> DataError:
    """Return the error of a time that has no canonical form."""
    return DataError(
        f"cursor column {column!r} holds a value outside the years 1 to 9999, which can't be a watermark; exclude or "
        "correct that row",
        code="CURSOR_OUT_OF_RANGE",
        field=column,
    )


def empty_text(column: str) -> DataError:
    """Return the error of a watermark that would be the empty text."""
    return DataError(
        f"the highest value of cursor column {column!r} is the empty text, which can't be a watermark; correct those "
        "rows or choose another column",
        code="CURSOR_EMPTY",
        field=column,
    )


def canonical(value: Any, family: CursorFamily, *, column: str) -> str:
    """Return the canonical text of one value of a :func:`comparable` column.

    Raises:
        DataError: The value lies outside the years 1 to 9999, or is the empty text; names ``column``.
    """
    if value == "":
        raise empty_text(column)
    try:
        if family in {"timestamptz", "timestamp"}:
            text = (_EPOCH + timedelta(microseconds=value)).strftime("%Y-%m-%dT%H:%M:%S.%f")
            # strftime leaves out leading zeros of years before 1000 on some platforms.
            text = text.rjust(len("0001-01-01T00:00:00.000000"), "0")
            return text + ("Z" if family == "timestamptz" else "")
        if family == "date":
            return (_EPOCH_DATE + timedelta(days=value)).isoformat()
    except OverflowError:
        raise out_of_range(column) from None
    return canonical_decimal(value) if family == "decimal" else str(value)


def scalar(text: str, family: CursorFamily, type_: pa.DataType) -> pa.Scalar:
    """Return canonical ``text`` as a scalar to compare with a :func:`comparable` column of ``type_``."""
    check_canonical(family, text)
    if family in {"timestamptz", "timestamp"}:
        moment = datetime.strptime(text.rstrip("Z"), "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)
        return pa.scalar((moment - _EPOCH) // timedelta(microseconds=1), type_)
    if family == "date":
        return pa.scalar((date.fromisoformat(text) - _EPOCH_DATE).days, type_)
    if family == "integer":
        return pa.scalar(int(text), type_)
    if family == "decimal":
        return pa.scalar(Decimal(text), type_)
    return pa.scalar(text, type_)


def change_positions(values: pa.Array) -> list[int]:
    """Return each index whose value differs from the one before; the first row is never listed."""
    if len(values) < 2:
        return []
    changed = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
    return [position + 1 for position in pc.indices_nonzero(changed).to_pylist()]
