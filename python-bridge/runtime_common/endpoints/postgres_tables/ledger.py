"""The control table: one row for each commit, written in the transaction of the rows that it is about (rule R8)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from runtime_common.contracts import DatasetField, DatasetRef
from runtime_common.exceptions import InternalError
from runtime_common.protocols import CommitRecord, SinkCommit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

_TABLE = "commits"
_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    """CREATE TABLE IF NOT EXISTS {table} (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        target text NOT NULL,
        unit_key text NOT NULL,
        batch_id text NOT NULL,
        run_id text NOT NULL,
        rows_written bigint NOT NULL,
        fields json NOT NULL,
        record json NOT NULL,
        committed_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (target, unit_key, batch_id)
    )""",
    "CREATE INDEX IF NOT EXISTS commits_of_a_unit ON {table} (target, unit_key, number)",
)
_SELECT = "SELECT number, rows_written, fields, record FROM {table} WHERE target = %s AND unit_key = %s "


@dataclass(frozen=True, kw_only=True)
class TargetName:
    """A table of this sink, and how lineage names it."""

    schema: str
    table: str
    namespace: str
    database: str

    @property
    def key(self) -> str:
        """Name in the control table."""
        return json.dumps([self.schema, self.table])

    @property
    def label(self) -> str:
        """Name for people."""
        return f"{self.schema}.{self.table}"

    @property
    def identifier(self) -> sql.Identifier:
        """Name in a statement."""
        return sql.Identifier(self.schema, self.table)

    def dataset(self, version: str | None, fields: Sequence[DatasetField]) -> DatasetRef:
        """Return the table as a data set."""
        return DatasetRef(
            namespace=self.namespace, name=f"{self.database}.{self.label}", version=version, fields=list(fields)
        )


class Ledger:
    """The commits to one table, on a connection.

    Every commit to a table holds that table's lock from before it reads the ledger until it ends, so what it read is
    still so when it commits. The numbers therefore grow in the order of the commits.
    """

    def __init__(self, connection: psycopg.Connection, *, control_schema: str, target: TargetName) -> None:
        self._connection = connection
        self._schema = sql.Identifier(control_schema)
        self._table = sql.Identifier(control_schema, _TABLE)
        self._target = target

    def lock(self) -> None:
        """Wait for the table's lock, and hold it until the transaction ends."""
        self._lock(f"nucleus/{self._target.key}")

    def create(self) -> None:
        """Make the control table if it is missing."""
        if self._exists():
            return
        # Two that make the same schema at once would collide in the catalog, whatever IF NOT EXISTS says.
        self._lock("nucleus/control")
        for statement in _CREATE:
            self._connection.execute(sql.SQL(statement).format(schema=self._schema, table=self._table))

    def last_of(self, unit_key: str) -> SinkCommit | None:
        """Return the unit's newest commit."""
        if not self._exists():
            return None
        return self._one(_SELECT + "ORDER BY number DESC LIMIT 1", unit_key)

    def find(self, unit_key: str, batch_id: str) -> SinkCommit | None:
        """Return the commit of one batch."""
        if not self._exists():
            return None
        return self._one(_SELECT + "AND batch_id = %s", unit_key, batch_id)

    def append(self, record: CommitRecord, *, rows_written: int, fields: Sequence[DatasetField]) -> SinkCommit:
        """Record a commit."""
        shown = json.dumps([field.to_wire() for field in fields])
        row = self._connection.execute(
            sql.SQL(
                "INSERT INTO {table} (target, unit_key, batch_id, run_id, rows_written, fields, record) "
                "VALUES (%s, %s, %s, %s, %s, %s::json, %s::json) RETURNING number"
            ).format(table=self._table),
            (
                self._target.key,
                record.unit_key,
                record.batch_id,
                record.run_id,
                rows_written,
                shown,
                record.model_dump_json(by_alias=True),
            ),
        ).fetchone()
        if row is None:
            raise InternalError("an INSERT returned no row")
        return SinkCommit(record=record, rows_written=rows_written, output=self._target.dataset(str(row[0]), fields))

    def forget(self) -> None:
        """Remove the records of a table that is gone: their rows are in no table."""
        self._connection.execute(
            sql.SQL("DELETE FROM {table} WHERE target = %s").format(table=self._table), (self._target.key,)
        )

    def newest_version(self) -> str | None:
        """Return the version of the table's last commit, by whichever unit."""
        if not self._exists():
            return None
        row = self._connection.execute(
            sql.SQL("SELECT max(number)::text FROM {table} WHERE target = %s").format(table=self._table),
            (self._target.key,),
        ).fetchone()
        return None if row is None else row[0]

    def _lock(self, name: str) -> None:
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))

    def _exists(self) -> bool:
        row = self._connection.execute("SELECT to_regclass(%s)", (self._table.as_string(self._connection),)).fetchone()
        return row is not None and row[0] is not None

    def _one(self, statement: str, *arguments: str) -> SinkCommit | None:
        row = self._connection.execute(
            sql.SQL(statement).format(table=self._table), (self._target.key, *arguments)
        ).fetchone()
        if row is None:
            return None
        number, rows_written, fields, record = row
        return SinkCommit(
            record=CommitRecord.model_validate(record),
            rows_written=rows_written,
            output=self._target.dataset(str(number), [DatasetField.model_validate(field) for field in fields]),
        )
