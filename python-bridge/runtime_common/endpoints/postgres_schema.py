"""What a PostgreSQL table looks like, and how each column travels in Arrow."""

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
    import psycopg

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
_DECIMAL_MAX_PRECISION = 38
_MICROSECOND_DIGITS = 6
# The type modifier of numeric holds precision and scale above the four bytes of a length header.
_TYPMOD_HEADER = 4


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; ``typmod`` is -1 when the type carries no precision."""

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
    def expression(self) -> sql.Composable:
        """How the column is selected."""
        name = sql.Identifier(self.name)
        return name if self.type_name in _NATIVE else sql.SQL("{0}::text AS {0}").format(name)

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
    """All columns in the table's order."""

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

    def column(self, name: str) -> Column:
        """Return one column.

        Raises:
            SourceObjectError: There is none of that name.
        """
        for one in self.columns:
            if one.name == name:
                return one
        raise SourceObjectError(
            f"the table has no column {name!r}; it has {', '.join(one.name for one in self.columns)}",
            code="SOURCE_COLUMN_MISSING",
            field="unit.cursorField",
        )


_RELATION = """
SELECT (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s),
       (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, a.atttypmod
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = %(relation)s AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""


def read_table_schema(connection: psycopg.Connection, *, schema_name: str, table: str) -> TableSchema:
    """Read the columns.

    Raises:
        SourceObjectError: Schema or table is missing.
    """
    row = connection.execute(_RELATION, {"schema": schema_name, "table": table}).fetchone()
    namespace, relation = row if row is not None else (None, None)
    if namespace is None:
        raise SourceObjectError(
            f"the database has no schema {schema_name!r}; correct the name",
            code="SOURCE_SCHEMA_MISSING",
            field="source.object.schema",
        )
    if relation is None:
        raise SourceObjectError(
            f"schema {schema_name!r} has no table {table!r}; correct the name",
            code="SOURCE_TABLE_MISSING",
            field="source.object.table",
        )
    rows = connection.execute(_COLUMNS, {"relation": relation}).fetchall()
    return TableSchema(
        columns=tuple(
            Column(name=name, sql_type=sql_type, type_name=type_name, typmod=typmod)
            for name, sql_type, type_name, typmod in rows
        )
    )
