"""One snapshot of one PostgreSQL table: psycopg holds it, ADBC streams from it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import psycopg
import pyarrow as pa
from psycopg import sql

from runtime_common.contracts import DatasetRef
from runtime_common.cursor import TIME_FAMILIES, check_canonical, empty_text, is_canonical, out_of_range
from runtime_common.endpoints.postgres_errors import read_error
from runtime_common.endpoints.postgres_schema import TableSchema, read_table_schema
from runtime_common.exceptions import ConfigurationError, DataError, InternalError
from runtime_common.protocols import SourceRead
from runtime_common.slicing import SliceCutter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor, CursorFamily
    from runtime_common.protocols import CursorColumn, ReadRequest

_SQL_TYPES: dict[CursorFamily, str] = {
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
    "date": "date",
    "integer": "bigint",
    "decimal": "numeric",
    "text": "text",
}
# Canonical text of a value, made by the server: it knows its own precision.
_CANONICAL: dict[CursorFamily, str] = {
    "timestamptz": """to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "timestamp": """to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US')""",
    "date": "to_char({0}, 'YYYY-MM-DD')",
    "integer": "({0})::text",
    "decimal": "trim_scale({0})::text",
    "text": "{0}",
}
_NOT_FINITE: dict[CursorFamily, str] = {
    "timestamptz": "'infinity', '-infinity'",
    "timestamp": "'infinity', '-infinity'",
    "date": "'infinity', '-infinity'",
    "decimal": "'NaN', 'Infinity', '-Infinity'",
}


class PostgresRead(SourceRead):
    """See :class:`runtime_common.protocols.SourceRead`."""

    engine = "adbc"

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        conninfo: str,
        relation: sql.Identifier,
        table: TableSchema,
        dataset: DatasetRef,
        snapshot_id: str,
        cursor_column: CursorColumn | None,
        bounds: tuple[str | None, int],
        include_nulls: bool,
        cancellation: Cancellation,
    ) -> None:
        self._connection = connection
        self._conninfo = conninfo
        self._relation = relation
        self._table = table
        self._snapshot_id = snapshot_id
        self._include_nulls = include_nulls
        self._cancellation = cancellation
        self.dataset = dataset
        self.schema = table.arrow
        self.schema_fingerprint = table.fingerprint
        self.cursor_column = cursor_column
        self.upper_bound, self.null_cursor_rows = bounds

    @classmethod
    def open(
        cls,
        connection: psycopg.Connection,
        *,
        conninfo: str,
        schema_name: str,
        table: str,
        namespace: str,
        database: str,
        request: ReadRequest,
        cancellation: Cancellation,
    ) -> PostgresRead:
        """Begin the snapshot's transaction and learn what is to be read; the connection is closed on failure."""
        label = f"{schema_name}.{table}"
        try:
            with cancellation.interrupting(connection.cancel_safe):
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                schema = read_table_schema(connection, schema_name=schema_name, table=table)
                column = schema.column(request.cursor_field).as_cursor() if request.cursor_field else None
                relation = sql.Identifier(schema_name, table)
                row = connection.execute("SELECT pg_export_snapshot(), pg_current_snapshot()::text").fetchone()
                snapshot_id, version = row if row is not None else ("", None)
                bounds = _bounds(connection, relation, column, request.lag_seconds) if column else (None, 0)
        except psycopg.Error as error:
            connection.close()
            failure = read_error(error, table=label)
        except BaseException:
            connection.close()
            raise
        else:
            dataset = DatasetRef(namespace=namespace, name=f"{database}.{label}", version=version, fields=schema.fields)
            return cls(
                connection,
                conninfo=conninfo,
                relation=relation,
                table=schema,
                dataset=dataset,
                snapshot_id=snapshot_id,
                cursor_column=column,
                bounds=bounds,
                include_nulls=request.include_null_cursors,
                cancellation=cancellation,
            )
        raise failure

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows; see the protocol. Memory stays bounded by the driver's batch size.

        Raises:
            SourceError: The read failed or the connection was lost.
            DataError: A value does not fit the type that its column declares.
        """
        query = self._query(lower, upper, lookback_seconds).as_string(self._connection)
        try:
            with (
                adbc_driver_postgresql.dbapi.connect(self._conninfo, autocommit=False) as reader,
                reader.cursor() as cursor,
                self._cancellation.interrupting(cursor.adbc_cancel),
            ):
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute(
                    sql.SQL("SET TRANSACTION SNAPSHOT {}")
                    .format(sql.Literal(self._snapshot_id))
                    .as_string(self._connection)
                )
                cursor.execute(query)
                # The snapshot lives on in the reader; a second idle transaction would only hold vacuum back.
                self._connection.close()
                yield from self._converted(cursor)
        except adbc_driver_manager.Error as error:
            failure = read_error(error, table=self.dataset.name)
        except (pa.ArrowException, OSError) as error:
            # The stream's own errors come through Arrow's C interface and lose type and SQLSTATE on the way.
            failure = read_error(error, table=self.dataset.name)
        else:
            return
        self._cancellation.check()
        raise failure

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> SliceCutter:
        """Return a cutter of an ordered read.

        Raises:
            InternalError: The read has no cursor column.
        """
        if self.cursor_column is None:
            raise InternalError("a read without a cursor column was to be cut")
        return SliceCutter(
            column=self.cursor_column,
            schema_fingerprint=self.schema_fingerprint,
            start=start,
            slice_rows=slice_rows,
            compared=compared,
        )

    def _converted(self, cursor: adbc_driver_postgresql.dbapi.Cursor) -> Iterator[pa.RecordBatch]:
        finished = False
        try:
            for batch in cursor.fetch_record_batch():
                if batch.num_rows:
                    yield self._converted_batch(batch)
            finished = True
        finally:
            if not finished:
                # Without this, closing would first drain what the server still has to send.
                with contextlib.suppress(adbc_driver_manager.Error):
                    cursor.adbc_cancel()

    def _converted_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = []
        for declared, field, values in zip(self._table.columns, self.schema, batch.columns, strict=True):
            storage = values.storage if isinstance(values, pa.ExtensionArray) else values
            try:
                columns.append(storage.cast(field.type))
            except pa.ArrowInvalid:
                raise DataError(
                    f"column {declared.name!r} holds a value that {declared.sql_type} can't keep exactly "
                    "(NaN or infinity?); exclude or correct that row",
                    code="VALUE_NOT_REPRESENTABLE",
                    field=declared.name,
                ) from None
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _query(self, lower: str | None, upper: str | None, lookback_seconds: float) -> sql.Composed:
        columns = sql.SQL(", ").join(column.expression for column in self._table.columns)
        select = sql.SQL("SELECT {} FROM {}").format(columns, self._relation)
        if self.cursor_column is None:
            return select
        family = self.cursor_column.family
        key = _ordered(self.cursor_column)
        conditions: list[sql.Composable] = []
        if upper is not None:
            conditions.append(sql.SQL("{} <= {}").format(key, _literal(upper, family)))
        else:
            conditions.append(sql.SQL("false"))
        if lower is not None:
            bound = _literal(lower, family)
            if lookback_seconds:
                bound = sql.SQL("({} - make_interval(secs => {}))::{}").format(
                    bound, sql.Literal(lookback_seconds), sql.SQL(_SQL_TYPES[family])
                )
            # Inclusive: rows that arrived late with the watermark's own value are found again (rule R2).
            conditions.append(sql.SQL("{} >= {}").format(key, bound))
        where: sql.Composable = sql.SQL(" AND ").join(conditions)
        # By the table's own column: a bare name would mean the selected one, which is text for types such as numeric.
        order: sql.Composable = sql.SQL("{}.{}").format(self._relation, key)
        if self._include_nulls:
            where = sql.SQL("({}) OR {} IS NULL").format(where, key)
            order = sql.SQL("{} NULLS FIRST").format(order)
        return sql.SQL("{} WHERE {} ORDER BY {}").format(select, where, order)

    def __enter__(self) -> PostgresRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _ordered(column: CursorColumn) -> sql.Composable:
    """Return the column in the order of cursors: texts by code point, whatever the database's collation."""
    name = sql.Identifier(column.field)
    return sql.SQL('{} COLLATE "C"').format(name) if column.family == "text" else name


def _literal(value: str, family: CursorFamily) -> sql.Composed:
    return sql.SQL("{}::{}").format(sql.Literal(check_canonical(family, value)), sql.SQL(_SQL_TYPES[family]))


def _bounds(
    connection: psycopg.Connection, relation: sql.Identifier, column: CursorColumn, lag_seconds: float
) -> tuple[str | None, int]:
    """Return the canonical upper bound and the number of NULL cursors, both of the snapshot (rule R4).

    Raises:
        ConfigurationError: A lag was asked for a cursor that is no time.
        DataError: A cursor value is not finite, or the highest one has no four-digit year or is the empty text.
    """
    if lag_seconds and column.family not in TIME_FAMILIES:
        raise ConfigurationError(
            f"lagSeconds needs a time cursor, but {column.field!r} is {column.sql_type}", field="policy.lagSeconds"
        )
    key = _ordered(column)
    highest: sql.Composable = sql.SQL("max({})").format(key)
    if lag_seconds:
        # LEAST ignores NULL, which an empty table's maximum is: then there is nothing to bound either.
        highest = sql.SQL(
            "CASE WHEN max({0}) IS NOT NULL THEN LEAST(max({0}), (now() - make_interval(secs => {1}))::{2}) END"
        ).format(key, sql.Literal(lag_seconds), sql.SQL(_SQL_TYPES[column.family]))
    not_finite: sql.Composable = sql.SQL("0")
    if column.family in _NOT_FINITE:
        not_finite = sql.SQL("(SELECT count(*) FROM {} WHERE {} IN ({}))").format(
            relation, key, sql.SQL(_NOT_FINITE[column.family])
        )
    # Three sub-selects, not one pass with filters: each can use an index on the cursor.
    query = sql.SQL("SELECT (SELECT {} FROM {}), (SELECT count(*) FROM {} WHERE {} IS NULL), {}").format(
        sql.SQL(_CANONICAL[column.family]).format(highest), relation, relation, key, not_finite
    )
    row = connection.execute(query).fetchone()
    upper, nulls, infinite = row if row is not None else (None, 0, 0)
    if infinite:
        raise DataError(
            f"{infinite} row(s) have NaN or infinity in cursor column {column.field!r}, which would hide all later "
            "rows; correct them or choose another column",
            code="CURSOR_NOT_FINITE",
            field=column.field,
        )
    if upper == "":
        raise empty_text(column.field)
    # The server writes five digits for later years; all other families are canonical as it writes them.
    if upper is not None and not is_canonical(column.family, upper):
        raise out_of_range(column.field)
    return upper, nulls
