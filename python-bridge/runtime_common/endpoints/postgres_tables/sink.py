"""Sink ``jdbc_postgres_tables``: its descriptor, and what commits a slice."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from runtime_common.contracts import CheckStep
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.endpoints.postgres_tables.checks import connection_checks
from runtime_common.endpoints.postgres_tables.config import PostgresTablesConfig
from runtime_common.endpoints.postgres_tables.delivery import Delivery, plain_delivery
from runtime_common.endpoints.postgres_tables.errors import connection_failure, write_failure
from runtime_common.endpoints.postgres_tables.ledger import Ledger, TargetName
from runtime_common.endpoints.postgres_tables.slice_commit import SliceCommit
from runtime_common.endpoints.postgres_tables.tables import read_table
from runtime_common.endpoints.sink_turn import check_target
from runtime_common.exceptions import ConfigurationError, InternalError
from runtime_common.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import DatasetRef
    from runtime_common.protocols import Check, CommitRequest, RecordReader, SinkCommit

_MAX_NAME_BYTES = 63

CHECKS = (
    CheckStep(name="resolve", title="Resolve the server's name"),
    CheckStep(name="connect", title="Connect to the server"),
    CheckStep(name="authenticate", title="Log in to the database"),
    CheckStep(name="write", title="Write a table and a commit, and take both back"),
)
DESCRIPTOR = EndpointDescriptor(
    id="jdbc_postgres_tables",
    title="PostgreSQL tables",
    vendor="postgres",
    description=(
        "Writes tables of PostgreSQL 14 or later by COPY, one transaction for each slice: merge by primary key, "
        "append, or replace all rows at once. Missing tables are made, with types that hold every value exactly."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=CHECKS,
    write_modes=("append", "merge", "overwrite"),
    delivery_guarantee=(
        "Effectively once: run and batch id are written in the transaction of the rows, under a lock of the table; "
        "a repeated slice changes nothing."
    ),
    config_model=PostgresTablesConfig,
)


class PostgresTablesSink:
    """See :class:`runtime_common.protocols.SinkEndpoint`.

    A commit is one transaction. The slice is copied into a temporary table, which nobody else sees and which locks
    nothing. Then the target's lock is taken, the ledger says whether it is this attempt's turn, the rows are moved and
    the ledger's row is written. So there is no moment between check and commit, and a death before it leaves nothing.
    """

    def __init__(self, config: PostgresTablesConfig) -> None:
        self._config = config
        self._conninfo = config.conninfo()

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's newest commit; None too when its table is gone, whatever the ledger says."""
        name = self._name(target)
        with self._connected(name) as connection:
            if read_table(connection, name) is None:
                return None
            return self._ledger(connection, name).last_of(unit_key)

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the table as it stands; None before it exists."""
        name = self._name(target)
        with self._connected(name) as connection:
            table = read_table(connection, name)
            if table is None:
                return None
            return name.dataset(self._ledger(connection, name).newest_version(), table.fields)

    def may_have_forgotten(self, target: str) -> bool:
        """Return False: records live as long as their table."""
        self._name(target)
        return False

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        return connection_checks(self._config, self._conninfo, cancellation)

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit one slice; see the protocol."""
        name = self._name(request.target)
        with self._connected(name) as connection, cancellation.interrupting(connection.cancel_safe):
            with connection.transaction():
                ledger = self._ledger(connection, name)
                delivery = self.delivery(request, reader)
                commit = SliceCommit(connection, ledger, name, request, delivery, cancellation).run()
                failpoint("postgres-tables.before-commit")
                cancellation.check()
            failpoint("postgres-tables.after-commit")
            return commit

    def table_of(self, target: str) -> str:
        """Return the name of a target's table."""
        return check_target(target)

    def delivery(self, request: CommitRequest, reader: RecordReader) -> Delivery:
        """Return what a slice brings to its table."""
        return plain_delivery(request, reader)

    def _ledger(self, connection: psycopg.Connection, name: TargetName) -> Ledger:
        return Ledger(connection, control_schema=self._config.control_schema, target=name)

    def _name(self, target: str) -> TargetName:
        table = self.table_of(target)
        if len(table) > _MAX_NAME_BYTES:
            raise ConfigurationError(
                f"a table's name may have {_MAX_NAME_BYTES} characters; shorten it", field="unit.target"
            )
        return TargetName(
            schema=self._config.schema_, table=table, namespace=self._config.namespace, database=self._config.database
        )

    @contextmanager
    def _connected(self, name: TargetName) -> Iterator[psycopg.Connection]:
        """Yield a connection outside of a transaction; what the driver raises comes out typed."""
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            failure = connection_failure(error, host=self._config.host, port=self._config.port)
        else:
            try:
                with connection:
                    yield connection
            except psycopg.Error as error:
                failure = write_failure(error, table=name.label)
            else:
                return
        raise failure


def _build(config: EndpointModel, services: EndpointServices) -> PostgresTablesSink:  # noqa: ARG001
    if not isinstance(config, PostgresTablesConfig):
        raise InternalError("jdbc_postgres_tables was given the config of another endpoint")
    return PostgresTablesSink(config)


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
