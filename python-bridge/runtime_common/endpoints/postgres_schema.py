"""The columns of what is read from PostgreSQL, and how each of them travels in Arrow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg import sql

from runtime_common.contracts import DatasetField
from runtime_common.exceptions import ConfigurationError, SourceObjectError
from runtime_common.protocols import CursorColumn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime_common.contracts import CursorFamily

# Types that the driver delivers exactly; every other one is cast to text by the server.
_NATIVE: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
_FAMILIES: dict[str, CursorFamily] = {
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
    "date": "date",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "numeric": "decimal",
    "text": "text",
    "varchar": "text",
}
# As text its form would depend on the server's locale.
_MONEY = sql.SQL("{}::numeric::text")
_TEXT = sql.SQL("{}::text")
# What Iceberg, Spark and DuckDB can hold: they would turn a longer one into a float, or refuse it.
_DECIMAL_MAX_PRECISION = 38
_MICROSECOND_DIGITS = 6
# The type modifier of numeric holds precision and scale above the four bytes of a length header.
_TYPMOD_HEADER = 4

ALIAS = sql.SQL("source")
"""What a relation or query is called in every statement that reads it."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: As it is called.
        sql_type: As it is declared, e.g. ``numeric(10,2)`` or the name of a domain.
        type_name: PostgreSQL's internal name of the type, of a domain that of its base type; empty for types that are
            not built in.
        typmod: Type modifier of that; -1 when there is none.
    """

    name: str
    sql_type: str
    type_name: str
    typmod: int

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale if the column fits a 128-bit decimal exactly."""
        if self.type_name != "numeric" or self.typmod < _TYPMOD_HEADER:
            return None
        bits = self.typmod - _TYPMOD_HEADER
        precision = (bits >> 16) & 0xFFFF
        # Eleven bits, two's complement: a scale may be negative since PostgreSQL 15.
        scale = ((bits & 0x7FF) ^ 0x400) - 0x400
        fits = precision <= _DECIMAL_MAX_PRECISION and 0 <= scale <= precision
        return (precision, scale) if fits else None

    @property
    def arrow_type(self) -> pa.DataType:
        """Type that the column has once it is staged."""
        if self.decimal is not None:
            return pa.decimal128(*self.decimal)
        return _NATIVE.get(self.type_name, pa.string())

    @property
    def qualified(self) -> sql.Composed:
        """The column in a condition; a bare name could mean the selected one, which may be text."""
        return sql.SQL("{}.{}").format(ALIAS, sql.Identifier(self.name))

    @property
    def value(self) -> sql.Composable:
        """The column as it is, or as text where it does not travel otherwise."""
        if self.type_name in _NATIVE:
            return self.qualified
        return (_MONEY if self.type_name == "money" else _TEXT).format(self.qualified)

    @property
    def expression(self) -> sql.Composable:
        """How the column is selected."""
        return sql.SQL("{} AS {}").format(self.value, sql.Identifier(self.name))

    def as_cursor(self) -> CursorColumn:
        """Return the column as a cursor.

        Raises:
            ConfigurationError: Its type has no usable order.
        """
        family = _FAMILIES.get(self.type_name)
        if family is None or (family == "decimal" and self.decimal is None):
            raise ConfigurationError(
                f"column {self.name!r} of type {self.sql_type} can't be a cursor; choose a timestamp, date, integer, "
                "text or numeric(p,s) column",
                code="CURSOR_TYPE_UNSUPPORTED",
                field="unit.cursorField",
            )
        precision = 0
        if family in {"timestamptz", "timestamp"}:
            precision = self.typmod if self.typmod >= 0 else _MICROSECOND_DIGITS
        return CursorColumn(field=self.name, sql_type=self.sql_type, family=family, precision=precision)


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """All columns in the order of the table or query."""

    columns: tuple[Column, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names and types in order."""
        return sha256(json.dumps([[one.name, one.sql_type] for one in self.columns]).encode()).hexdigest()

    @property
    def arrow(self) -> pa.Schema:
        """Schema of the staged rows."""
        return pa.schema([pa.field(one.name, one.arrow_type) for one in self.columns])

    @property
    def fields(self) -> list[DatasetField]:
        """Columns with the types that the source declares."""
        return [DatasetField(name=one.name, type=one.sql_type) for one in self.columns]

    @property
    def expressions(self) -> sql.Composed:
        """What is selected, in order."""
        return sql.SQL(", ").join(one.expression for one in self.columns)

    def column(self, name: str, *, field: str = "unit.cursorField") -> Column:
        """Return one column.

        Args:
            name: What it is called.
            field: Where the name was given, for the error.

        Raises:
            SourceObjectError: There is none of that name.
        """
        for one in self.columns:
            if one.name == name:
                return one
        raise SourceObjectError(
            f"the source has no column {name!r}; it has {', '.join(one.name for one in self.columns)}",
            code="SOURCE_COLUMN_MISSING",
            field=field,
        )


def schema_of(rows: Iterable[tuple[str, str, str, int]]) -> TableSchema:
    """Return the schema of columns that are given as name, declared type, type name and modifier."""
    return TableSchema(
        columns=tuple(
            Column(name=name, sql_type=sql_type, type_name=type_name, typmod=typmod)
            for name, sql_type, type_name, typmod in rows
        )
    )
