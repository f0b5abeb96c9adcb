"""Arrow types as PostgreSQL columns, and which existing column takes which type without losing anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.exceptions import SinkSchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

_FIXED: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_int8, "smallint"),
    (pa.types.is_uint8, "smallint"),
    (pa.types.is_int16, "smallint"),
    (pa.types.is_uint16, "integer"),
    (pa.types.is_int32, "integer"),
    (pa.types.is_uint32, "bigint"),
    (pa.types.is_int64, "bigint"),
    (pa.types.is_uint64, "numeric(20,0)"),
    (pa.types.is_float16, "real"),
    (pa.types.is_float32, "real"),
    (pa.types.is_float64, "double precision"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_null, "text"),
    (pa.types.is_binary, "bytea"),
    (pa.types.is_large_binary, "bytea"),
    (pa.types.is_fixed_size_binary, "bytea"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time without time zone"),
)
# As format_type() prints it: "timestamp(3) with time zone", "numeric(10,2)", "character varying(20)".
_PRINTED = re.compile(r"(?P<base>[a-z ]+?)(\((?P<first>\d+)(,(?P<second>-?\d+))?\))?(?P<zone> with(out)? time zone)?")
_WIDER = ("smallint", "integer", "bigint")
_INTEGER_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_MICROSECOND_DIGITS = 6
# Types whose text form a source delivers; the server reads it back, and refuses what is none.
_READ_FROM_TEXT = frozenset({"json", "jsonb", "uuid", "inet", "cidr", "interval", "xml", "character varying"})


@dataclass(frozen=True)
class SqlType:
    """One column type, taken apart.

    Attributes:
        printed: As the server prints it.
        base: Its name without modifiers.
        first: Length, precision or fractional digits; None when the type carries none.
        second: Scale of a numeric.
    """

    printed: str
    base: str
    first: int | None = None
    second: int | None = None

    @classmethod
    def of(cls, printed: str) -> SqlType:
        """Take a printed type apart; one of another form is its own base."""
        match = _PRINTED.fullmatch(printed)
        if match is None:
            return cls(printed, printed)
        first, second = match["first"], match["second"]
        base = match["base"] + (match["zone"] or "")
        return cls(printed, base, None if first is None else int(first), None if second is None else int(second))

    @property
    def element(self) -> SqlType:
        """Type of an array's elements."""
        return SqlType.of(self.printed.removesuffix("[]"))

    @property
    def max_characters(self) -> int | None:
        """Longest text that the column takes."""
        return self.first if self.base == "character varying" else None


def column_type(field: pa.Field) -> SqlType:
    """Return the type that holds every value of an Arrow column exactly.

    Raises:
        SinkSchemaError: PostgreSQL has no such type.
    """
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    for is_type, printed in _FIXED:
        if is_type(type_):
            return SqlType.of(printed)
    if pa.types.is_timestamp(type_):
        return SqlType.of(f"timestamp with{'out' if type_.tz is None else ''} time zone")
    if pa.types.is_decimal(type_) and type_.scale >= 0:
        return SqlType.of(f"numeric({max(type_.precision, type_.scale)},{type_.scale})")
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        element = column_type(pa.field(field.name, type_.value_type))
        # Binary arrays name the type of their elements, so dates and times can't travel in them as whole numbers.
        if not element.base.endswith("[]") and not element.base.startswith(("date", "time")):
            return SqlType.of(f"{element.printed}[]")
    raise SinkSchemaError(
        f"column {field.name!r} of type {type_} has no exact counterpart in PostgreSQL; leave it out, or deliver it "
        "as text",
        field=field.name,
    )


def takes(existing: SqlType, unit: SqlType) -> bool:
    """Return whether a column takes the unit's values, each unchanged or not at all.

    It may be narrower: a value that does not fit is refused as a row. What would round or cut values in silence is no
    match: a smaller scale, fewer fractional digits, an integer into a floating-point column.
    """
    if existing == unit:
        return True
    if unit.base in _WIDER:
        return existing.base in _WIDER or (existing.base == "numeric" and (existing.second or 0) >= 0)
    if unit.base == "numeric":
        return existing.base == "numeric" and (existing.first is None or (existing.second or 0) >= (unit.second or 0))
    if unit.base == "real":
        return existing.base == "double precision"
    if unit.base == "text":
        return existing.base in _READ_FROM_TEXT
    same_time = unit.base == existing.base and unit.base.startswith("time")
    return same_time and existing.first in {None, _MICROSECOND_DIGITS}


def widened(existing: SqlType, unit: SqlType) -> SqlType | None:
    """Return the type that takes all values of both, where an ``ALTER TABLE`` to it loses nothing; None elsewhere."""
    if existing == unit:
        return None
    if existing.base in _WIDER and unit.base in _WIDER:
        return unit if _WIDER.index(unit.base) > _WIDER.index(existing.base) else None
    if (existing.base, unit.base) == ("real", "double precision"):
        return unit
    if unit.base != "numeric" or unit.first is None:
        return None
    if existing.base in _WIDER:
        whole, scale = _INTEGER_DIGITS[existing.base], 0
    elif existing.base == "numeric" and existing.first is not None:
        scale = existing.second or 0
        whole = existing.first - scale
    else:
        return None
    unit_scale = unit.second or 0
    needed_scale = max(scale, unit_scale)
    needed = max(whole, unit.first - unit_scale) + needed_scale
    wider = SqlType.of(f"numeric({needed},{needed_scale})")
    return None if wider == existing else wider
