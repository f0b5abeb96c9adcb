"""JSON values as the types that a field may declare: exactly, or refused."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from runtime_common.exact_json import json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]

TimeFormat = Literal["iso", "epochSeconds", "epochMillis", "epochMicros"]

_DECIMAL = re.compile(r"decimal\(([1-9][0-9]?),([0-9]{1,2})\)")
_DECIMAL_MAX_PRECISION = 38
_INT64 = 2**63
_WHOLE = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,4})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.(?P<fraction>\d+))?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_MICROSECOND_DIGITS = 6
_EXACT = Context(prec=60, traps=[Inexact])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS: dict[TimeFormat, int] = {"epochSeconds": 1_000_000, "epochMillis": 1_000, "epochMicros": 1}


def converter(declared: str, time_format: TimeFormat) -> tuple[pa.DataType, Convert]:
    """Return the Arrow type of a declared type, and what turns a JSON value other than null into it.

    The conversion raises a ValueError with the rule that the value breaks, never with the value.

    Raises:
        ValueError: There is no such type, or the format does not go with it.
    """
    if time_format != "iso" and declared not in {"timestamptz", "timestamp"}:
        raise ValueError(f"the format {time_format} is one of timestamptz and timestamp; remove it")
    if declared.startswith("decimal"):
        precision, scale = decimal_of(declared)
        return pa.decimal128(precision, scale), lambda value: _decimal(value, precision, scale)
    if time_format != "iso":
        unit = _MICROSECONDS[time_format]
        if declared == "timestamptz":
            return _TYPES[declared][0], lambda value: _since_epoch(value, unit)
        return _TYPES[declared][0], lambda value: _since_epoch(value, unit).replace(tzinfo=None)
    return _TYPES[declared]


def decimal_of(declared: str) -> tuple[int, int]:
    """Return precision and scale.

    Raises:
        ValueError: No such decimal exists.
    """
    parts = _DECIMAL.fullmatch(declared)
    precision, scale = (int(parts[1]), int(parts[2])) if parts else (0, 0)
    if not 0 <= scale <= precision or not 1 <= precision <= _DECIMAL_MAX_PRECISION:
        raise ValueError("must be decimal(p,s) with 1 ≤ p ≤ 38 and 0 ≤ s ≤ p")
    return precision, scale


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not text")
    return value


def _integer(value: Any) -> int:
    """Numbers as text are common where readers would round them."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value) if abs(value) < _INT64 * 2 else _INT64
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is no whole number")
    if not -_INT64 <= value < _INT64:
        raise ValueError("is no integer of 64 bits")
    return value


def _decimal(value: Any, precision: int, scale: int) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("is no number")
    number = Decimal(value)
    # Leading zeros count for nothing, so the digits before the point are those above the scale.
    if number and (number.adjusted() >= precision - scale or -_last_digit(number) > scale):
        raise ValueError(f"is no exact decimal({precision},{scale})")
    return number


def _last_digit(number: Decimal) -> int:
    """Return the power of ten of the last digit that is not zero."""
    _, digits, exponent = number.as_tuple()
    zeros = next(position for position, digit in enumerate(reversed(digits)) if digit)
    return int(exponent) + zeros


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise ValueError("is beyond the range of a double")
    return number


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _timestamptz(value: Any) -> datetime:
    moment = _moment(value)
    if moment.tzinfo is None:
        raise ValueError("is a time without a zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999") from None


def _timestamp(value: Any) -> datetime:
    moment = _moment(value)
    if moment.tzinfo is not None:
        raise ValueError("is a time with a zone; declare it as timestamptz")
    return moment


def _moment(value: Any) -> datetime:
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise ValueError("is no time by ISO 8601")
    if (parts["fraction"] or "")[_MICROSECOND_DIGITS:].strip("0"):
        raise ValueError("is finer than microseconds")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no time by ISO 8601") from None


def _since_epoch(value: Any, unit: int) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("is no number")
    number = Decimal(value)
    try:
        if abs(number) >= _INT64:
            raise OverflowError
        microseconds = _EXACT.multiply(number, unit)
        if microseconds != microseconds.to_integral_value():
            raise Inexact
        return _EPOCH + timedelta(microseconds=int(microseconds))
    except Inexact:
        raise ValueError("is finer than microseconds") from None
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999") from None


def _date(value: Any) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("is no date by ISO 8601")


def _json(value: Any) -> str:
    try:
        return json_text(value)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


_TYPES: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "text": (pa.string(), _text),
    "integer": (pa.int64(), _integer),
    "double": (pa.float64(), _double),
    "boolean": (pa.bool_(), _boolean),
    "timestamptz": (pa.timestamp("us", tz="UTC"), _timestamptz),
    "timestamp": (pa.timestamp("us"), _timestamp),
    "date": (pa.date32(), _date),
    "json": (pa.string(), _json),
}
