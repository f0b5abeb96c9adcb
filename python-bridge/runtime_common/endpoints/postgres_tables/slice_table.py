"""A slice as a temporary table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from runtime_common.endpoints.postgres_tables.copying import copy_rows, refused_rows, wire_type
from runtime_common.endpoints.postgres_tables.row_faults import check_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg
    import pyarrow as pa

    from runtime_common.bad_rows import RejectedRow
    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_tables.column_types import SqlType
    from runtime_common.endpoints.postgres_tables.delivery import PreparedBatch

# The temporary table's own names, which no column of a user can meet: position in the slice, and numbered columns.
_NAME = "nucleus_slice"
ROW = sql.Identifier("row")


class SliceTable:
    """One slice within the transaction that commits it; the server drops it at the end.

    Args:
        connection: In a transaction.
        columns: Types of the unit's columns.
    """

    def __init__(self, connection: psycopg.Connection, columns: Mapping[str, SqlType]) -> None:
        self._connection = connection
        self._columns = dict(columns)
        self._positions = {column: position for position, column in enumerate(columns)}
        self._name = sql.Identifier("pg_temp", _NAME)
        self.rows = 0

    def fill(
        self,
        batches: Iterator[PreparedBatch],
        *,
        existing: Mapping[str, SqlType],
        key: Sequence[str],
        cancellation: Cancellation,
    ) -> dict[int, RejectedRow]:
        """Copy the slice in and return the rows that were left out because the server could never take them.

        Args:
            batches: The slice.
            existing: Types of the target's columns, as far as it has them, for the limits of its texts.
            key: Columns that identify a row in a merge; empty otherwise.
            cancellation: Asked between two batches.

        Raises:
            DataError: Too many rows would be left out.
        """
        columns = list(self._columns.values())
        declared = [
            sql.SQL("{} {}").format(self.column(name), sql.SQL(type_.printed)) for name, type_ in self._columns.items()
        ]
        self._connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(
                sql.Identifier(_NAME), sql.SQL(", ").join([sql.SQL("{} bigint").format(ROW), *declared])
            )
        )
        limits = self._columns | {name: type_ for name, type_ in existing.items() if name in self._columns}
        refused: dict[int, RejectedRow] = {}
        copy_in = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(self._name)
        with self._connection.cursor() as cursor, cursor.copy(copy_in) as copy:
            copy.set_types(["int8", *map(wire_type, columns)])
            for batch in batches:
                cancellation.check()
                faulty = refused_rows(batch, limits, key=key)
                refused.update({self.rows + position: row for position, row in faulty.items()})
                check_count(len(refused))
                for part, first_row in _without(batch.rows, sorted(faulty), first_row=self.rows):
                    for row in copy_rows(part, columns, first_row=first_row):
                        copy.write_row(row)
                self.rows += batch.rows.num_rows
        # Without statistics a merge of many rows would be planned as one of a few.
        self._connection.execute(sql.SQL("ANALYZE {}").format(self._name))
        return refused

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows out by their position."""
        self._connection.execute(sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(self._name, ROW), (list(rows),))

    @property
    def name(self) -> sql.Identifier:
        """The table in a statement."""
        return self._name

    def column(self, name: str) -> sql.Identifier:
        """Return a column of the unit as the temporary table calls it."""
        return sql.Identifier(f"c{self._positions[name]}")

    def type_of(self, name: str) -> SqlType:
        """Return the type of one of the unit's columns."""
        return self._columns[name]


def _without(batch: pa.RecordBatch, refused: Sequence[int], *, first_row: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield the pieces of a batch between its refused rows, each with the position of its first row."""
    start = 0
    for position in [*refused, batch.num_rows]:
        if position > start:
            yield batch.slice(start, position - start), first_row + start
        start = position + 1
