"""PostgreSQL's failures as typed errors that name the config field at fault."""

from __future__ import annotations

import re
from typing import Any

from runtime_common.exceptions import IngestionError, SourceError, SourceObjectError, SourceUnreachableError
from runtime_common.redaction import redact

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
    r"|terminating connection|database system is (shutting down|starting up|in recovery)",
    re.IGNORECASE,
)


def connection_error(error: Exception, *, host: str, port: int) -> IngestionError:
    """Classify a failed connection attempt."""
    text = redact(str(error))
    for pattern, code, field, advice in _REFUSALS:
        if pattern.search(text):
            refused = SourceObjectError if code == "SOURCE_DATABASE_MISSING" else SourceError
            return refused(advice, code=code, field=field)
    return SourceUnreachableError(
        f"no connection to {host}:{port}: {_first_line(text)}; check host, port and that the server runs",
        field="source.config.host",
    )


def read_error(error: Exception, *, table: str) -> IngestionError:
    """Classify a failure while a table was read."""
    sqlstate: Any = getattr(error, "sqlstate", None)
    text = redact(str(error))
    if sqlstate == _PERMISSION_DENIED:
        return SourceObjectError(
            f"the user may not read {table}; grant SELECT", code="SOURCE_ACCESS_DENIED", field="source.object.table"
        )
    if _LOST.search(text) or str(sqlstate or "").startswith(("08", "57P")):
        return SourceUnreachableError(
            f"the connection was lost while {table} was read: {_first_line(text)}", code="SOURCE_CONNECTION_LOST"
        )
    return SourceError(
        f"reading {table} failed: {_first_line(text)}", retryable=str(sqlstate or "")[:2] in _TRANSIENT_CLASSES
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no message"
