"""A source that a test writes itself: rows by a whole number, some that it can't deliver, metadata beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.bad_rows import RejectedRow
from runtime_common.contracts import DatasetField, DatasetRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import RowsRejectedError
from runtime_common.protocols import CursorColumn, MetadataTable
from runtime_common.slicing import SliceCutter
from runtime_common.spark import SparkEngine

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor, EndpointRef
    from runtime_common.protocols import (
        CommitRequest,
        ReadRequest,
        RecordReader,
        SinkCommit,
        SinkEndpoint,
        SourceEndpoint,
    )

SCHEMA = pa.schema([pa.field("id", pa.int64()), pa.field("v", pa.string())])


@dataclass
class ScriptedSource:
    """Rows are delivered in batches of two.

    Attributes:
        ids: Ids, which are the cursor too, in order.
        bad: Ids of rows that can't be delivered exactly.
        opened: How often it was read.
    """

    ids: Sequence[int]
    bad: frozenset[int] = frozenset()
    opened: int = 0

    def open(self, request: ReadRequest, cancellation: Cancellation) -> ScriptedRead:
        self.opened += 1
        return ScriptedRead(self, request)


@dataclass
class ScriptedRead:
    source: ScriptedSource
    request: ReadRequest
    schema: pa.Schema = SCHEMA
    schema_fingerprint: str = "0" * 64
    engine: str = "scripted"
    cursor_column: CursorColumn | None = None
    upper_bound: str | None = None
    null_cursor_rows: int = 0
    dataset: DatasetRef = field(
        default_factory=lambda: DatasetRef(
            namespace="scripted",
            name="rows",
            version=None,
            fields=[DatasetField(name="id", type="bigint"), DatasetField(name="v", type="text")],
        )
    )
    _seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.request.cursor_field is not None:
            self.cursor_column = CursorColumn(field="id", sql_type="bigint", family="integer", precision=0)
            self.upper_bound = str(max(self.source.ids)) if self.source.ids else None

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        low = int(lower) if lower is not None else -1
        ids = [one for one in self.source.ids if one >= low and (upper is None or one <= int(upper))]
        for start in range(0, len(ids), 2):
            good = []
            for one in ids[start : start + 2]:
                self._seen.append(one)
                if one in self.source.bad:
                    self.request.bad_rows.reject(
                        RejectedRow(code="VALUE_BAD", field="v", reason="v is not exact", row=f'{{"id": {one}}}')
                    )
                else:
                    good.append({"id": one, "v": f"v{one}"})
            yield pa.RecordBatch.from_pylist(good, schema=SCHEMA)

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> SliceCutter:
        assert self.cursor_column is not None
        return SliceCutter(
            column=self.cursor_column,
            schema_fingerprint=self.schema_fingerprint,
            start=start,
            slice_rows=slice_rows,
            compared=compared,
        )

    def take_metadata(self) -> list[MetadataTable]:
        seen, self._seen = self._seen, []
        if not seen:
            return []
        table = pa.table({"urn": [f"urn:{one}" for one in seen]})
        return [MetadataTable(contents="entities", kind="Issue", table=table)]

    def __enter__(self) -> ScriptedRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class PickySink:
    """A sink that refuses some ids of each slice, as a table with constraints does."""

    def __init__(self, sink: SinkEndpoint, refused: frozenset[int]) -> None:
        self._sink = sink
        self._refused = refused
        self.last_commit = sink.last_commit
        self.current_output = sink.current_output
        self.may_have_forgotten = sink.may_have_forgotten

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        ids = [row for batch in reader.iter_batches(100) for row in batch.to_pylist()]
        refused = {
            position: RejectedRow(code="SINK_REFUSED", field="v", reason="v is too long", row=f'{{"id": {row["id"]}}}')
            for position, row in enumerate(ids)
            if row.get("id") in self._refused
        }
        if refused:
            raise RowsRejectedError("rows can't be written", rejected=refused)
        return self._sink.commit(request, reader, cancellation)


class ScriptedFactory(EndpointFactory):
    """The worker's factory, with this source in place of any other, and a sink that may refuse rows."""

    def __init__(
        self, source: SourceEndpoint, refused: frozenset[int] = frozenset(), *, spark: SparkEngine | None = None
    ) -> None:
        super().__init__(secret_key=None, spark=spark or SparkEngine(jars=None))
        self._scripted = source
        self._refused = refused

    def source(self, ref: EndpointRef) -> SourceEndpoint:
        return self._scripted

    def sink(self, ref: EndpointRef) -> SinkEndpoint:
        return PickySink(super().sink(ref), self._refused)
