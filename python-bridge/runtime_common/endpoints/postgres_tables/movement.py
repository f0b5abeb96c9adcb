"""The statements that move the rows of a slice into the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from runtime_common.endpoints.postgres_tables.slice_table import ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runtime_common.contracts import WriteMode
    from runtime_common.endpoints.postgres_tables.column_types import SqlType
    from runtime_common.endpoints.postgres_tables.ledger import TargetName
    from runtime_common.endpoints.postgres_tables.slice_table import SliceTable

_TEXTS = frozenset({"text", "character varying"})


class Movement:
    """How the rows of a slice get into the target.

    Args:
        source: The slice.
        target: The table.
        existing: Types of the target's columns.
        columns: Columns that are written.
        mode: How they are written.
        key: Columns that identify a row in a merge.
        order: Columns whose highest value wins among rows of the same key; after them the last one read wins.
        delete_field: Column that marks rows whose keys a merge removes.
    """

    def __init__(
        self,
        source: SliceTable,
        target: TargetName,
        existing: Mapping[str, SqlType],
        *,
        columns: Sequence[str],
        mode: WriteMode,
        key: Sequence[str],
        order: Sequence[str],
        delete_field: str | None,
    ) -> None:
        self._source = source
        self._target = target.identifier
        self._existing = existing
        self._columns = columns
        self._mode = mode
        self._key = key
        self._order = order
        self._delete_field = delete_field

    def clear(self, connection: psycopg.Connection) -> None:
        """Remove what an overwrite replaces; readers of the table see the old rows until the commit."""
        if self._mode == "overwrite":
            connection.execute(sql.SQL("DELETE FROM {}").format(self._target))

    def apply(self, connection: psycopg.Connection, *, first: int, end: int) -> int:
        """Move the rows from position ``first`` up to ``end``, and return how many rows of the target changed.

        Raises:
            psycopg.Error: With an SQLSTATE of class 22 or 23 if the target refuses one of them.
        """
        if self._mode != "merge":
            return connection.execute(self._insert(_between(first, end))).rowcount
        rows = self._last_of_each_key(_between(first, end))
        deleted = 0
        if self._delete_field is not None:
            deleted = connection.execute(self._delete(rows)).rowcount
        return deleted + connection.execute(self._upsert(rows)).rowcount

    def unconvertible_column(self, connection: psycopg.Connection, row: int) -> str | None:
        """Return the column whose value at a position the target's type can't hold; None when each can be held."""
        for name in self._columns:
            column, existing = self._source.column(name), self._existing[name]
            if self._source.type_of(name) == existing:
                continue
            cast = sql.SQL("SELECT {}::{} FROM {} WHERE {}").format(
                column, sql.SQL(existing.printed), self._source.name, _between(row, row + 1)
            )
            try:
                with connection.transaction():
                    connection.execute(cast)
            except psycopg.DataError:
                return name
        return None

    def _insert(self, condition: sql.Composed) -> sql.Composed:
        return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} WHERE {}").format(
            self._target,
            _names(self._columns),
            _joined(map(self._converted, self._columns)),
            self._source.name,
            condition,
        )

    def _upsert(self, rows: sql.Composed) -> sql.Composed:
        others = [name for name in self._columns if name not in self._key]
        action: sql.Composable = sql.SQL("NOTHING")
        if others:
            # Compares what is stored: that works for every type, and a row that stays as it was is not written.
            action = sql.SQL("UPDATE SET {} WHERE ROW({})::record *<> ROW({})::record").format(
                _joined(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others),
                _joined(sql.SQL("t.{}").format(sql.Identifier(name)) for name in others),
                _joined(sql.SQL("EXCLUDED.{}").format(sql.Identifier(name)) for name in others),
            )
        return sql.SQL("INSERT INTO {} AS t ({}) SELECT {} FROM {} WHERE NOT s.deleted ON CONFLICT ({}) DO {}").format(
            self._target,
            _names(self._columns),
            _joined(map(self._source.column, self._columns)),
            rows,
            _names(self._key),
            action,
        )

    def _delete(self, rows: sql.Composed) -> sql.Composed:
        same_key = sql.SQL(" AND ").join(
            sql.SQL("t.{} = s.{}").format(sql.Identifier(name), self._source.column(name)) for name in self._key
        )
        return sql.SQL("DELETE FROM {} AS t USING {} WHERE s.deleted AND {}").format(self._target, rows, same_key)

    def _last_of_each_key(self, condition: sql.Composed) -> sql.Composed:
        """Return the rows, one for each key: a statement can't change the same row of the target twice."""
        key = _joined(map(self._converted, self._key))
        columns = _joined(
            sql.SQL("{} AS {}").format(self._converted(name), self._source.column(name)) for name in self._columns
        )
        order = _joined([*map(self._ranked, self._order), sql.SQL("{} DESC").format(ROW)])
        return sql.SQL("(SELECT DISTINCT ON ({}) {}, {} AS deleted FROM {} WHERE {} ORDER BY {}, {}) AS s").format(
            key, columns, self._is_deleted(), self._source.name, condition, key, order
        )

    def _is_deleted(self) -> sql.Composable:
        if self._delete_field is None:
            return sql.SQL("false")
        is_flag = self._source.type_of(self._delete_field).base == "boolean"
        test = sql.SQL("IS TRUE" if is_flag else "IS NOT NULL")
        return sql.SQL("({} {})").format(self._source.column(self._delete_field), test)

    def _ranked(self, name: str) -> sql.Composed:
        # Texts by their bytes, as every other part of a run compares them.
        collation = sql.SQL(' COLLATE "C"' if self._source.type_of(name).base == "text" else "")
        return sql.SQL("{}{} DESC NULLS LAST").format(self._source.column(name), collation)

    def _converted(self, name: str) -> sql.Composable:
        """Return a column as the target's column takes it: the server reads what only travels as text."""
        column, existing = self._source.column(name), self._existing[name]
        if self._source.type_of(name).base == "text" and existing.base not in _TEXTS:
            return sql.SQL("{}::{}").format(column, sql.SQL(existing.printed))
        return column


def _between(first: int, end: int) -> sql.Composed:
    # Literals: a statement with parameters would take a percent sign in a column's name for another one.
    return sql.SQL("{0} >= {1} AND {0} < {2}").format(ROW, sql.Literal(first), sql.Literal(end))


def _joined(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _names(columns: Iterable[str]) -> sql.Composed:
    return _joined(map(sql.Identifier, columns))
