"""What an Iceberg table's metadata says about earlier commits, and the move to a new one.

Goes through Iceberg's Java API: SQL can't commit on condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.contracts import DatasetField, DatasetRef
from runtime_common.protocols import CommitRecord, SinkCommit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

RECORD_PROPERTY = "nucleus.commit"
UNIT_PROPERTY = "nucleus.unit"
BATCH_PROPERTY = "nucleus.batch-id"
RUN_PROPERTY = "nucleus.run-id"
WAP_PROPERTY = "wap.id"
_MERGED = tuple(f"spark.merge-into.num-target-rows-{what}" for what in ("inserted", "updated", "deleted"))
_MAIN_BRANCH = "main"


class IcebergHistory:
    """One table; :meth:`state` reads its metadata anew."""

    def __init__(self, spark: SparkSession, identifier: str, *, namespace: str, name: str) -> None:
        jvm: Any = spark._jvm
        self._jvm = jvm
        table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(
            spark._jsparkSession,
            identifier,
        )
        self._operations = table.operations()
        self._namespace = namespace
        self._name = name

    def state(self) -> TableState:
        """Return the newest metadata of the table."""
        return TableState(
            self._jvm, self._operations, self._operations.refresh(), namespace=self._namespace, name=self._name
        )


class TableState:
    """One version of a table's metadata."""

    def __init__(self, jvm: Any, operations: Any, metadata: Any, *, namespace: str, name: str) -> None:
        self._jvm = jvm
        self._operations = operations
        self._metadata = metadata
        self._namespace = namespace
        self._name = name

    def last_of(self, unit_key: str) -> SinkCommit | None:
        """Return the unit's newest commit in the current branch."""
        return self._first(UNIT_PROPERTY, unit_key)

    def find_batch(self, batch_id: str) -> SinkCommit | None:
        """Return the commit of a batch in the current branch."""
        return self._first(BATCH_PROPERTY, batch_id)

    def output(self) -> DatasetRef:
        """Return the table at its current snapshot."""
        current = self._metadata.currentSnapshot()
        return self._dataset(None if current is None else str(current.snapshotId()))

    def has_expired_parents(self) -> bool:
        """Return whether the branch goes further back than the snapshots that are still known."""
        oldest = None
        for snapshot in self._branch():
            oldest = snapshot
        return oldest is not None and oldest.parentId() is not None

    def table_property(self, name: str) -> str | None:
        """Return one of the table's properties."""
        value: str | None = self._metadata.properties().get(name)
        return value

    def publish(self, wap_id: str) -> bool:
        """Move the branch to the staged snapshot; False if that was prepared on another version of the table.

        Raises:
            Py4JJavaError: ``CommitFailedException`` when the metadata changed since it was read.
        """
        snapshot = next(one for one in self._metadata.snapshots() if one.summary().get(WAP_PROPERTY) == wap_id)
        current = self._metadata.currentSnapshot()
        if snapshot.parentId() != (None if current is None else current.snapshotId()):
            return False
        builder = self._jvm.org.apache.iceberg.TableMetadata.buildFrom(self._metadata)
        self._operations.commit(self._metadata, builder.setBranchSnapshot(snapshot.snapshotId(), _MAIN_BRANCH).build())
        return True

    def _first(self, property_name: str, value: str) -> SinkCommit | None:
        for snapshot in self._branch():
            if snapshot.summary().get(property_name) == value:
                return self._as_commit(snapshot)
        return None

    def _branch(self) -> Iterator[Any]:
        snapshot = self._metadata.currentSnapshot()
        while snapshot is not None:
            yield snapshot
            parent = snapshot.parentId()
            # An expired parent ends the history that is still known.
            snapshot = None if parent is None else self._metadata.snapshot(parent)

    def _as_commit(self, snapshot: Any) -> SinkCommit:
        summary = dict(snapshot.summary())
        if _MERGED[0] in summary:
            written = sum(int(summary.get(name, "0")) for name in _MERGED)
        else:
            written = int(summary.get("added-records", "0"))
        return SinkCommit(
            record=CommitRecord.model_validate_json(summary[RECORD_PROPERTY]),
            rows_written=written,
            output=self._dataset(str(snapshot.snapshotId())),
        )

    def _dataset(self, version: str | None) -> DatasetRef:
        fields = [
            DatasetField(name=column.name(), type=column.type().toString())
            for column in self._metadata.schema().columns()
        ]
        return DatasetRef(namespace=self._namespace, name=self._name, version=version, fields=fields)
