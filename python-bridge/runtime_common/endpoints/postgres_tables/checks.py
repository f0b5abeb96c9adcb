"""The connection test of the sinks that write PostgreSQL tables; nothing that it does stays."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from runtime_common.endpoints.postgres_tables.errors import connection_failure, write_failure
from runtime_common.exceptions import SinkError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_tables.config import PostgresTablesConfig


def connection_checks(config: PostgresTablesConfig, conninfo: str, cancellation: Cancellation) -> Sequence[Check]:
    """Return the steps in the descriptor's order."""
    steps = _Steps(config, conninfo, cancellation)
    return (
        Check(name="resolve", run=steps.resolve),
        Check(name="connect", run=steps.connect, needs=("resolve",)),
        Check(name="authenticate", run=steps.authenticate, needs=("connect",)),
        Check(name="write", run=steps.write, needs=("authenticate",)),
    )


class _Steps:
    def __init__(self, config: PostgresTablesConfig, conninfo: str, cancellation: Cancellation) -> None:
        self._config = config
        self._conninfo = conninfo
        self._cancellation = cancellation

    def resolve(self) -> str:
        try:
            found = socket.getaddrinfo(self._config.host, self._config.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SinkError(
                f"the name {self._config.host!r} can't be resolved: {error.strerror}; correct it, or the worker's DNS",
                code="SINK_NAME_UNKNOWN",
                field="sink.config.host",
            ) from None
        return f"{self._config.host} has {len({address[4][0] for address in found})} address(es)"

    def connect(self) -> str:
        address = (self._config.host, self._config.port)
        try:
            socket.create_connection(address, timeout=self._config.connect_timeout_seconds).close()
        except OSError as error:
            raise SinkError(
                f"{address[0]}:{address[1]} accepts no connection: {error.strerror or error}; check host, port and "
                "that the server runs",
                code="SINK_UNREACHABLE",
                field="sink.config.host",
            ) from None
        return f"{address[0]}:{address[1]} accepts connections"

    def authenticate(self) -> str:
        with self._connected() as connection:
            version = connection.info.server_version
            is_encrypted = connection.pgconn.ssl_in_use
        return f"PostgreSQL {version // 10_000} lets the user in, {'with' if is_encrypted else 'without'} TLS"

    def write(self) -> str:
        """Do once what a commit does, in a transaction that is rolled back."""
        name = f"nucleus_check_{secrets.token_hex(6)}"
        try:
            with (
                self._connected() as connection,
                self._cancellation.interrupting(connection.cancel_safe),
                connection.transaction(force_rollback=True),
            ):
                for schema in (self._config.schema_, self._config.control_schema):
                    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
                    if found is None:
                        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
                    table = sql.Identifier(schema, name)
                    connection.execute(sql.SQL("CREATE TABLE {} (n int)").format(table))
                    connection.execute(sql.SQL("INSERT INTO {} VALUES (1)").format(table))
        except psycopg.Error as error:
            failure = write_failure(error, table=f"schema {self._config.schema_!r}")
        else:
            return f"tables can be made in {self._config.schema_!r} and {self._config.control_schema!r}"
        raise failure

    def _connected(self) -> psycopg.Connection:
        try:
            return psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            failure = connection_failure(error, host=self._config.host, port=self._config.port)
        raise failure
