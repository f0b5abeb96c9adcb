"""Commits to Iceberg tables by Spark, whichever catalog they are registered in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from py4j.protocol import Py4JJavaError
from pyspark.sql.types import StructType

from runtime_common.endpoints.iceberg_history import IcebergHistory, TableState
from runtime_common.endpoints.iceberg_schema import plan_schema
from runtime_common.endpoints.iceberg_write import WAP_SWITCH, conforming, create_table_sql, stage, stage_only_sql
from runtime_common.endpoints.sink_turn import check_target, earlier_commit
from runtime_common.exceptions import InternalError, SinkError
from runtime_common.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import DatasetRef
    from runtime_common.endpoints.iceberg_catalog import IcebergCatalog
    from runtime_common.endpoints.iceberg_schema import SchemaPlan
    from runtime_common.protocols import CommitRequest, RecordReader, SinkCommit
    from runtime_common.spark import SparkEngine


class IcebergTables:
    """What the Iceberg sinks have in common; see :class:`runtime_common.protocols.SinkEndpoint`.

    A commit has two steps. Spark writes a snapshot that is staged only (Iceberg's write-audit-publish), carrying the
    commit record in its summary. Then the table's branch is moved to it by a compare-and-set on the table metadata,
    after the batch id was looked up in that same metadata. So there is no moment between check and commit.
    """

    def __init__(self, catalog: IcebergCatalog, engine: SparkEngine) -> None:
        self._catalog = catalog
        self._engine = engine

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's newest snapshot as a commit."""
        check_target(target)
        with self._session() as spark:
            history = self._history(spark, target)
            return None if history is None else history.state().last_of(unit_key)

    def may_have_forgotten(self, target: str) -> bool:
        """Return whether snapshots of the table's branch have expired, and their commit records with them."""
        check_target(target)
        with self._session() as spark:
            history = self._history(spark, target)
            return history is not None and history.state().has_expired_parents()

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the table as it stands; None before it exists."""
        check_target(target)
        with self._session() as spark:
            history = self._history(spark, target)
            return None if history is None else history.state().output()

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit one slice; see the protocol."""
        check_target(request.target)
        with self._session(cancellation) as spark:
            rows = conforming(spark.read.parquet(*reader.part_urls()))
            spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {self._catalog.name}.`{self._catalog.namespace}`")
            spark.sql(create_table_sql(self._catalog.identifier(request.target), rows.schema))
            history = self._history(spark, request.target)
            if history is None:
                raise SinkError(f"table {request.target!r} vanished while it was written")
            state = history.state()
            earlier = self._earlier(request, state)
            if earlier is not None:
                return earlier
            if state.table_property(WAP_SWITCH) != "true":
                spark.sql(stage_only_sql(self._catalog.identifier(request.target)))
            plan = self._evolved(spark, rows, request)
            staged_id = stage(
                spark,
                self._catalog.identifier(request.target),
                rows,
                request,
                plan=plan,
                order=[request.cursor_field] if request.cursor_field else [],
            )
            failpoint("iceberg.before-publish")
            cancellation.check()
            published = self._publish(history, request, staged_id)
            failpoint("iceberg.after-publish")
            return published

    def _evolved(self, spark: SparkSession, rows: DataFrame, request: CommitRequest) -> SchemaPlan:
        """Give the table the columns that the slice needs, as far as the policy allows.

        That is a change of its own, before the rows: a table with a column too many, which a crash may leave, is
        whole, and the next attempt finds nothing left to change.
        """
        identifier = self._catalog.identifier(request.target)
        plan = plan_schema(
            spark.table(identifier).schema,
            StructType([column for column in rows.schema.fields if column.name != "_metadata"]),
            policy=request.schema_change,
            key=request.primary_key if request.write_mode == "merge" else (),
        )
        for statement in plan.statements(identifier):
            spark.sql(statement)
            failpoint("iceberg.after-evolution")
        return plan

    def _publish(self, history: IcebergHistory, request: CommitRequest, staged_id: str) -> SinkCommit:
        """Make the staged snapshot the current one, if the table stands where it was when the snapshot was prepared.

        Raises:
            SupersededError: Another attempt of this unit committed meanwhile.
            SinkError: Somebody else changed the table meanwhile; worth another attempt.
        """
        state = history.state()
        earlier = self._earlier(request, state)
        if earlier is not None:
            return earlier
        try:
            moved = not state.publish(staged_id)
        except Py4JJavaError as error:
            if "CommitFailedException" not in str(error.java_exception):
                raise
            moved = True
        state = history.state()
        if moved:
            earlier = self._earlier(request, state)
            if earlier is not None:
                return earlier
            raise SinkError(
                f"another writer changed table {request.target!r} during the commit; nothing was committed, try again",
                code="SINK_CONFLICT",
            )
        commit = state.last_of(request.record.unit_key)
        if commit is None:
            raise InternalError("a published snapshot carries no commit record")
        return commit

    def _earlier(self, request: CommitRequest, state: TableState) -> SinkCommit | None:
        return earlier_commit(request, state.last_of(request.record.unit_key), state.find_batch)

    def _history(self, spark: SparkSession, target: str) -> IcebergHistory | None:
        if not spark.catalog.tableExists(self._catalog.identifier(target)):
            return None
        return IcebergHistory(
            spark,
            self._catalog.identifier(target),
            namespace=self._catalog.dataset_namespace,
            name=f"{self._catalog.dataset_prefix}{target}",
        )

    @contextmanager
    def _session(self, cancellation: Cancellation | None = None) -> Iterator[SparkSession]:
        with self._engine.session(cancellation) as spark, self._catalog.refusals():
            self._catalog.add_to(spark)
            yield spark
