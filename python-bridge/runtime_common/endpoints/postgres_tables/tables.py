"""The target table: what it looks like, and what a slice needs of it before its rows can go in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from runtime_common.contracts import DatasetField
from runtime_common.endpoints.postgres_tables.column_types import SqlType, column_type, takes, widened
from runtime_common.exceptions import SinkSchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg
    import pyarrow as pa

    from runtime_common.contracts import SchemaChangePolicy
    from runtime_common.endpoints.postgres_tables.ledger import TargetName

# Longer names are cut off by the server, and two columns could become one.
_MAX_NAME_BYTES = 63
_RELATION = """
SELECT c.oid, c.relkind IN ('r', 'p') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = %s
"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), atthasdef OR attidentity <> ''
  FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# An index that ON CONFLICT (columns) can use: of plain columns, over all rows, checked at once.
_KEYS = """
SELECT array_agg(a.attname::text)
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
 WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
   AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
 GROUP BY i.indexrelid
"""


@dataclass(frozen=True)
class Table:
    """A table as it is.

    Attributes:
        columns: Types by name, in the table's order.
        filled: Columns to which the server gives a value when none is given.
        keys: Sets of columns that are unique together.
    """

    columns: Mapping[str, SqlType]
    filled: frozenset[str]
    keys: tuple[frozenset[str], ...]

    @property
    def fields(self) -> list[DatasetField]:
        """Columns as lineage shows them."""
        return [DatasetField(name=name, type=type_.printed) for name, type_ in self.columns.items()]


def read_table(connection: psycopg.Connection, target: TargetName) -> Table | None:
    """Return the table; None when it is missing.

    Raises:
        SinkSchemaError: It is a view or something else that rows can't be written to.
    """
    row = connection.execute(_RELATION, (target.schema, target.table)).fetchone()
    if row is None:
        return None
    relation, is_table = row
    if not is_table:
        raise SinkSchemaError(f"{target.label} is no table; choose another target", field="unit.target")
    columns = connection.execute(_COLUMNS, (relation,)).fetchall()
    return Table(
        columns={name: SqlType.of(printed) for name, printed, _ in columns},
        filled=frozenset(name for name, _, is_filled in columns if is_filled),
        keys=tuple(frozenset(names) for (names,) in connection.execute(_KEYS, (relation,)).fetchall()),
    )


def unit_columns(schema: pa.Schema) -> dict[str, SqlType]:
    """Return the types that the unit's columns need.

    Raises:
        SinkSchemaError: A column has no counterpart, or a name that the server would cut off.
    """
    for name in schema.names:
        if len(name.encode()) > _MAX_NAME_BYTES or not name:
            raise SinkSchemaError(
                f"column name {name[:80]!r} must have 1 to {_MAX_NAME_BYTES} bytes; rename it", field=name
            )
    return {field.name: column_type(field) for field in schema}


def create_table(
    connection: psycopg.Connection,
    target: TargetName,
    columns: Mapping[str, SqlType],
    *,
    key: Sequence[str],
    required: frozenset[str],
) -> None:
    """Make the table, with a primary key where there is one."""
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (target.schema,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(target.schema)))
    parts = [
        sql.SQL("{} NOT NULL" if name in required else "{}").format(_declared(name, type_))
        for name, type_ in columns.items()
    ]
    if key:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, key))))
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(target.identifier, sql.SQL(", ").join(parts)))


def evolve_table(connection: psycopg.Connection, target: TargetName, table: Table, unit: Mapping[str, SqlType]) -> None:
    """Add the columns that are missing, and widen those that are too narrow, where nothing is lost by it."""
    changes: list[sql.Composable] = []
    for name, type_ in unit.items():
        if name not in table.columns:
            changes.append(sql.SQL("ADD COLUMN {}").format(_declared(name, type_)))
        elif (wider := widened(table.columns[name], type_)) is not None:
            changes.append(sql.SQL("ALTER COLUMN {} TYPE {}").format(sql.Identifier(name), sql.SQL(wider.printed)))
    if changes:
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(target.identifier, sql.SQL(", ").join(changes)))


def check_columns(
    target: TargetName, table: Table, unit: Mapping[str, SqlType], *, policy: SchemaChangePolicy, key: Sequence[str]
) -> list[str]:
    """Return the columns of the unit that the table takes, in the unit's order.

    Args:
        target: The table.
        table: As it is, once it has been evolved.
        unit: The unit's columns.
        policy: ``freeze`` wants the same columns on both sides, apart from those that the server fills; ``discard``
            leaves out what the table does not have.
        key: Columns by which rows are merged; empty for other modes.

    Raises:
        SinkSchemaError: The table can't take the unit's rows.
    """
    missing = [name for name in unit if name not in table.columns]
    surplus = [name for name in table.columns if name not in unit and name not in table.filled]
    retyped = [
        f"{name} ({table.columns[name].printed} instead of {type_.printed})"
        for name, type_ in unit.items()
        if name in table.columns and not takes(table.columns[name], type_)
    ]
    if policy == "discard":
        missing = [name for name in missing if name in key]
    if policy != "freeze":
        surplus = []
    parts = [
        f"{label} {', '.join(names)}"
        for label, names in (
            ("missing in the table:", missing),
            ("unknown to the unit:", surplus),
            ("of another type:", retyped),
        )
        if names
    ]
    if parts:
        raise SinkSchemaError(
            f"the columns of {target.label} differ from the unit's ({'; '.join(parts)}); alter the table, set the "
            "policy schemaChange, or choose another target",
            field="unit.target",
        )
    if key and frozenset(key) not in table.keys:
        raise SinkSchemaError(
            f"{target.label} has no primary key or unique constraint of exactly ({', '.join(key)}); add one, or choose "
            "another target",
            code="SINK_KEY_MISSING",
            field="unit.primaryKey",
        )
    return [name for name in unit if name in table.columns]


def _declared(name: str, type_: SqlType) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_.printed))
