"""One read of one topic: from the offsets of a checkpoint, or the first ones, to the ends fixed when it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.contracts import DatasetRef
from runtime_common.endpoints.kafka.cutter import Delivery, OffsetCutter
from runtime_common.endpoints.kafka.errors import offsets_expired, recreated
from runtime_common.endpoints.kafka.messages import TopicMessages
from runtime_common.endpoints.kafka.offsets import CURSOR_FIELD, offsets_text, parse_offsets
from runtime_common.endpoints.kafka.rows import RowDecoder
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError, SourceUnreachableError
from runtime_common.protocols import SourceRead

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from types import TracebackType

    import pyarrow as pa

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor
    from runtime_common.endpoints.kafka.cluster import Cluster
    from runtime_common.endpoints.kafka.config import KafkaConfig, KafkaObject
    from runtime_common.endpoints.kafka.rows import Rejection
    from runtime_common.exceptions import IngestionError
    from runtime_common.protocols import ReadRequest

_BATCH_MESSAGES = 10_000
_SQL_TYPE = "kafka offsets"


class TopicRead(SourceRead):
    """See :class:`runtime_common.protocols.SourceRead`."""

    engine = "kafka"
    cursor_column = None
    null_cursor_rows = 0

    def __init__(
        self,
        cluster: Cluster,
        config: KafkaConfig,
        target: KafkaObject,
        *,
        request: ReadRequest,
        cancellation: Cancellation,
    ) -> None:
        _check_request(request)
        self._cluster = cluster
        self._config = config
        self._target = target
        self._bad_rows = request.bad_rows
        self._cancellation = cancellation
        self._topic = cluster.topics([target.topic])[0]
        # First the beginnings: a topic that shrinks meanwhile then seems to begin too early, which is noticed.
        self._beginnings = cluster.beginnings(self._topic)
        self._ends = cluster.ends(self._topic, target.isolation)
        self._decoder = RowDecoder(target)
        self._delivery = Delivery()
        self._slice_messages = _BATCH_MESSAGES
        self.dataset = DatasetRef(
            namespace=config.namespace, name=target.topic, version=None, fields=self._decoder.fields
        )
        self.schema = self._decoder.schema
        self.schema_fingerprint = self._decoder.fingerprint
        self.upper_bound = offsets_text(self._ends)

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the messages from ``lower`` up to and without ``upper``; see the protocol.

        A message that can't be a row is rejected after the batch that it belongs to, so that a slice which ends before
        the batch does not take it along.

        Raises:
            ConfigurationError: A look-back was asked for.
            CheckpointMismatchError: The topic is not the one that the offsets were made for.
            DataError: Messages are gone that were not delivered, or one can't be a row.
            SourceError: The cluster can't be reached, or refuses.
        """
        if lookback_seconds:
            raise ConfigurationError(
                "offsets have no time to look back by; set lookbackSeconds to 0", field="policy.lookbackSeconds"
            )
        stored = None if lower is None else parse_offsets(lower)
        ends = self._ends if upper is None else parse_offsets(upper)
        self._check_same_log(stored or {}, ends)
        starts = self._starts(stored, ends)
        with TopicMessages(
            self._config,
            self._topic.name,
            starts=starts,
            ends=ends,
            isolation=self._target.isolation,
            on_reset=lambda: self._lost_offsets(messages.positions, committed=stored is not None),
            cancellation=self._cancellation,
        ) as messages:
            for chunk in messages.chunks(min(_BATCH_MESSAGES, self._slice_messages)):
                decoded = self._decoder.decode(chunk)
                self._delivery.offsets = dict(messages.positions)
                self._delivery.messages += len(chunk)
                yield decoded.batch
                for rejection in decoded.rejected:
                    self._reject(rejection)
        self._check_same_topic()
        self._delivery.offsets = dict(messages.positions)

    def cutter(
        self,
        *,
        start: Cursor | None,
        slice_rows: int,
        compared: Sequence[str] | None,  # noqa: ARG002 - offsets tell rows apart, whatever their columns
    ) -> OffsetCutter:
        """Return what cuts this read.

        Raises:
            CheckpointMismatchError: The cursor was made for something else than this topic.
        """
        self._check_cursor(start)
        self._slice_messages = slice_rows
        return OffsetCutter(
            self._delivery,
            sql_type=self._sql_type,
            schema_fingerprint=self.schema_fingerprint,
            slice_messages=slice_rows,
        )

    @property
    def _sql_type(self) -> str:
        """Name the topic's id: a topic that was deleted and made anew has another one."""
        return _SQL_TYPE if self._topic.id is None else f"{_SQL_TYPE}, topic id {self._topic.id}"

    def _check_cursor(self, start: Cursor | None) -> None:
        if start is None:
            return
        if start.family != "offsets" or start.field != CURSOR_FIELD:
            raise CheckpointMismatchError(
                f"the checkpoint's cursor is {start.family} of {start.field!r}, not the offsets of a topic; define a "
                "new unit id with a new target",
                field="unit.cursorField",
            )
        # A checkpoint of a time when the cluster gave no ids fits any.
        if start.sql_type not in {_SQL_TYPE, self._sql_type}:
            raise recreated(self._topic.name, "it was deleted and made anew, or the cluster is another one")

    def _check_same_log(self, stored: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Refuse offsets that the topic has never reached."""
        for partition in sorted({*stored, *ends}):
            end = self._ends.get(partition)
            if end is None:
                raise recreated(self._topic.name, f"it has no partition {partition} any more")
            known = max(stored.get(partition, 0), ends.get(partition, 0))
            if known > end:
                raise recreated(
                    self._topic.name, f"partition {partition} ends at offset {end}, but {known} was seen before"
                )

    def _starts(self, stored: Mapping[int, int] | None, ends: Mapping[int, int]) -> dict[int, int]:
        """Return where to begin; a partition that is new since the checkpoint was made begins at 0."""
        if stored is None:
            return {partition: self._beginnings[partition] for partition in ends}
        starts = {partition: stored.get(partition, 0) for partition in {*stored, *ends}}
        gaps = {
            partition: (start, self._beginnings[partition])
            for partition, start in starts.items()
            if start < min(self._beginnings[partition], ends.get(partition, 0))
        }
        if gaps:
            raise offsets_expired(self._topic.name, gaps, committed=True)
        return starts

    def _lost_offsets(self, positions: Mapping[int, int], *, committed: bool) -> IngestionError:
        """Return why a partition does not hold its next offset any more."""
        self._check_same_topic()
        beginnings = self._cluster.beginnings(self._topic)
        gaps = {one: (position, beginnings[one]) for one, position in positions.items() if position < beginnings[one]}
        if gaps:
            return offsets_expired(self._topic.name, gaps, committed=committed)
        return SourceUnreachableError(
            f"the brokers did not find an offset of topic {self._topic.name!r} that it holds; another attempt "
            "continues there",
            code="SOURCE_CONNECTION_LOST",
        )

    def _check_same_topic(self) -> None:
        if self._cluster.topics([self._topic.name])[0].id != self._topic.id:
            raise recreated(self._topic.name, "it was deleted and made anew while it was read")

    def _reject(self, rejection: Rejection) -> None:
        try:
            self._bad_rows.reject(rejection.row)
        except DataError as error:
            raise DataError(
                f"partition {rejection.partition}, offset {rejection.offset}: {error.message}",
                code=error.code,
                field=error.field,
            ) from None

    def __enter__(self) -> TopicRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do: the clients end with the streams that use them."""


def _check_request(request: ReadRequest) -> None:
    """Refuse what has no meaning for a topic.

    Raises:
        ConfigurationError: Names the field.
    """
    if request.cursor_field not in {None, CURSOR_FIELD}:
        raise ConfigurationError(
            f"a topic is read by its offsets: set the cursor field to {CURSOR_FIELD!r}", field="unit.cursorField"
        )
    if request.lag_seconds:
        raise ConfigurationError(
            "a topic's offsets are not bound to time, so a lag is not offered; set lagSeconds to 0",
            field="policy.lagSeconds",
        )
    if request.tie_break_field is not None:
        raise ConfigurationError("offsets have no ties; remove tieBreakField", field="policy.tieBreakField")
    if request.engine == "spark":
        raise ConfigurationError("a topic is not read by Spark; set engine to auto", field="policy.engine")
