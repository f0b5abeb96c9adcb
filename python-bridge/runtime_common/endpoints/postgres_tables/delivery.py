"""What a commit brings to its table: the columns, how rows are told apart, and the rows in prepared batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from runtime_common.endpoints.postgres_tables.tables import unit_columns
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from runtime_common.bad_rows import RejectedRow
    from runtime_common.endpoints.postgres_tables.column_types import SqlType
    from runtime_common.protocols import CommitRequest, RecordReader

CHUNK_ROWS = 8 * 1024


@dataclass(frozen=True, kw_only=True)
class PreparedBatch:
    """Some rows of a slice.

    Attributes:
        source: The rows as they were staged, for the quarantine.
        rows: The same rows in the delivery's columns.
        refused: Rows that can't be brought into those columns, by their position in the batch.
    """

    source: pa.RecordBatch
    rows: pa.RecordBatch
    refused: Mapping[int, RejectedRow] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One slice for one table.

    Attributes:
        columns: Columns of the batches' rows, in their order.
        declared: Columns that the table is made with, or must have.
        required: Those of them that must have a value.
        written: Columns of the rows that go into the table; the others only help to order or to delete.
        key: Columns that identify a row in a merge; empty for other modes.
        order: Columns whose highest value wins among rows of the same key.
        delete_field: Column that marks rows whose keys a merge removes.
        batches: Yields the rows from the first one on, as often as it is called.
    """

    columns: Mapping[str, SqlType]
    declared: Mapping[str, SqlType]
    required: frozenset[str] = frozenset()
    written: Sequence[str]
    key: Sequence[str]
    order: Sequence[str]
    delete_field: str | None
    batches: Callable[[], Iterator[PreparedBatch]]


def plain_delivery(request: CommitRequest, reader: RecordReader) -> Delivery:
    """Return the slice as it is.

    Raises:
        SinkSchemaError: A column has no counterpart in PostgreSQL.
        ConfigurationError: The slice has no such column as marks deleted rows.
    """
    columns = unit_columns(staged_schema(reader))
    is_merge = request.write_mode == "merge"
    if is_merge and request.delete_field is not None:
        check_delete_field(request.delete_field, list(columns))
    return Delivery(
        columns=columns,
        declared=columns,
        written=list(columns),
        key=list(request.primary_key) if is_merge else [],
        order=[request.cursor_field] if request.cursor_field else [],
        delete_field=request.delete_field if is_merge else None,
        batches=lambda: (PreparedBatch(source=batch, rows=batch) for batch in reader.iter_batches(CHUNK_ROWS)),
    )


def staged_schema(reader: RecordReader) -> pa.Schema:
    """Return the columns of a slice."""
    return pq.read_schema(reader.part_paths()[0])


def check_delete_field(name: str, columns: Sequence[str]) -> None:
    """Refuse a mark that no row can bear.

    Raises:
        ConfigurationError: The slice has no such column.
    """
    if name not in columns:
        raise ConfigurationError(
            f"the slice has no column {name!r}; it has {', '.join(columns)}", field="policy.deleteField"
        )
