"""The rows of one query as Arrow batches, streamed by ADBC in a snapshot that another connection has exported."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
from psycopg import sql

from runtime_common.endpoints.postgres_errors import connection_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pyarrow as pa

    from runtime_common.endpoints.postgres_config import PostgresConfig

_BATCH_BYTES = "adbc.postgresql.batch_size_hint_bytes"


class AdbcStream:
    """One query, run by :meth:`batches` in whatever thread iterates over it.

    Args:
        config: How to reach the server.
        snapshot_id: As ``pg_export_snapshot()`` names it.
        query: What is read.
        on_begin: Called once the stream holds the snapshot itself.
        statement_timeout_seconds: After which the server ends the query; None for the user's own setting.
    """

    def __init__(
        self,
        config: PostgresConfig,
        *,
        snapshot_id: str,
        query: str,
        on_begin: Callable[[], None],
        statement_timeout_seconds: int | None = None,
    ) -> None:
        self._config = config
        self._snapshot_id = snapshot_id
        self._query = query
        self._on_begin = on_begin
        self._statement_timeout_seconds = statement_timeout_seconds
        self._cursor: adbc_driver_postgresql.dbapi.Cursor | None = None

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """Connect and yield the rows in batches of about ``fetchMegabytes``.

        Raises:
            SourceError: No connection.
            adbc_driver_manager.Error: The query failed.
            pyarrow.ArrowException: The query failed in mid-stream.
            OSError: Likewise.
        """
        with (
            self._connected() as connection,
            connection.cursor(
                adbc_stmt_kwargs={_BATCH_BYTES: str(self._config.fetch_megabytes * 1024 * 1024)}
            ) as cursor,
        ):
            self._cursor = cursor
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(
                sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._snapshot_id)).as_string(None)
            )
            if self._statement_timeout_seconds is not None:
                cursor.execute(f"SET LOCAL statement_timeout = '{self._statement_timeout_seconds:d}s'")
            cursor.execute(self._query)
            self._on_begin()
            for batch in cursor.fetch_record_batch():
                if batch.num_rows:
                    yield batch

    def cancel(self) -> None:
        """Ask the server to stop; without it, closing would first take in all that is still to come."""
        if self._cursor is not None:
            with contextlib.suppress(adbc_driver_manager.Error):
                self._cursor.adbc_cancel()

    def _connected(self) -> adbc_driver_postgresql.dbapi.Connection:
        try:
            return adbc_driver_postgresql.dbapi.connect(self._config.conninfo(), autocommit=False)
        except adbc_driver_manager.Error as error:
            failure = connection_error(error, host=self._config.host, port=self._config.port)
        raise failure
