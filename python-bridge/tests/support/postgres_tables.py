"""Commits to a ``jdbc_postgres_tables`` sink, for its tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.postgres_tables.config import PostgresTablesConfig
from runtime_common.endpoints.postgres_tables.sink import PostgresTablesSink
from tests.support.slices import commit_request, staged_slice

if TYPE_CHECKING:
    import pyarrow as pa

    from runtime_common.protocols import SinkCommit, SinkEndpoint
    from runtime_common.staging import LocalDirectoryStaging
    from tests.support.units import Database

UNIT = "source/unit/sink"


def sink_of(database: Database, schema: str, **changes: Any) -> PostgresTablesSink:
    config = database.config(schema=schema, controlSchema=f"{schema}_control", **changes)
    return PostgresTablesSink(PostgresTablesConfig.model_validate(config))


def commit(
    sink: SinkEndpoint,
    staging: LocalDirectoryStaging,
    batch_id: str,
    batch: pa.RecordBatch,
    last: SinkCommit | None,
    mode: Any = "merge",
    *,
    target: str = "events",
    unit_key: str = UNIT,
    cancellation: Cancellation | None = None,
    **changes: Any,
) -> SinkCommit:
    request = commit_request(batch_id, last, write_mode=mode, target=target, unit_key=unit_key)
    session = staged_slice(staging, batch, batch_id=batch_id)
    return sink.commit(replace(request, **changes), session.reader(), cancellation or Cancellation())


def rows_of(database: Database, schema: str, table: str = "events", columns: str = "*") -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        query = sql.SQL("SELECT {} FROM {} ORDER BY 1").format(sql.SQL(columns), sql.Identifier(schema, table))
        return connection.execute(query).fetchall()
