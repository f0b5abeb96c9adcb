"""Cuts a read of a topic into slices; the cursor after each is a map from partition to the next offset (R1 to R3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime_common.contracts import Cursor
from runtime_common.endpoints.kafka.offsets import CURSOR_FIELD, offsets_text
from runtime_common.protocols import Cut, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


@dataclass
class Delivery:
    """How far a read has come; shared between the read, which moves it, and the cutter.

    Attributes:
        offsets: Next offset by partition, after the batch that was yielded last; after the last batch, the fixed ends.
        messages: Messages up to there, those that became no rows included.
    """

    offsets: dict[int, int] = field(default_factory=dict)
    messages: int = 0


class OffsetCutter:
    """Ends a slice after any batch, once it holds enough messages.

    Offsets have no ties: each message has one of its own, so a slice may end anywhere. It ends only when there is more
    to come. So the last one of a read always ends at the offsets that were fixed before it, past markers and aborted
    messages that nobody will ever see, and retention may take those away without a later run missing them.

    Args:
        delivery: Of the read.
        sql_type: Goes into each cursor; names the topic's id.
        schema_fingerprint: Likewise.
        slice_messages: Messages after which a slice ends.
    """

    rows_skipped = 0

    def __init__(self, delivery: Delivery, *, sql_type: str, schema_fingerprint: str, slice_messages: int) -> None:
        self._delivery = delivery
        self._sql_type = sql_type
        self._fingerprint = schema_fingerprint
        self._slice_messages = slice_messages
        self._fed = ("", 0)
        self._cut_at = 0

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield the rows of one batch, before them the end of a slice that is full."""
        before, messages = self._fed
        if messages - self._cut_at >= self._slice_messages:
            self._cut_at = messages
            yield Cut(self._cursor(before))
        self._fed = (offsets_text(self._delivery.offsets), self._delivery.messages)
        yield Rows(batch)

    def end(self) -> Cut | None:
        """Return the last cut, or None when there was no message since the one before."""
        if self._delivery.messages == self._cut_at:
            return None
        self._cut_at = self._delivery.messages
        return Cut(self._cursor(offsets_text(self._delivery.offsets)))

    def _cursor(self, value: str) -> Cursor:
        return Cursor(
            field=CURSOR_FIELD,
            sql_type=self._sql_type,
            family="offsets",
            time_zone="none",
            precision=0,
            value=value,
            boundary=[],
            schema_fingerprint=self._fingerprint,
        )
