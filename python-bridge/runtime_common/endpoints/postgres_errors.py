"""PostgreSQL's failures as typed errors that name the config field at fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runtime_common.exceptions import IngestionError, SourceError, SourceObjectError, SourceUnreachableError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    import psycopg

# libpq gives no SQLSTATE for a refused start-up packet, only the server's text.
_REFUSALS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (
        re.compile(r"password authentication failed|no password supplied|empty password"),
        "SOURCE_AUTHENTICATION_FAILED",
        "source.config.password",
        "the server refused user and password; correct them",
    ),
    (
        re.compile(r'role ".*" does not exist'),
        "SOURCE_AUTHENTICATION_FAILED",
        "source.config.user",
        "the server knows no such user; correct it",
    ),
    (
        re.compile(r'database ".*" does not exist'),
        "SOURCE_DATABASE_MISSING",
        "source.config.database",
        "the server has no such database; correct the name",
    ),
    (
        re.compile(r"no pg_hba\.conf entry|pg_hba\.conf rejects"),
        "SOURCE_ACCESS_DENIED",
        "source.config.user",
        "the server's pg_hba.conf does not let this user in from here; allow it there, or change user or TLS mode",
    ),
    (
        re.compile(r"permission denied for database"),
        "SOURCE_ACCESS_DENIED",
        "source.config.database",
        "the user may not connect to this database; grant CONNECT",
    ),
    (
        re.compile(r"certificate|signature failure"),
        "SOURCE_TLS_FAILED",
        "source.config.sslRootCert",
        "the server's certificate can't be verified: give that of the authority that signed it, and the host "
        "name that it is made out to",
    ),
    (
        re.compile(r"server does not support SSL|SSL error"),
        "SOURCE_TLS_FAILED",
        "source.config.sslMode",
        "the TLS mode does not fit the server; change the mode, or let the server offer TLS",
    ),
)
# Classes of SQLSTATE that pass by themselves: connection, rollback, resources, operator intervention, system.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_PERMISSION_DENIED = "42501"
_LOST = re.compile(
    r"server closed the connection|connection .*(lost|reset|refused|closed)|could not receive data|EOF detected"
    r"|I/O error occurred|terminating connection|database system is (shutting down|starting up|in recovery)",
    re.IGNORECASE,
)
_STATEMENT_TIMEOUT = re.compile(r"due to statement timeout")


def connection_error(error: Exception, *, host: str, port: int) -> IngestionError:
    """Classify a failed connection attempt of a source."""
    text = redact(str(error))
    for pattern, code, field, advice in _REFUSALS:
        if pattern.search(text):
            refused = SourceObjectError if code == "SOURCE_DATABASE_MISSING" else SourceError
            return refused(advice, code=code, field=field)
    return SourceUnreachableError(
        f"no connection to {host}:{port}: {_first_line(text)}; check host, port and that the server runs",
        field="source.config.host",
    )


def read_error(error: Exception, *, what: str, field: str | None) -> IngestionError:
    """Classify a failure while something was read.

    Args:
        error: What the driver raised.
        what: Was read, for people.
        field: Of the unit or config that names it.
    """
    sqlstate = str(getattr(error, "sqlstate", None) or "")
    text = redact(str(error))
    if sqlstate == _PERMISSION_DENIED:
        return SourceObjectError(
            f"the user may not read {what}: {_first_line(text)}; grant SELECT, and USAGE on the schema",
            code="SOURCE_ACCESS_DENIED",
            field=field,
        )
    if _LOST.search(text) or sqlstate.startswith(("08", "57P")):
        return SourceUnreachableError(
            f"the connection was lost while {what} was read: {_first_line(text)}", code="SOURCE_CONNECTION_LOST"
        )
    if _STATEMENT_TIMEOUT.search(text):
        return SourceUnreachableError(
            f"the server ended the read of {what} by its statement_timeout; raise that of the user, or make the read "
            "shorter, e.g. by an index on the cursor column",
            code="SOURCE_STATEMENT_TIMEOUT",
            field="source.config.user",
        )
    return SourceError(
        f"reading {what} failed: {_first_line(text)}", field=field, retryable=sqlstate[:2] in _TRANSIENT_CLASSES
    )


def read_timeout(what: str, *, seconds: float) -> SourceUnreachableError:
    """Return the error of a read that got nothing for too long."""
    return SourceUnreachableError(
        f"nothing of {what} arrived for {seconds:g} s: the network stands still, or the server needs longer, e.g. to "
        "sort without an index; look at the server, or raise readTimeoutSeconds",
        code="SOURCE_READ_TIMEOUT",
        field="source.config.readTimeoutSeconds",
    )


def query_error(error: psycopg.Error, query: str) -> IngestionError:
    """Return why the server does not take a query, with the position where it stopped."""
    if error.sqlstate == _PERMISSION_DENIED or not (error.sqlstate or "").startswith(("42", "22", "0A", "25")):
        return read_error(error, what="the query", field="source.object.query")
    place = _place(query, error.diag.statement_position)
    return SourceObjectError(
        f"the server does not take the query{place}: {redact(error.diag.message_primary or 'no message')}; correct it",
        code="SOURCE_QUERY_INVALID",
        field="source.object.query",
    )


def _place(query: str, position: str | None) -> str:
    if position is None:
        return ""
    before = query[: int(position) - 1].split("\n")
    return f" (line {len(before)}, column {len(before[-1]) + 1})"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no message"
