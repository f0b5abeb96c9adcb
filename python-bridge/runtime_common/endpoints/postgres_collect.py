"""The tables and columns of a database as entities of the knowledge base, named as OpenLineage names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
from psycopg.rows import dict_row

from runtime_common.contracts import CompleteScope
from runtime_common.endpoints.postgres_snapshot import asking, connect
from runtime_common.exceptions import SourceObjectError
from runtime_common.protocols import Collected, MetadataTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import psycopg

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_config import PostgresConfig

# Relations whose columns are asked for at once.
_PIECE = 500
# What encodeURIComponent leaves as it is, beside letters and digits.
_UNRESERVED = "-_.!~*'()"

_NAMES = pa.list_(pa.string())
_DATASETS = pa.schema(
    [
        pa.field("namespace", pa.string()),
        pa.field("name", pa.string()),
        pa.field("type", pa.string()),
        pa.field("description", pa.string()),
        pa.field("rowCount", pa.int64()),
        pa.field(
            "attributes",
            pa.struct(
                [
                    pa.field("schema", pa.string()),
                    pa.field("primaryKey", _NAMES),
                    pa.field("uniqueKeys", pa.list_(_NAMES)),
                    pa.field(
                        "foreignKeys",
                        pa.list_(
                            pa.struct(
                                [
                                    pa.field("columns", _NAMES),
                                    pa.field("dataset", pa.string()),
                                    pa.field("referencedColumns", _NAMES),
                                ]
                            )
                        ),
                    ),
                    pa.field("partitionOf", pa.string()),
                ]
            ),
        ),
    ]
)
_FIELDS = pa.schema(
    [
        pa.field("namespace", pa.string()),
        pa.field("dataset", pa.string()),
        pa.field("name", pa.string()),
        pa.field("type", pa.string()),
        pa.field("nullable", pa.bool_()),
        pa.field("ordinal", pa.int64()),
        pa.field("description", pa.string()),
    ]
)
_LINKS = pa.schema([pa.field("from", pa.string()), pa.field("to", pa.string())])

_SCHEMAS = """
SELECT nspname AS name FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY nspname
"""
_RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
            ELSE 'table' END AS type,
       obj_description(c.oid, 'pg_class') AS description,
       -- Never analysed is -1, and a view has none.
       CASE WHEN c.relkind <> 'v' AND c.reltuples >= 0 THEN c.reltuples::int8 END AS "rowCount",
       (SELECT pn.nspname || '.' || p.relname
          FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE i.inhrelid = c.oid AND c.relispartition) AS "partitionOf"
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY(%(schemas)s)
 ORDER BY n.nspname, c.relname
"""
_COLUMNS = """
SELECT a.attrelid AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable,
       row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS ordinal,
       col_description(a.attrelid, a.attnum) AS description
  FROM pg_attribute a
 WHERE a.attrelid = ANY(%(relations)s) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
"""
_KEYS = """
SELECT k.conrelid AS relation, k.contype::text AS kind, fn.nspname || '.' || f.relname AS referenced,
       (SELECT array_agg(a.attname::text ORDER BY place) FROM unnest(k.conkey) WITH ORDINALITY AS o(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.attnum) AS columns,
       (SELECT array_agg(a.attname::text ORDER BY place) FROM unnest(k.confkey) WITH ORDINALITY AS o(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = o.attnum) AS "referencedColumns"
  FROM pg_constraint k
  LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
 WHERE k.contype IN ('p', 'u', 'f') AND k.conrelid = ANY(%(relations)s)
 ORDER BY k.conrelid, k.conname
"""


def collect_tables(config: PostgresConfig, scope: Sequence[str], cancellation: Cancellation) -> Collected:
    """Return tables and views with their columns and keys, as the catalogue has them at one moment.

    Args:
        config: How to reach the database.
        scope: Schemas; all but the server's own, when empty.
        cancellation: Of the collection.

    Raises:
        SourceError: The server can't be reached or refuses the login, or there is no schema of a given name.
    """
    counts = {"schemas": 0, "tables": 0, "columns": 0}
    complete: list[CompleteScope] = []

    def tables() -> Iterator[MetadataTable]:
        with (
            connect(config) as connection,
            asking(connection, config, what="the catalogue", field="source.config", cancellation=cancellation),
        ):
            catalogue = _Catalogue(connection, config)
            existing = catalogue.schemas()
            chosen = _chosen(scope, existing)
            relations = catalogue.relations(chosen)
            counts["schemas"] = len(chosen)
            for begin in range(0, len(relations), _PIECE):
                piece = relations[begin : begin + _PIECE]
                columns = catalogue.columns(piece)
                counts["tables"] += len(piece)
                counts["columns"] += len(columns)
                yield from catalogue.entities(piece, columns)
        complete.extend(_complete_scopes(config, scope, existing))

    return Collected(tables=tables(), complete_scopes=complete, counts=counts)


def _chosen(scope: Sequence[str], existing: Sequence[str]) -> list[str]:
    missing = sorted(set(scope) - set(existing))
    if missing:
        raise SourceObjectError(
            f"the database has no schema {missing[0]!r}; correct the scope, or leave it out to collect all schemas",
            code="SOURCE_SCHEMA_MISSING",
            field="scope",
        )
    return sorted(set(scope)) if scope else list(existing)


def _complete_scopes(config: PostgresConfig, scope: Sequence[str], existing: Sequence[str]) -> list[CompleteScope]:
    prefixes = [f"{config.database}."]
    if scope:
        # The names of one schema's tables may begin like those of another one whose own name has a dot.
        prefixes = [
            f"{config.database}.{name}."
            for name in sorted(set(scope))
            if not any(other.startswith(f"{name}.") for other in existing)
        ]
    return [CompleteScope(namespace=config.namespace, name_prefix=prefix) for prefix in prefixes]


class _Catalogue:
    def __init__(self, connection: psycopg.Connection, config: PostgresConfig) -> None:
        self._cursor = connection.cursor(row_factory=dict_row)
        self._namespace = config.namespace
        self._database = config.database

    def schemas(self) -> list[str]:
        return [row["name"] for row in self._cursor.execute(_SCHEMAS).fetchall()]

    def relations(self, schemas: Sequence[str]) -> list[dict[str, Any]]:
        rows = self._cursor.execute(_RELATIONS, {"schemas": list(schemas)}).fetchall()
        return [row | {"dataset": self._name(f"{row['schema']}.{row['name']}")} for row in rows]

    def columns(self, relations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        datasets = {row["oid"]: row["dataset"] for row in relations}
        rows = self._cursor.execute(_COLUMNS, {"relations": list(datasets)}).fetchall()
        return [row | {"namespace": self._namespace, "dataset": datasets[row["relation"]]} for row in rows]

    def entities(
        self, relations: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]
    ) -> Iterator[MetadataTable]:
        keys: dict[int, list[dict[str, Any]]] = {row["oid"]: [] for row in relations}
        for key in self._cursor.execute(_KEYS, {"relations": list(keys)}).fetchall():
            keys[key["relation"]].append(key)
        datasets = [
            {
                "namespace": self._namespace,
                "name": row["dataset"],
                "type": row["type"],
                "description": row["description"],
                "rowCount": row["rowCount"],
                "attributes": self._attributes(row, keys[row["oid"]]),
            }
            for row in relations
        ]
        links = [
            {
                "from": _urn("dataset", self._namespace, column["dataset"]),
                "to": _urn("field", self._namespace, column["dataset"], column["name"]),
            }
            for column in columns
        ]
        yield _piece("entities", "Dataset", datasets, _DATASETS)
        yield _piece("entities", "Field", columns, _FIELDS)
        yield _piece("links", "HAS_FIELD", links, _LINKS)

    def _attributes(self, row: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "schema": row["schema"],
            "primaryKey": next((key["columns"] for key in keys if key["kind"] == "p"), []),
            "uniqueKeys": [key["columns"] for key in keys if key["kind"] == "u"],
            "foreignKeys": [
                {
                    "columns": key["columns"],
                    "dataset": self._name(key["referenced"]),
                    "referencedColumns": key["referencedColumns"],
                }
                for key in keys
                if key["kind"] == "f"
            ],
            "partitionOf": None if row["partitionOf"] is None else self._name(row["partitionOf"]),
        }

    def _name(self, relation: str) -> str:
        return f"{self._database}.{relation}"


def _piece(contents: Any, kind: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> MetadataTable:
    return MetadataTable(contents=contents, kind=kind, table=pa.Table.from_pylist(list(rows), schema=schema))


def _urn(kind: str, *parts: str) -> str:
    return f"nucleus:{kind}:{':'.join(quote(part, safe=_UNRESERVED) for part in parts)}"
