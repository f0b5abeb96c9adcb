"""The Spark side of an Iceberg commit: writes a snapshot that is staged, not yet current."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pyspark.sql import functions as f
from pyspark.sql.types import ByteType, IntegerType, ShortType, StructType
from pyspark.sql.window import Window

from runtime_common.endpoints.iceberg_history import BATCH_PROPERTY, RECORD_PROPERTY, RUN_PROPERTY, UNIT_PROPERTY
from runtime_common.exceptions import SinkSchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from runtime_common.protocols import CommitRequest

WAP_SWITCH = "write.wap.enabled"
_SNAPSHOT_PREFIX = "spark.sql.iceberg.snapshot-property."
_STAGED_VIEW = "nucleus_staged"
_RANK = "__nucleus_rank"


def quoted(name: str) -> str:
    """Return ``name`` as a Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def conforming(rows: DataFrame) -> DataFrame:
    """Widen the types that Iceberg does not have: it knows no integer shorter than 32 bits."""
    columns = [
        f.col(quoted(column.name)).cast(IntegerType()).alias(column.name)
        if isinstance(column.dataType, ByteType | ShortType)
        else f.col(quoted(column.name))
        for column in rows.schema.fields
    ]
    # The hidden file metadata stays reachable: it orders rows of one key by when they were read.
    return rows.select(*columns, "_metadata")


def create_table_sql(identifier: str, schema: StructType) -> str:
    """Return the statement that makes the table if it is missing.

    Copy-on-write keeps tables readable for every reader; staging by write-audit-publish needs ``write.wap.enabled``.
    """
    columns = ", ".join(
        f"{quoted(column.name)} {column.dataType.simpleString()}"
        for column in schema.fields
        if column.name != "_metadata"
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {identifier} ({columns}) USING iceberg TBLPROPERTIES ("
        f"'format-version'='2', '{WAP_SWITCH}'='true', 'write.merge.mode'='copy-on-write', "
        "'write.merge.isolation-level'='serializable', 'write.parquet.compression-codec'='zstd')"
    )


def stage_only_sql(identifier: str) -> str:
    """Return the statement for a table that somebody else made: without it a write would become current at once."""
    return f"ALTER TABLE {identifier} SET TBLPROPERTIES ('{WAP_SWITCH}'='true')"


def stage(
    spark: SparkSession, identifier: str, rows: DataFrame, request: CommitRequest, *, order: Sequence[str]
) -> str:
    """Write the rows as a staged snapshot and return the id by which it is found.

    Args:
        spark: A session of this commit alone: the snapshot's properties are settings of the session.
        identifier: The table.
        rows: The slice, by :func:`conforming`.
        request: The commit; its record goes into the snapshot's summary.
        order: Columns whose highest value wins among rows of the same key.

    Raises:
        SinkSchemaError: The table's columns differ.
    """
    columns = [name for name in rows.columns if name != "_metadata"]
    _check_schema(spark, identifier, rows.select(*map(quoted, columns)).schema)
    record = request.record
    wap_id = f"{record.batch_id}/{secrets.token_hex(6)}"
    for name, value in {
        RECORD_PROPERTY: record.model_dump_json(by_alias=True),
        UNIT_PROPERTY: record.unit_key,
        BATCH_PROPERTY: record.batch_id,
        RUN_PROPERTY: record.run_id,
    }.items():
        spark.conf.set(_SNAPSHOT_PREFIX + name, value)
    spark.conf.set("spark.wap.id", wap_id)
    if request.write_mode == "merge":
        _last_of_each_key(rows, request.primary_key, order).select(*map(quoted, columns)).createOrReplaceTempView(
            _STAGED_VIEW
        )
        spark.sql(merge_sql(identifier, columns, request.primary_key))
    elif request.write_mode == "append":
        rows.select(*map(quoted, columns)).writeTo(identifier).append()
    else:
        rows.select(*map(quoted, columns)).writeTo(identifier).overwrite(f.lit(True))
    return wap_id


def merge_sql(identifier: str, columns: Sequence[str], key: Sequence[str]) -> str:
    """Return the MERGE; a matched row that is identical is left alone, so it does not count as written."""
    same_key = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in key)
    others = [name for name in columns if name not in key]
    names = ", ".join(map(quoted, columns))
    values = ", ".join(f"s.{quoted(name)}" for name in columns)
    update = ""
    if others:
        same = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in others)
        changes = ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in others)
        update = f"WHEN MATCHED AND NOT ({same}) THEN UPDATE SET {changes} "
    insert = f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"  # noqa: S608 - names are quoted
    return f"MERGE INTO {identifier} t USING {_STAGED_VIEW} s ON {same_key} {update}{insert}"


def _last_of_each_key(rows: DataFrame, key: Sequence[str], order: Sequence[str]) -> DataFrame:
    """Keep one row of each key, the last one read: MERGE refuses two for the same target row."""
    window = Window.partitionBy(*[f.col(quoted(name)) for name in key]).orderBy(
        *[f.col(quoted(name)).desc_nulls_last() for name in order],
        f.col("_metadata.file_name").desc(),
        f.col("_metadata.row_index").desc(),
    )
    return rows.withColumn(_RANK, f.row_number().over(window)).where(f.col(_RANK) == 1)


def _check_schema(spark: SparkSession, identifier: str, unit: StructType) -> None:
    table = {column.name: column.dataType.simpleString() for column in spark.table(identifier).schema.fields}
    mine = {column.name: column.dataType.simpleString() for column in unit.fields}
    if table == mine:
        return
    missing = sorted(set(mine) - set(table))
    surplus = sorted(set(table) - set(mine))
    retyped = sorted(name for name in set(table) & set(mine) if table[name] != mine[name])
    parts = [
        f"{label} {', '.join(names)}"
        for label, names in (
            ("missing in the table:", missing),
            ("unknown to the unit:", surplus),
            ("of another type:", retyped),
        )
        if names
    ]
    raise SinkSchemaError(
        f"the table's columns differ from the unit's ({'; '.join(parts)}); alter the table or choose another target",
        field="unit.target",
    )
