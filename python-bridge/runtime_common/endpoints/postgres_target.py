"""Finds what a unit reads: a relation of the catalogue, or a query that is described without being run."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from runtime_common.endpoints.postgres_errors import query_error
from runtime_common.endpoints.postgres_schema import ALIAS, TableSchema, schema_of
from runtime_common.exceptions import SourceObjectError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from runtime_common.endpoints.postgres_config import PostgresObject

_RELATION = """
SELECT (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s),
       (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
"""
# Name and modifier of the base type, when the type is a domain.
_BASE_TYPE = """
CROSS JOIN LATERAL (
  WITH RECURSIVE base(oid, typmod) AS (
    SELECT given.type, given.typmod
    UNION ALL
    SELECT t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE base.typmod END
      FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd')
  SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END AS name, base.typmod
    FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype <> 'd') AS base
"""
_COLUMNS = f"""
SELECT given.name, format_type(given.type, given.typmod), base.name, base.typmod
  FROM (SELECT attname AS name, atttypid AS type, atttypmod AS typmod, attnum AS place FROM pg_attribute
         WHERE attrelid = %(relation)s AND attnum > 0 AND NOT attisdropped) AS given {_BASE_TYPE}
 ORDER BY given.place
"""  # noqa: S608 - constants only
_TYPES = f"""
SELECT given.name, format_type(given.type, given.typmod), base.name, base.typmod
  FROM unnest(%(names)s::text[], %(types)s::oid[], %(typmods)s::int[]) WITH ORDINALITY
       AS given(name, type, typmod, place) {_BASE_TYPE}
 ORDER BY given.place
"""  # noqa: S608 - constants only


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is read.

    Attributes:
        source: Item of a FROM clause, under the name of :data:`ALIAS`.
        suffix: What its data set is called behind the database's name, e.g. ``.public.orders``.
        schema: Its columns.
        relation: Its oid; None for a query.
    """

    source: sql.Composed
    suffix: str
    schema: TableSchema
    relation: int | None


def find_target(connection: psycopg.Connection, selected: PostgresObject) -> Target:
    """Look the object up in the connection's snapshot and make sure that it can be read.

    Raises:
        SourceObjectError: It is missing, or is no single query.
        psycopg.Error: The user may not read it, or the server failed.
    """
    target = _query(connection, selected.query) if selected.query else _relation(connection, selected)
    connection.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(target.schema.expressions, target.source))
    return target


def _relation(connection: psycopg.Connection, selected: PostgresObject) -> Target:
    row = connection.execute(_RELATION, {"schema": selected.schema_, "table": selected.table}).fetchone()
    namespace, relation = row if row is not None else (None, None)
    if namespace is None:
        raise SourceObjectError(
            f"the database has no schema {selected.schema_!r}; correct the name",
            code="SOURCE_SCHEMA_MISSING",
            field="source.object.schema",
        )
    if relation is None:
        raise SourceObjectError(
            f"schema {selected.schema_!r} has no table {selected.table!r}; correct the name",
            code="SOURCE_TABLE_MISSING",
            field="source.object.table",
        )
    name = sql.Identifier(selected.schema_, str(selected.table))
    return Target(
        source=sql.SQL("{} AS {}").format(name, ALIAS),
        suffix=f".{selected.schema_}.{selected.table}",
        schema=schema_of(connection.execute(_COLUMNS, {"relation": relation}).fetchall()),
        relation=relation,
    )


def _query(connection: psycopg.Connection, text: str) -> Target:
    query = text.strip().removesuffix(";").rstrip()
    schema = _describe(connection, query)
    # Lines of its own, so that a comment at the query's end does not swallow what follows.
    source = sql.SQL("{} AS {}").format(sql.SQL(f"(\n{query}\n)"), ALIAS)
    try:
        connection.execute(sql.SQL("PREPARE wrapped AS SELECT FROM {}").format(source))
    except (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported) as error:
        raise _no_query(f"{redact(error.diag.message_primary or '')}; give a SELECT statement") from None
    return Target(
        source=source,
        # Apart from the names of tables, so that a list of all tables says nothing about queries.
        suffix=f"?query={sha256(query.encode()).hexdigest()[:16]}",
        schema=schema,
        relation=None,
    )


def _describe(connection: psycopg.Connection, query: str) -> TableSchema:
    """Return the columns of a query that the server has parsed alone, which takes one statement and no more."""
    wire = connection.pgconn
    prepared = wire.prepare(b"", query.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise query_error(psycopg.errors.error_from_result(prepared), query)
    described = wire.describe_prepared(b"")
    names = [(described.fname(index) or b"").decode() for index in range(described.nfields)]
    if not names:
        raise _no_query("it returns no rows; give a SELECT statement")
    if described.nparams:
        raise _no_query("it has parameters ($1), which nothing fills; write the values into the query")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _no_query(f"two columns are called {twice[0]!r}; give each a name of its own with AS")
    rows = connection.execute(
        _TYPES,
        {
            "names": names,
            "types": [described.ftype(index) for index in range(described.nfields)],
            "typmods": [described.fmod(index) for index in range(described.nfields)],
        },
    ).fetchall()
    return schema_of(rows)


def _no_query(why: str) -> SourceObjectError:
    return SourceObjectError(
        f"the query can't be read: {why}", code="SOURCE_QUERY_INVALID", field="source.object.query"
    )
