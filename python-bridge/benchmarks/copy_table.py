"""Copies ``lineitem`` to Parquet, by the whole pipeline or by a single tool: ``… SIDE URL ROWS FOLDER [JARS]``.

Prints ``ready`` once everything is imported, copies when it reads a line, and prints rows and the process' own peak
memory in MiB as JSON. A baseline writes what the pipeline's files hold, zstd-compressed, exact decimals included.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.conninfo import conninfo_to_dict

from benchmarks.waiting import await_word, tell_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUERY = "SELECT * FROM lineitem"
_DECIMALS = ("l_quantity", "l_extendedprice", "l_discount", "l_tax")
_ROW_GROUP_ROWS = 128 * 1024


def pipeline(url: str, folder: Path, jars: Path | None, *, engine: str) -> Callable[[], int]:
    """Source, staging with checksums, and sink with manifests, as a worker runs them."""
    from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
    from runtime_common.contracts import RunIngestionUnitInput
    from runtime_common.endpoints import EndpointFactory
    from runtime_common.run_metadata import RunMetadataFolder
    from runtime_common.spark import SparkEngine
    from runtime_common.staging import PROVIDER_ID, LocalDirectoryStaging

    spark = SparkEngine(jars=jars)
    if engine == "spark":
        spark.warm_up()
    environment = RuntimeEnvironment(
        factory=EndpointFactory(secret_key=None, spark=spark),
        staging={PROVIDER_ID: LocalDirectoryStaging(folder / "staging")},
        metadata=RunMetadataFolder(folder / "metadata"),
    )
    request = RunIngestionUnitInput.model_validate(_request(url, folder, engine))

    def copy() -> int:
        return run_ingestion(request, environment).stats.rows_written

    return copy


def adbc(url: str, folder: Path, jars: Path | None) -> Callable[[], int]:
    """The driver that the pipeline reads with, by hand; it hands out numeric as text."""
    import adbc_driver_postgresql.dbapi as driver

    def copy() -> int:
        with driver.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(_QUERY)
            return _write(folder, (_with_decimals(batch) for batch in cursor.fetch_record_batch()))

    return copy


def connectorx(url: str, folder: Path, jars: Path | None) -> Callable[[], int]:
    """Its stream of Arrow batches."""
    import connectorx as tool

    def copy() -> int:
        stream = tool.read_sql(url, _QUERY, return_type="arrow_stream", batch_size=64 * 1024)
        return _write(folder, (_with_decimals(batch) for batch in stream))

    return copy


def spark_jdbc(url: str, folder: Path, jars: Path | None) -> Callable[[], int]:
    """Spark's own reader over as many connections as there are cores, and its own writer."""
    from pyspark.sql import SparkSession

    parts = conninfo_to_dict(url)
    if jars is None:
        raise SystemExit("the side spark needs the folder of the jars")
    paths = ",".join(str(jar) for jar in sorted(jars.glob("*.jar")))
    settings = {
        "spark.jars": paths,
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.Builder().master("local[*]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.range(1).count()

    def copy() -> int:
        reader = spark.read.format("jdbc").options(
            url=f"jdbc:postgresql://{parts['host']}:{parts['port']}/{parts['dbname']}",
            user=parts["user"], password=parts["password"], dbtable="lineitem", fetchsize="10000",
            partitionColumn="l_orderkey", lowerBound="1", upperBound="6000000", numPartitions="4",
        )  # fmt: skip
        target = str(folder / "spark")
        reader.load().write.option("compression", "zstd").parquet(target)
        copied: int = sum(int(pq.read_metadata(path).num_rows) for path in Path(target).glob("*.parquet"))
        return copied

    return copy


SIDES: dict[str, Callable[[str, Path, Path | None], Callable[[], int]]] = {
    "arrow": lambda url, folder, jars: pipeline(url, folder, jars, engine="arrow"),
    "spark": lambda url, folder, jars: pipeline(url, folder, jars, engine="spark"),
    "adbc": adbc,
    "connectorx": connectorx,
    "spark-jdbc": spark_jdbc,
}


def _with_decimals(batch: pa.RecordBatch) -> pa.RecordBatch:
    for name in _DECIMALS:
        index = batch.schema.get_field_index(name)
        values = batch.column(index)
        storage = values.storage if isinstance(values, pa.ExtensionArray) else values
        batch = batch.set_column(index, name, storage.cast(pa.decimal128(15, 2)))
    return batch


def _write(folder: Path, batches: Iterator[pa.RecordBatch]) -> int:
    first = next(batches)
    rows: int = 0
    with pq.ParquetWriter(folder / "copy.parquet", first.schema, compression="zstd", compression_level=1) as writer:
        pending, pending_rows = [first], int(first.num_rows)
        for batch in batches:
            pending.append(batch)
            pending_rows += batch.num_rows
            if pending_rows >= _ROW_GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(pending), row_group_size=pending_rows)
                rows += pending_rows
                pending, pending_rows = [], 0
        if pending:
            writer.write_table(pa.Table.from_batches(pending))
    return rows + pending_rows


def _request(url: str, folder: Path, engine: str) -> dict[str, Any]:
    parts = conninfo_to_dict(url)
    config = {name: parts[name] for name in ("host", "user", "password")}
    source = config | {"port": int(str(parts["port"])), "database": parts["dbname"]}
    return {
        "endpointId": "source",
        "unitId": "lineitem",
        "sinkId": "files",
        "checkpoint": {"version": 0, "generation": 1, "cursor": None},
        "policy": {"engine": engine},
        "execution": {
            "runId": str(uuid.uuid4()),
            "fence": 1,
            "source": {"endpointId": "source", "templateId": "jdbc_postgres", "config": source},
            "sink": {
                "endpointId": "files",
                "templateId": "parquet_files",
                "config": {"directory": str(folder / "sink")},
            },
            "unit": {
                "object": {"schema": "public", "table": "lineitem"},
                "mode": "full",
                "cursorField": None,
                "primaryKey": ["l_orderkey", "l_linenumber"],
                "target": "lineitem",
                "writeMode": "overwrite",
            },
        },
    }


def _peak_mebibytes() -> float:
    """Return the most that this process held since it began; getrusage would count what its parent held too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Copy once, when told to."""
    side, url, expected, folder, *jars = sys.argv[1:]
    copy = SIDES[side](url, Path(folder), Path(jars[0]) if jars else None)
    await_word()
    rows = copy()
    if rows != int(expected):
        raise SystemExit(f"{side} copied {rows} rows of {expected}")
    tell_result(rows=rows, peakMiB=_peak_mebibytes())


if __name__ == "__main__":
    main()
