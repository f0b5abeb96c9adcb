"""PostgreSQL's failures as typed errors of a sink, and which of them are the fault of single rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_common.endpoints.postgres_errors import connection_error
from runtime_common.exceptions import SinkError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    import psycopg

_REFUSED_CONNECTIONS = {
    "SOURCE_AUTHENTICATION_FAILED": "SINK_AUTHENTICATION_FAILED",
    "SOURCE_DATABASE_MISSING": "SINK_DATABASE_MISSING",
    "SOURCE_ACCESS_DENIED": "SINK_ACCESS_DENIED",
    "SOURCE_TLS_FAILED": "SINK_TLS_FAILED",
    "SOURCE_UNREACHABLE": "SINK_UNREACHABLE",
}
# Classes of SQLSTATE that pass by themselves: connection, rollback, resources, operator intervention, system.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
# What the values of a row break: their types, and the table's constraints.
_ROW_CLASSES = frozenset({"22", "23"})
_ROW_FAULTS: dict[str, tuple[str, str]] = {
    "22001": ("VALUE_TOO_LONG", "a text is longer than its column"),
    "22003": ("VALUE_OUT_OF_RANGE", "a number is larger than its column can hold"),
    "22008": ("VALUE_OUT_OF_RANGE", "a date or time lies outside of what its column can hold"),
    "22P02": ("VALUE_UNREADABLE", "a text is no value of its column's type"),
    "23502": ("VALUE_MISSING", "a column that must have a value has none"),
    "23503": ("REFERENCE_BROKEN", "a row of another table is missing, or refers to this one"),
    "23505": ("KEY_TAKEN", "a row with the same key is there already"),
    "23514": ("CHECK_FAILED", "a check of the table is not fulfilled"),
    "23P01": ("KEY_TAKEN", "a row that excludes this one is there already"),
}
_LOST = re.compile(
    r"server closed the connection|connection .*(lost|reset|refused|closed|timed out)|could not receive data"
    r"|EOF detected|terminating connection|database system is (shutting down|starting up|in recovery)",
    re.IGNORECASE,
)


def connection_failure(error: psycopg.Error, *, host: str, port: int) -> SinkError:
    """Classify a failed connection attempt."""
    refused = connection_error(error, host=host, port=port)
    return SinkError(
        refused.message,
        code=_REFUSED_CONNECTIONS.get(refused.code, "SINK_FAILED"),
        field=None if refused.field is None else refused.field.replace("source.", "sink.", 1),
        retryable=refused.retryable,
    )


def write_failure(error: psycopg.Error, *, table: str) -> SinkError:
    """Classify a failure while a table was written; nothing of the slice was committed."""
    sqlstate = error.sqlstate or ""
    text = _first_line(redact(str(error)))
    if sqlstate == "42501":
        return SinkError(
            f"the user may not write {table}: {text}; grant the right",
            code="SINK_ACCESS_DENIED",
            field="sink.config.user",
            retryable=False,
        )
    if sqlstate == "55P03":
        return SinkError(
            f"another session has kept {table} locked for too long; end it, or raise lockTimeoutSeconds",
            code="SINK_LOCKED",
            field="sink.config.lockTimeoutSeconds",
        )
    if sqlstate == "53100":
        return SinkError(f"the server's disk is full: {text}; free some space", code="SINK_DISK_FULL")
    if sqlstate[:2] == "40":
        return SinkError(f"another writer was faster: {text}; try again", code="SINK_CONFLICT")
    # 25P03 is the server's answer to a worker that stood still between two statements.
    if _LOST.search(text) or sqlstate.startswith(("08", "57P")) or sqlstate == "25P03":
        return SinkError(f"the connection was lost while {table} was written: {text}", code="SINK_CONNECTION_LOST")
    return SinkError(f"writing {table} failed: {text}", retryable=sqlstate[:2] in _TRANSIENT_CLASSES)


def is_row_fault(error: psycopg.Error) -> bool:
    """Return whether single rows may be at fault, so that the others could be written without them."""
    return (error.sqlstate or "")[:2] in _ROW_CLASSES


@dataclass(frozen=True, kw_only=True)
class RowFault:
    """Why the target refuses a row; never with its values, which the server's own text would hold."""

    code: str
    column: str | None
    reason: str


def row_fault(error: psycopg.Error) -> RowFault:
    """Return a row's fault by what the server says."""
    code, reason = _ROW_FAULTS.get(error.sqlstate or "", ("ROW_REFUSED", "the server refuses the row"))
    constraint = error.diag.constraint_name
    column = error.diag.column_name
    if column is not None:
        reason = f"{reason} ({column})"
    elif constraint is not None:
        reason = f"{reason} (constraint {constraint})"
    return RowFault(code=code, column=column, reason=reason)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no message"
