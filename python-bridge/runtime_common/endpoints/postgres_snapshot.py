"""A connection whose transaction can't write and sees one moment of the database."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from runtime_common.endpoints.postgres_errors import connection_error, read_error, read_timeout
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_config import PostgresConfig


def connect(config: PostgresConfig) -> psycopg.Connection:
    """Connect; the first statement begins a repeatable-read transaction that can't write.

    Raises:
        SourceError: The server can't be reached or refuses the login.
    """
    try:
        connection = psycopg.connect(config.conninfo())
    except psycopg.Error as error:
        failure = connection_error(error, host=config.host, port=config.port)
    else:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection
    raise failure


@contextmanager
def asking(
    connection: psycopg.Connection, config: PostgresConfig, *, what: str, field: str | None, cancellation: Cancellation
) -> Iterator[None]:
    """Turn failures of the block into typed errors, end it on cancellation and at the read timeout.

    Args:
        connection: On which the block waits.
        config: Has the timeout.
        what: Is read, for messages.
        field: Of the unit or config that names it.
        cancellation: Of the run.

    Raises:
        SourceError: Typed by what went wrong.
        RunCancelledError: The run was cancelled.
    """
    timed_out = threading.Event()

    def hang_up() -> None:
        timed_out.set()
        _hang_up(connection)

    timer = threading.Timer(config.read_timeout_seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        with cancellation.interrupting(connection.cancel_safe):
            yield
    except psycopg.Error as error:
        failure = read_error(error, what=what, field=field)
    else:
        return
    finally:
        timer.cancel()
    if timed_out.is_set():
        failure = read_timeout(what, seconds=config.read_timeout_seconds)
    raise failure


def export_snapshot(connection: psycopg.Connection) -> tuple[str, str]:
    """Return the snapshot's id for other connections, which lives as long as the transaction, and its version."""
    # A role's own limit would end the transaction, and the snapshot with it, while others read in it.
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    row = connection.execute("SELECT pg_export_snapshot(), pg_current_snapshot()::text").fetchone()
    if row is None:
        raise InternalError("PostgreSQL has exported no snapshot")
    return row[0], row[1]


def _hang_up(connection: psycopg.Connection) -> None:
    """Shut the socket, which wakes whoever waits on it; a question to the server might get no answer either."""
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        return
