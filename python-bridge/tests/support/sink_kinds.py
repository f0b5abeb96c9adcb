"""The sinks as the tests over whole lives of units see them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql
from pyiceberg.table import StaticTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.units import Database, Unit

JARS = Path(os.environ.get("SPARK_JARS_DIR", Path(__file__).resolve().parents[3] / ".nucleus" / "jars" / "spark"))


@dataclass(frozen=True, kw_only=True)
class SinkKind:
    """A sink under test.

    Attributes:
        template: Template id.
        write_mode: append is compared with everything that was ever inserted, merge with the table as it is.
        config: Makes the config from the database and a folder.
        read: Reads a target back, without the sink; None when there is no such target.
        failpoints: The sink's own.
        jars: Jars for Spark, where the sink needs it.
    """

    template: str
    write_mode: str
    config: Callable[[Database, Path], dict[str, Any]]
    read: Callable[[Unit, Database], pa.Table | None]
    failpoints: tuple[str, ...]
    jars: str | None = None


def _read_parquet(unit: Unit, _: Database) -> pa.Table | None:
    folder = f"{unit.sink_config['directory']}/{unit.target}/*.parquet"
    try:
        return duckdb.connect().execute("SELECT * FROM read_parquet(?)", [folder]).to_arrow_table()
    except duckdb.IOException:
        return None


def _read_iceberg(unit: Unit, _: Database) -> pa.Table | None:
    metadata = Path(unit.sink_config["warehouse"]) / "nucleus" / unit.target / "metadata"
    try:
        version = (metadata / "version-hint.text").read_text().strip()
    except FileNotFoundError:
        return None
    table = StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))
    return None if table.current_snapshot() is None else table.scan().to_arrow()


def _read_postgres(unit: Unit, database: Database) -> pa.Table | None:
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("sink", unit.target)))
        except psycopg.errors.UndefinedTable:
            return None
        names = [column.name for column in cursor.description or ()]
        return pa.table(dict(zip(names, [list(column) for column in zip(*cursor, strict=True)], strict=False)))


PARQUET = SinkKind(
    template="parquet_files",
    write_mode="append",
    config=lambda _, folder: {"directory": str(folder / "sink")},
    read=_read_parquet,
    failpoints=(
        "parquet.before-manifest",
        "parquet.after-manifest",
        "parquet.mid-roll-forward",
        "parquet.after-roll-forward",
    ),
)
ICEBERG = SinkKind(
    template="iceberg",
    write_mode="merge",
    config=lambda _, folder: {"warehouse": str(folder / "warehouse")},
    read=_read_iceberg,
    failpoints=("iceberg.after-evolution", "iceberg.before-publish", "iceberg.after-publish"),
    jars=str(JARS),
)
# A worker that is stopped within its transaction holds the table's lock until the server ends its session.
POSTGRES_TABLES = SinkKind(
    template="jdbc_postgres_tables",
    write_mode="merge",
    config=lambda database, _: database.config(schema="sink", idleTimeoutSeconds=1),
    read=_read_postgres,
    failpoints=("postgres-tables.after-copy", "postgres-tables.before-commit", "postgres-tables.after-commit"),
)
