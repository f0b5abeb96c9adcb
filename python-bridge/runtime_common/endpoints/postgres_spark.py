"""The rows of one query through Spark: several connections at once, all in the snapshot that one has exported.

Spark writes them to Parquet files on the worker's disk first, from where they are read in batches: it has no other way
to hand rows to Python that keeps memory bounded. Each value comes in the form that the driver of the other engine has,
so both deliver the same.
"""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from runtime_common.endpoints.postgres_config import SESSION_SETTINGS
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

    import psycopg

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import ReadEngine
    from runtime_common.endpoints.postgres_config import PostgresConfig
    from runtime_common.endpoints.postgres_schema import Column
    from runtime_common.endpoints.postgres_target import Target
    from runtime_common.spark import SparkEngine

# Below, starting jobs and writing files costs more than several connections save.
_AUTO_BYTES = 8 * 1024**3
_AUTO_CORES = 4
_PARTITIONS_PER_CORE = 3
_PAGE_BYTES = 8192
_FETCH_ROWS = 10_000
_BATCH_ROWS = 64 * 1024
_TID = "tid"
# What the driver of the other engine makes of infinity and -infinity: bad rows that can still be told apart.
_FORMS: dict[str, str] = {
    "timestamptz": """CASE {0} WHEN 'infinity' THEN -9222425352054775809 WHEN '-infinity' THEN -9222425352054775808
        ELSE (extract(epoch FROM {0}) * 1000000
              - CASE WHEN {0} >= '294247-01-01' THEN 18446744073709551616 ELSE 0 END)::int8 END""",
    "date": "CASE {0} WHEN 'infinity' THEN -2147472692 WHEN '-infinity' THEN -2147472691 ELSE {0} - '1970-01-01' END",
    # A cast to text would take the blanks away.
    "bpchar": "CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END",
    "text": "{0}::text",
    "varchar": "{0}::text",
}
_FORMS["timestamp"] = _FORMS["timestamptz"]


def is_worth_spark(connection: psycopg.Connection, target: Target, engine: ReadEngine, *, is_ordered: bool) -> bool:
    """Decide what reads. ``auto`` takes Spark for a full read of a large table, by a worker with cores to spare.

    An incremental read is left to the other engine, which delivers in the cursor's order and so may move the checkpoint
    after each slice.
    """
    if engine != "auto":
        return engine == "spark"
    if is_ordered or (os.cpu_count() or 1) < _AUTO_CORES:
        return False
    return _pages(connection, target) * _PAGE_BYTES >= _AUTO_BYTES


def _pages(connection: psycopg.Connection, target: Target) -> int:
    """Return the pages of a plain table; 0 for all else, which has no places that could be shared out."""
    row = connection.execute(
        "SELECT pg_relation_size(oid) / %s FROM pg_class WHERE oid = %s AND relkind IN ('r', 'm')",
        (_PAGE_BYTES, target.relation or 0),
    ).fetchone()
    return 0 if row is None else int(row[0])


class SparkScan:
    """One query in partitions by the places of its rows; one partition where the source is no plain table.

    Args:
        spark: The worker's.
        config: How to reach the server.
        snapshot_id: As ``pg_export_snapshot()`` names it; the connection that has exported it stays open.
        connection: That one.
        target: What is read.
        where: Of the rows that are wanted; None for all.
    """

    def __init__(
        self,
        spark: SparkEngine,
        config: PostgresConfig,
        *,
        snapshot_id: str,
        connection: psycopg.Connection,
        target: Target,
        where: sql.Composable | None,
    ) -> None:
        self._spark = spark
        self._config = config
        self._columns = target.schema.columns
        self._session = _session_statement(snapshot_id).as_string(connection)
        pages = _pages(connection, target)
        # Spark would take apart names that are not its own.
        selected = [sql.SQL("{} AS {}").format(_form(one), sql.Identifier(f"c{n}")) for n, one in self._named()]
        if pages:
            selected.append(sql.SQL("source.ctid AS {}").format(sql.Identifier(_TID)))
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(selected), target.source)
        if where is not None:
            query = sql.SQL("{} WHERE {}").format(query, where)
        self._table = f"({query.as_string(connection)}) AS partitioned"
        self._predicates = _by_place(pages)

    def batches(self, cancellation: Cancellation) -> Generator[pa.RecordBatch, None, None]:
        """Read everything, then yield it.

        Raises:
            SinkError: Spark failed, or the server did.
            EngineLostError: The JVM died.
            ConfigurationError: Spark runs elsewhere, where the worker's disk can't be written.
            OSError: The worker's disk failed.
        """
        with tempfile.TemporaryDirectory(prefix="nucleus-spark-read-") as folder:
            rows = Path(folder) / "rows"
            with self._spark.session(cancellation) as spark:
                if not str(spark.sparkContext.master).startswith("local"):
                    raise ConfigurationError(
                        "the engine spark needs a Spark that runs on the worker itself; use the engine arrow",
                        code="ENGINE_UNSUPPORTED",
                        field="policy.engine",
                    )
                found = spark.read.jdbc(
                    self._url, self._table, predicates=self._predicates, properties=self._properties()
                )
                found.drop(_TID).write.parquet(rows.as_uri())
            for path in sorted(rows.glob("*.parquet")):
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                        yield self._as_driver(batch)

    @property
    def _url(self) -> str:
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"jdbc:postgresql://{host}:{self._config.port}/{quote(self._config.database, safe='')}"

    def _properties(self) -> dict[str, str]:
        certificate = self._config.root_cert_file
        return {
            "driver": "org.postgresql.Driver",
            "user": self._config.user,
            "password": self._config.password.get_secret_value(),
            "sslmode": self._config.ssl_mode,
            **({} if certificate is None else {"sslrootcert": str(certificate)}),
            "ApplicationName": "nucleus",
            "connectTimeout": str(self._config.connect_timeout_seconds),
            "socketTimeout": str(max(1, round(self._config.read_timeout_seconds))),
            "tcpKeepAlive": "true",
            # Above 0, rows come in portions, and all statements of a connection run in one transaction.
            "fetchsize": str(_FETCH_ROWS),
            "sessionInitStatement": self._session,
        }

    def _named(self) -> list[tuple[int, Column]]:
        return list(enumerate(self._columns))

    def _as_driver(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch in the types that the driver of the other engine has."""
        columns = [
            batch.column(f"c{number}").view(one.arrow_type)
            if pa.types.is_temporal(one.arrow_type)
            else batch.column(f"c{number}")
            for number, one in self._named()
        ]
        return pa.RecordBatch.from_arrays(columns, names=[one.name for one in self._columns])


def _session_statement(snapshot_id: str) -> sql.Composed:
    settings = [
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in SESSION_SETTINGS.items()
    ]
    # The isolation first: once a statement has run, it can't be changed any more.
    return sql.SQL("; ").join(
        [
            sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot_id)),
            *settings,
        ]
    )


def _form(column: Column) -> sql.Composable:
    form: Any = _FORMS.get(column.type_name)
    return sql.SQL(form).format(column.qualified) if form is not None else column.value


def _by_place(pages: int) -> list[str]:
    """Return conditions that share out the pages of a table; the last one has no end, for the table may have grown."""
    parts = min((os.cpu_count() or 1) * _PARTITIONS_PER_CORE, pages)
    if parts < 2:
        return ["true"]
    bounds = [f"'({pages * part // parts},0)'::tid" for part in range(parts)]
    inner = [f"{_TID} >= {begin} AND {_TID} < {end}" for begin, end in pairwise(bounds)]
    return [*inner, f"{_TID} >= {bounds[-1]}"]
