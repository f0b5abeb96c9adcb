"""One slice on its way into its table, within the transaction that commits it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psycopg

from runtime_common.endpoints.postgres_tables.errors import is_row_fault
from runtime_common.endpoints.postgres_tables.movement import Movement
from runtime_common.endpoints.postgres_tables.row_faults import RowFaults, rejection
from runtime_common.endpoints.postgres_tables.slice_table import SliceTable
from runtime_common.endpoints.postgres_tables.tables import (
    check_columns,
    create_table,
    evolve_table,
    read_table,
)
from runtime_common.endpoints.sink_turn import earlier_commit
from runtime_common.exceptions import SinkError
from runtime_common.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_tables.delivery import Delivery
    from runtime_common.endpoints.postgres_tables.errors import RowFault
    from runtime_common.endpoints.postgres_tables.ledger import Ledger, TargetName
    from runtime_common.endpoints.postgres_tables.tables import Table
    from runtime_common.protocols import CommitRequest, SinkCommit


class SliceCommit:
    """What happens between BEGIN and COMMIT.

    Args:
        connection: In the transaction.
        ledger: Of the target.
        target: The table.
        request: The commit asked for.
        delivery: The slice.
        cancellation: Asked while the slice is copied and while refused rows are looked for.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        ledger: Ledger,
        target: TargetName,
        request: CommitRequest,
        delivery: Delivery,
        cancellation: Cancellation,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._target = target
        self._request = request
        self._delivery = delivery
        self._cancellation = cancellation

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
        table = read_table(self._connection, self._target)
        source = SliceTable(self._connection, self._delivery.columns)
        refused = source.fill(
            self._delivery.batches(),
            existing={} if table is None else table.columns,
            key=self._delivery.key,
            cancellation=self._cancellation,
        )
        failpoint("postgres-tables.after-copy")
        self._ledger.lock()
        # Only now it is certain: nobody commits to this table until this transaction ends.
        earlier = self._earlier()
        if earlier is not None:
            return earlier
        self._ledger.create()
        table = self._prepared()
        movement = self._movement(source, table)
        changed, faults = self._moved(movement, source)
        if refused or faults:
            raise rejection(refused, faults, self._delivery.batches())
        return self._ledger.append(self._request.record, rows_written=changed, fields=table.fields)

    def _earlier(self) -> SinkCommit | None:
        unit_key = self._request.record.unit_key
        return earlier_commit(self._request, self._last(unit_key), partial(self._ledger.find, unit_key))

    def _last(self, unit_key: str) -> SinkCommit | None:
        return None if read_table(self._connection, self._target) is None else self._ledger.last_of(unit_key)

    def _prepared(self) -> Table:
        """Make the table, or evolve it, as the unit's policy allows."""
        table = read_table(self._connection, self._target)
        if table is None:
            self._ledger.forget()
            create_table(
                self._connection,
                self._target,
                self._delivery.declared,
                key=self._delivery.key,
                required=self._delivery.required,
            )
        elif self._request.schema_change == "evolve":
            evolve_table(self._connection, self._target, table, self._delivery.declared)
        else:
            return table
        changed = read_table(self._connection, self._target)
        if changed is None:
            raise SinkError(f"table {self._target.label} vanished while it was written")
        return changed

    def _movement(self, source: SliceTable, table: Table) -> Movement:
        delivery = self._delivery
        policy = self._request.schema_change
        taken = check_columns(self._target, table, delivery.declared, policy=policy, key=delivery.key)
        return Movement(
            source,
            self._target,
            table.columns,
            columns=[name for name in delivery.written if name in taken],
            mode=self._request.write_mode,
            key=delivery.key,
            order=delivery.order,
            delete_field=delivery.delete_field,
        )

    def _moved(self, movement: Movement, source: SliceTable) -> tuple[int, Mapping[int, RowFault]]:
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
