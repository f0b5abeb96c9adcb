"""Finds the rows of a slice that the target refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from runtime_common.bad_rows import RejectedRow
from runtime_common.endpoints.postgres_tables.copying import row_text
from runtime_common.endpoints.postgres_tables.errors import RowFault, is_row_fault, row_fault
from runtime_common.exceptions import DataError, RowsRejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_tables.delivery import PreparedBatch
    from runtime_common.endpoints.postgres_tables.movement import Movement
    from runtime_common.endpoints.postgres_tables.slice_table import SliceTable

# Each one costs about twenty statements; a slice with more of them has another fault than its rows.
MAX_REFUSED_ROWS = 10_000


class RowFaults:
    """Looks for refused rows by halves, each tried within a savepoint; nothing that it does stays.

    Args:
        connection: In the transaction that holds the slice.
        movement: How rows get into the target.
        source: The slice.
        cancellation: Asked before each try.
    """

    def __init__(
        self, connection: psycopg.Connection, movement: Movement, source: SliceTable, cancellation: Cancellation
    ) -> None:
        self._connection = connection
        self._movement = movement
        self._source = source
        self._cancellation = cancellation
        self._faults: dict[int, RowFault] = {}

    def find(self) -> dict[int, RowFault]:
        """Return all refused rows by their position, so that the others can be written without them.

        A row of a key that a later row of the slice replaces is only tried once that later one is out of the way, so
        the search is repeated until it finds nothing.

        Raises:
            DataError: There are more than :data:`MAX_REFUSED_ROWS`.
        """
        while True:
            before = set(self._faults)
            with self._connection.transaction(force_rollback=True):
                self._movement.clear(self._connection)
                self._try(0, self._source.rows)
            found = self._faults.keys() - before
            if not found:
                return self._faults
            self._source.remove(sorted(found))

    def _try(self, first: int, end: int) -> None:
        """Write rows; what can be written stays for the tries after it, so that rows which collide are seen."""
        self._cancellation.check()
        try:
            with self._connection.transaction():
                self._movement.apply(self._connection, first=first, end=end)
        except psycopg.Error as error:
            if not is_row_fault(error):
                raise
            fault = error
        else:
            return
        if end - first == 1:
            self._faults[first] = self._named(fault, first)
            check_count(len(self._faults))
            return
        middle = (first + end) // 2
        self._try(first, middle)
        self._try(middle, end)

    def _named(self, error: psycopg.Error, row: int) -> RowFault:
        """Name the column too where the server does not: it is the one whose value alone is refused."""
        fault = row_fault(error)
        if fault.column is not None or not isinstance(error, psycopg.DataError):
            return fault
        column = self._movement.unconvertible_column(self._connection, row)
        return fault if column is None else replace(fault, column=column, reason=f"{fault.reason} ({column})")


def check_count(refused: int) -> None:
    """Give a slice up in which too many rows are refused to look for all of them.

    Raises:
        DataError: There are more than :data:`MAX_REFUSED_ROWS`.
    """
    if refused > MAX_REFUSED_ROWS:
        raise DataError(
            f"more than {MAX_REFUSED_ROWS} rows of one slice can't be written; compare the target's types and "
            "constraints with the source",
            code="TOO_MANY_BAD_ROWS",
            field="unit.target",
        )


def rejection(
    refused: Mapping[int, RejectedRow], faults: Mapping[int, RowFault], batches: Iterator[PreparedBatch]
) -> RowsRejectedError:
    """Return the error that names all refused rows, those found before the copy and those that the server refused."""
    rejected = dict(refused)
    first_row = 0
    for batch in batches:
        for position in faults.keys() & range(first_row, first_row + batch.source.num_rows):
            fault = faults[position]
            text = row_text(batch.source.slice(position - first_row, 1))
            rejected[position] = RejectedRow(code=fault.code, field=fault.column, reason=fault.reason, row=text)
        first_row += batch.source.num_rows
    ordered = dict(sorted(rejected.items()))
    example = next(iter(ordered.values()))
    return RowsRejectedError(
        f"{len(ordered)} row(s) can't be written, the first one because: {example.reason}",
        rejected=ordered,
        field=example.field,
    )
