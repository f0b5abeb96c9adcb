"""The Spark side of an Iceberg commit: writes a snapshot that is staged, not yet current."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pyspark.sql import functions as f
from pyspark.sql.types import BooleanType, ByteType, IntegerType, ShortType, StructType
from pyspark.sql.window import Window

from runtime_common.endpoints.iceberg_history import BATCH_PROPERTY, RECORD_PROPERTY, RUN_PROPERTY, UNIT_PROPERTY
from runtime_common.endpoints.iceberg_schema import quoted
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from runtime_common.endpoints.iceberg_schema import SchemaPlan
    from runtime_common.protocols import CommitRequest

WAP_SWITCH = "write.wap.enabled"
_SNAPSHOT_PREFIX = "spark.sql.iceberg.snapshot-property."
_STAGED_VIEW = "nucleus_staged"
_RANK = "__nucleus_rank"
_DELETED = "__nucleus_deleted"


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
    spark: SparkSession,
    identifier: str,
    rows: DataFrame,
    request: CommitRequest,
    *,
    plan: SchemaPlan,
    order: Sequence[str],
) -> str:
    """Write the rows as a staged snapshot and return the id by which it is found.

    Args:
        spark: A session of this commit alone: the snapshot's properties are settings of the session.
        identifier: The table, evolved as the plan says.
        rows: The slice, by :func:`conforming`.
        request: The commit; its record goes into the snapshot's summary.
        plan: Which columns are written.
        order: Columns whose highest value wins among rows of the same key.

    Raises:
        ConfigurationError: The slice has no such column as marks deleted rows.
    """
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
    written = [f.col(quoted(name)).cast(type_).alias(name) for name, type_ in plan.written.items()]
    if request.write_mode == "merge":
        last = _last_of_each_key(rows, request.primary_key, order)
        is_deleted = _is_deleted(rows, request.delete_field).alias(_DELETED)
        last.select(*written, is_deleted).createOrReplaceTempView(_STAGED_VIEW)
        spark.sql(merge_sql(identifier, list(plan.written), request.primary_key, kept=list(plan.kept)))
        return wap_id
    kept = [f.lit(None).cast(type_).alias(name) for name, type_ in plan.kept.items()]
    whole = rows.select(*written, *kept).writeTo(identifier)
    if request.write_mode == "append":
        whole.append()
    else:
        whole.overwrite(f.lit(True))
    return wap_id


def merge_sql(identifier: str, columns: Sequence[str], key: Sequence[str], *, kept: Sequence[str]) -> str:
    """Return the MERGE; a matched row that is identical is left alone, so it does not count as written.

    Args:
        identifier: The table.
        columns: What the slice has.
        key: What identifies a row.
        kept: Columns that only the table has: they stay in rows that are there, and are NULL in new ones.
    """
    same_key = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in key)
    others = [name for name in columns if name not in key]
    names = ", ".join(map(quoted, [*columns, *kept]))
    values = ", ".join([*(f"s.{quoted(name)}" for name in columns), *("NULL" for _ in kept)])
    update = ""
    if others:
        same = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in others)
        changes = ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in others)
        update = f"WHEN MATCHED AND NOT ({same}) THEN UPDATE SET {changes} "
    return (
        f"MERGE INTO {identifier} t USING {_STAGED_VIEW} s ON {same_key} "  # noqa: S608 - names are quoted
        f"WHEN MATCHED AND s.{_DELETED} THEN DELETE {update}"
        f"WHEN NOT MATCHED AND NOT s.{_DELETED} THEN INSERT ({names}) VALUES ({values})"
    )


def _is_deleted(rows: DataFrame, delete_field: str | None) -> Column:
    if delete_field is None:
        return f.lit(False)
    types = {column.name: column.dataType for column in rows.schema.fields}
    if delete_field not in types:
        raise ConfigurationError(
            f"the slice has no column {delete_field!r}; it has {', '.join(rows.columns)}", field="policy.deleteField"
        )
    marked = f.col(quoted(delete_field))
    if isinstance(types[delete_field], BooleanType):
        return f.coalesce(marked, f.lit(False))
    return marked.isNotNull()


def _last_of_each_key(rows: DataFrame, key: Sequence[str], order: Sequence[str]) -> DataFrame:
    """Keep one row of each key, the last one read: MERGE refuses two for the same target row."""
    window = Window.partitionBy(*[f.col(quoted(name)) for name in key]).orderBy(
        *[f.col(quoted(name)).desc_nulls_last() for name in order],
        f.col("_metadata.file_name").desc(),
        f.col("_metadata.row_index").desc(),
    )
    return rows.withColumn(_RANK, f.row_number().over(window)).where(f.col(_RANK) == 1)
