"""The connection test of the source; nothing that it does stays."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime_common.endpoints.postgres_config import PostgresObject
from runtime_common.endpoints.postgres_preview import preview_object
from runtime_common.endpoints.postgres_snapshot import asking, connect, export_snapshot
from runtime_common.exceptions import DataError, SourceObjectError, SourceUnreachableError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_config import PostgresConfig

_OLDEST = 14
# Tables without what belongs to the server, those that can be read first.
_TABLES = """
SELECT n.nspname, c.relname, count(*) OVER (), count(*) FILTER (WHERE r.is_readable) OVER (), r.is_readable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
   SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS is_readable) AS r
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY r.is_readable DESC, c.relkind = 'r' DESC, n.nspname, c.relname
 LIMIT 1
"""


def connection_checks(config: PostgresConfig, cancellation: Cancellation) -> Sequence[Check]:
    """Return the steps in the descriptor's order."""
    steps = _Steps(config, cancellation)
    return (
        Check(name="resolve", run=steps.resolve),
        Check(name="connect", run=steps.connect, needs=("resolve",)),
        Check(name="authenticate", run=steps.authenticate, needs=("connect",)),
        Check(name="snapshot", run=steps.share_snapshot, needs=("authenticate",)),
        Check(name="tables", run=steps.see_tables, needs=("authenticate",)),
        Check(name="read", run=steps.read, needs=("snapshot", "tables")),
    )


class _Steps:
    def __init__(self, config: PostgresConfig, cancellation: Cancellation) -> None:
        self._config = config
        self._cancellation = cancellation
        self._readable: PostgresObject | None = None

    def resolve(self) -> str:
        try:
            found = socket.getaddrinfo(self._config.host, self._config.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SourceUnreachableError(
                f"the name {self._config.host!r} can't be resolved: {error.strerror}; correct it, or the worker's DNS",
                code="SOURCE_NAME_UNKNOWN",
                field="source.config.host",
            ) from None
        return f"{self._config.host} has {len({address[4][0] for address in found})} address(es)"

    def connect(self) -> str:
        address = (self._config.host, self._config.port)
        try:
            socket.create_connection(address, timeout=self._config.connect_timeout_seconds).close()
        except OSError as error:
            raise SourceUnreachableError(
                f"{address[0]}:{address[1]} accepts no connection: {error.strerror or error}; check host, port and "
                "that the server runs",
                field="source.config.host",
            ) from None
        return f"{address[0]}:{address[1]} accepts connections"

    def authenticate(self) -> str:
        with self._connected() as connection:
            version = connection.info.server_version // 10_000
            is_encrypted = connection.pgconn.ssl_in_use
        if version < _OLDEST:
            raise SourceObjectError(
                f"the server is PostgreSQL {version}; {_OLDEST} or later is needed: upgrade it",
                code="SOURCE_TOO_OLD",
                field="source.config.host",
            )
        return f"PostgreSQL {version} lets the user in, {'with' if is_encrypted else 'without'} TLS"

    def share_snapshot(self) -> str:
        with self._connected() as connection:
            export_snapshot(connection)
        return "a read-only transaction can share its snapshot"

    def see_tables(self) -> str:
        with self._connected() as connection:
            row = connection.execute(_TABLES).fetchone()
        if row is None:
            return f"database {self._config.database!r} has no tables yet"
        schema, table, seen, readable, is_readable = row
        if not is_readable:
            raise SourceObjectError(
                f"the user may read none of {seen} table(s); grant USAGE on their schema and SELECT on those to read",
                code="SOURCE_ACCESS_DENIED",
                field="source.config.user",
            )
        self._readable = PostgresObject(schema_=schema, table=table)
        return f"{readable} of {seen} table(s) can be read"

    def read(self) -> str:
        if self._readable is None:
            return "nothing to read"
        try:
            sample = preview_object(self._config, self._readable, limit=1, cancellation=self._cancellation)
        except DataError:
            return f"a row of {self._readable.label} was read"
        if not sample.table.num_rows:
            return f"{self._readable.label} can be read; it is empty"
        return f"a row of {self._readable.label} was read"

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with (
            connect(self._config) as connection,
            asking(
                connection, self._config, what="the catalogue", field="source.config", cancellation=self._cancellation
            ),
        ):
            yield connection
