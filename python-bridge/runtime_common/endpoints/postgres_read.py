"""One snapshot of one PostgreSQL table or query: psycopg holds it, an engine reads in it."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import adbc_driver_manager
import pyarrow as pa
from psycopg import sql

from runtime_common.contracts import DatasetRef
from runtime_common.endpoints.postgres_bounds import order_key, read_bounds, within
from runtime_common.endpoints.postgres_errors import read_error, read_timeout
from runtime_common.endpoints.postgres_snapshot import asking, connect, export_snapshot
from runtime_common.endpoints.postgres_spark import SparkScan, is_worth_spark
from runtime_common.endpoints.postgres_stream import AdbcStream
from runtime_common.endpoints.postgres_target import find_target
from runtime_common.endpoints.postgres_tie import TieBreak, check_no_tie
from runtime_common.endpoints.postgres_values import AcceptingCutter, ExactValues, without_rejected
from runtime_common.exceptions import IngestionError, InternalError, SinkError
from runtime_common.protocols import SourceRead
from runtime_common.read_ahead import ReadAhead
from runtime_common.slicing import LargeTies, SliceCutter, WholeReadCutter

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor
    from runtime_common.endpoints.postgres_config import PostgresConfig, PostgresObject
    from runtime_common.protocols import Cutter, ReadRequest
    from runtime_common.spark import SparkEngine

# Batches that are decoded while the runtime writes the ones before.
_BATCHES_AHEAD = 2


class PostgresRead(SourceRead):
    """See :class:`runtime_common.protocols.SourceRead`.

    Args:
        config: How to reach the database.
        selected: What is read.
        request: How.
        cancellation: Of the run.
        spark: For reads that are worth it; None for none.

    Raises:
        SourceError: The server can't be reached, refuses the login, or lacks the object.
        ConfigurationError: The column can't be a cursor.
        DataError: The cursor column holds a value that can be no watermark.
    """

    def __init__(
        self,
        config: PostgresConfig,
        selected: PostgresObject,
        *,
        request: ReadRequest,
        cancellation: Cancellation,
        spark: SparkEngine | None = None,
    ) -> None:
        self._config = config
        self._selected = selected
        self._bad_rows = request.bad_rows
        self._include_nulls = request.include_null_cursors
        self._redelivers = request.redelivers
        self._cancellation = cancellation
        self.cursor_column = None
        self.upper_bound, self.null_cursor_rows = None, 0
        self._tie_break: TieBreak | None = None
        self._large_ties = LargeTies()
        self._start: Cursor | None = None
        self._spark: SparkEngine | None = None
        self._connection = connect(config)
        try:
            with self._asking():
                self._snapshot_id, version = export_snapshot(self._connection)
                self._target = find_target(self._connection, selected)
                if request.cursor_field is not None:
                    self.cursor_column = self._target.schema.column(request.cursor_field).as_cursor()
                    self.upper_bound, self.null_cursor_rows = read_bounds(
                        self._connection, self._target.source, self.cursor_column, request.lag_seconds
                    )
                    if request.tie_break_field is not None:
                        self._tie_break = TieBreak(
                            self._connection, self._target, self.cursor_column, request.tie_break_field
                        )
                if spark is not None and is_worth_spark(
                    self._connection, self._target, request.engine, is_ordered=self.cursor_column is not None
                ):
                    self._spark = spark
        except BaseException:
            self._connection.close()
            raise
        self.engine = "adbc" if self._spark is None else "spark"
        self.schema = self._target.schema.arrow
        self.schema_fingerprint = self._target.schema.fingerprint
        self.dataset = DatasetRef(
            namespace=config.namespace,
            name=f"{config.database}{self._target.suffix}",
            version=version,
            fields=self._target.schema.fields,
        )

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows; see the protocol. At most four batches of about ``fetchMegabytes`` are in memory.

        By Spark they come in any order.

        Raises:
            SourceError: The read failed, the connection was lost, or nothing came for ``readTimeoutSeconds``.
            DataError: A row can't be delivered exactly, and the policy is to fail.
        """
        if self._spark is None:
            yield from self._stream(self._query(lower, upper, lookback_seconds))
        else:
            yield from self._scan(self._spark, self._where(lower, upper, lookback_seconds))

    def sample(self, *, rows: int, seconds: int) -> Generator[pa.RecordBatch, None, None]:
        """Stream at most ``rows`` rows, which the server may take ``seconds`` to find; raises like :meth:`batches`."""
        query = sql.SQL("{} LIMIT {}").format(self._query(None, None, 0), sql.Literal(rows))
        yield from self._stream(query, statement_timeout_seconds=seconds)

    def _stream(
        self, query: sql.Composed, *, statement_timeout_seconds: int | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        stream = AdbcStream(
            self._config,
            snapshot_id=self._snapshot_id,
            query=query.as_string(self._connection),
            # The snapshot lives on in the reader; a second idle transaction would only hold vacuum back.
            on_begin=self._connection.close,
            statement_timeout_seconds=statement_timeout_seconds,
        )
        values = ExactValues(self._target.schema)

        def decoded() -> Generator[pa.RecordBatch, None, None]:
            with closing(stream.batches()) as batches:
                for batch in batches:
                    yield values.convert(batch)

        ahead = ReadAhead(
            decoded,
            depth=_BATCHES_AHEAD,
            stall_seconds=self._config.read_timeout_seconds,
            interrupt=stream.cancel,
        )
        try:
            with closing(ahead.items(self._cancellation)) as batches:
                for batch in batches:
                    # Where a cutter follows, it decides which of the bad rows are new.
                    yield batch if self.cursor_column is not None else without_rejected(batch, self._bad_rows)
        except TimeoutError:
            failure: IngestionError = read_timeout(self._selected.label, seconds=self._config.read_timeout_seconds)
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            # The stream's own errors come through Arrow's C interface and lose type and SQLSTATE on the way.
            failure = read_error(error, what=self._selected.label, field=self._selected.field)
        else:
            return
        self._cancellation.check()
        raise failure

    def _scan(self, spark: SparkEngine, where: sql.Composable | None) -> Generator[pa.RecordBatch, None, None]:
        scan = SparkScan(
            spark,
            self._config,
            snapshot_id=self._snapshot_id,
            connection=self._connection,
            target=self._target,
            where=where,
        )
        values = ExactValues(self._target.schema)
        try:
            with closing(scan.batches(self._cancellation)) as batches:
                for batch in batches:
                    converted = values.convert(batch)
                    yield converted if self.cursor_column is not None else without_rejected(converted, self._bad_rows)
        except SinkError as error:
            # Spark's session knows sinks only; here it is the source that has failed.
            failure = read_error(error, what=self._selected.label, field=self._selected.field)
        else:
            return
        raise failure

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> Cutter:
        """Return a cutter of an ordered read, or of a whole one where Spark reads.

        Raises:
            CheckpointMismatchError: The cursor can only be continued with another tie-break column.
            InternalError: The read has no cursor column.
        """
        if self.cursor_column is None:
            raise InternalError("a read without a cursor column was to be cut")
        if self._tie_break is None:
            check_no_tie(start)
        else:
            self._tie_break.check_start(start)
        self._start = start
        cut = WholeReadCutter if self._spark is not None else partial(SliceCutter, slice_rows=slice_rows)
        cutter = cut(
            column=self.cursor_column,
            schema_fingerprint=self.schema_fingerprint,
            start=start,
            hashed=self.schema.names,
            compared=compared,
            large_ties=self._large_ties,
        )
        return AcceptingCutter(cutter, self._bad_rows)

    def _where(self, lower: str | None, upper: str | None, lookback_seconds: float) -> sql.Composable | None:
        """Return the condition of the rows that are wanted; None for all."""
        if self.cursor_column is None:
            return None
        where = within(self.cursor_column, lower=lower, upper=upper, lookback_seconds=lookback_seconds)
        if self._tie_break is not None and upper is not None:
            where = self._without_large_tie(self._tie_break, where, upper, again=lookback_seconds > 0)
        if self._include_nulls:
            where = sql.SQL("({}) OR {} IS NULL").format(where, order_key(self.cursor_column))
        return where

    def _query(self, lower: str | None, upper: str | None, lookback_seconds: float) -> sql.Composed:
        """Return the statement that delivers the rows in the cursor's order."""
        select = sql.SQL("SELECT {} FROM {}").format(self._target.schema.expressions, self._target.source)
        where = self._where(lower, upper, lookback_seconds)
        if self.cursor_column is None or where is None:
            return select
        order: sql.Composable = order_key(self.cursor_column)
        if self._include_nulls:
            order = sql.SQL("{} NULLS FIRST").format(order)
        if self._tie_break is not None:
            order = sql.SQL("{}, {}").format(order, self._tie_break.order)
        return sql.SQL("{} WHERE {} ORDER BY {}").format(select, where, order)

    def _without_large_tie(
        self, tie_break: TieBreak, where: sql.Composable, upper: str, *, again: bool
    ) -> sql.Composable:
        """Learn how large the group at the upper bound is, and leave out what was committed of that at the start."""
        with self._asking():
            self._large_ties.closing = tie_break.closing(upper, self._start)
            self._large_ties.closing_value = upper
            if self._start is None or again:
                return where
            left_out = tie_break.left_out(self._start, redelivers=self._redelivers)
        return where if left_out is None else sql.SQL("({}) AND {}").format(where, left_out)

    def _asking(self) -> AbstractContextManager[None]:
        return asking(
            self._connection,
            self._config,
            what=self._selected.label,
            field=self._selected.field,
            cancellation=self._cancellation,
        )

    def __enter__(self) -> PostgresRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
