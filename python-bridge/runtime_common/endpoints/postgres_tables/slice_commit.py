"""One slice on its way into its table, within the transaction that commits it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pyarrow.parquet as pq

from runtime_common.endpoints.postgres_tables.errors import is_row_fault
from runtime_common.endpoints.postgres_tables.movement import Movement
from runtime_common.endpoints.postgres_tables.row_faults import MAX_REFUSED_ROWS, RowFaults, rejection, too_many
from runtime_common.endpoints.postgres_tables.slice_table import SliceTable
from runtime_common.endpoints.postgres_tables.tables import (
    check_columns,
    create_table,
    evolve_table,
    read_table,
    unit_columns,
)
from runtime_common.endpoints.sink_turn import earlier_commit
from runtime_common.exceptions import SinkError
from runtime_common.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_tables.column_types import SqlType
    from runtime_common.endpoints.postgres_tables.ledger import Ledger, TargetName
    from runtime_common.endpoints.postgres_tables.tables import Table
    from runtime_common.protocols import CommitRequest, RecordReader, SinkCommit

_CHUNK_ROWS = 8 * 1024


class SliceCommit:
    """What happens between BEGIN and COMMIT.

    Args:
        connection: In the transaction.
        ledger: Of the target.
        target: The table.
        request: The commit asked for.
        reader: The slice.
        cancellation: Asked while the slice is copied and while refused rows are looked for.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        ledger: Ledger,
        target: TargetName,
        request: CommitRequest,
        reader: RecordReader,
        cancellation: Cancellation,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._target = target
        self._request = request
        self._reader = reader
        self._cancellation = cancellation
        self._key = list(request.primary_key) if request.write_mode == "merge" else []

    def run(self) -> SinkCommit:
        """Move the rows and record them, or return the earlier commit of the same batch.

        Raises:
            SupersededError: The unit has moved on without this batch.
            RowsRejectedError: The table refuses some of the rows.
            SinkSchemaError: The table's columns differ from the unit's.
            psycopg.Error: Whatever else the server says.
        """
        earlier = self._earlier()
        if earlier is not None:
            return earlier
        columns = unit_columns(pq.read_schema(self._reader.part_paths()[0]))
        table = read_table(self._connection, self._target)
        source = SliceTable(self._connection, columns, name="nucleus_slice")
        refused = source.fill(
            self._reader.iter_batches(_CHUNK_ROWS),
            existing={} if table is None else table.columns,
            key=self._key,
            cancellation=self._cancellation,
        )
        if len(refused) > MAX_REFUSED_ROWS:
            raise too_many()
        failpoint("postgres-tables.after-copy")
        self._ledger.lock()
        # Only now it is certain: nobody commits to this table until this transaction ends.
        earlier = self._earlier()
        if earlier is not None:
            return earlier
        self._ledger.create()
        table = self._prepared(columns)
        movement = self._movement(source, table, columns)
        changed, faults = self._moved(movement, source)
        if refused or faults:
            raise rejection(refused, faults, self._reader)
        return self._ledger.append(self._request.record, rows_written=changed, fields=table.fields)

    def _earlier(self) -> SinkCommit | None:
        unit_key = self._request.record.unit_key
        return earlier_commit(self._request, self._last(unit_key), partial(self._ledger.find, unit_key))

    def _last(self, unit_key: str) -> SinkCommit | None:
        return None if read_table(self._connection, self._target) is None else self._ledger.last_of(unit_key)

    def _prepared(self, columns: Mapping[str, SqlType]) -> Table:
        """Make the table, or evolve it, as the unit's policy allows."""
        table = read_table(self._connection, self._target)
        if table is None:
            self._ledger.forget()
            create_table(self._connection, self._target, columns, self._key)
        elif self._request.schema_change == "evolve":
            evolve_table(self._connection, self._target, table, columns)
        else:
            return table
        changed = read_table(self._connection, self._target)
        if changed is None:
            raise SinkError(f"table {self._target.label} vanished while it was written")
        return changed

    def _movement(self, source: SliceTable, table: Table, columns: Mapping[str, SqlType]) -> Movement:
        request = self._request
        written = check_columns(self._target, table, columns, policy=request.schema_change, key=self._key)
        return Movement(
            source,
            self._target,
            table.columns,
            columns=written,
            mode=request.write_mode,
            key=self._key,
            order=[request.cursor_field] if request.cursor_field else [],
            delete_field=request.delete_field,
        )

    def _moved(self, movement: Movement, source: SliceTable) -> tuple[int, Mapping[int, psycopg.Error]]:
        """Move all rows at once; where the table refuses some, move none and return which."""
        # A constraint that is only checked at the end would fail the COMMIT, for no row in particular.
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        try:
            with self._connection.transaction():
                movement.clear(self._connection)
                return movement.apply(self._connection, first=0, end=source.rows), {}
        except psycopg.Error as error:
            if not is_row_fault(error):
                raise
        faults = RowFaults(self._connection, movement, source, self._cancellation).find()
        if not faults:
            raise SinkError(
                f"{self._target.label} refuses the slice, but none of its rows alone; look at the table's triggers",
                retryable=False,
            )
        return 0, faults
