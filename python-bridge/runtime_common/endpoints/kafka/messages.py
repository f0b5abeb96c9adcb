"""Reads a range of offsets of each partition of one topic, and knows when it is read to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from runtime_common.endpoints.kafka.cluster import ClientErrors, client_options
from runtime_common.endpoints.kafka.errors import connection_lost, permanent_error, told
from runtime_common.exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from confluent_kafka import Message

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.kafka.config import Isolation, KafkaConfig
    from runtime_common.exceptions import IngestionError

# What the client reads ahead, in memory; a fetch that is under way comes on top.
_QUEUE_KILOBYTES = 16 * 1024
_FETCH_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 8 * 1024 * 1024
# As many messages as are turned into Python objects in one call.
_TAKE = 1000
_WAIT_SECONDS = 0.25


class TopicMessages:
    """Reads from ``starts`` up to and without ``ends``.

    The end of a partition is told by position, never by a count: compaction and transactions leave gaps in the offsets,
    and the last ones before the end may belong to no message at all.

    Args:
        config: How to reach the cluster.
        topic: Name of the topic.
        starts: First offset to read, by partition.
        ends: Offset to stop before, for the same partitions.
        isolation: Whether messages of aborted transactions are left out.
        on_reset: Returns the error for a partition that no longer holds its next offset.
        cancellation: The run's.

    Attributes:
        positions: Next offset by partition, after the messages returned so far.
    """

    def __init__(
        self,
        config: KafkaConfig,
        topic: str,
        *,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        isolation: Isolation,
        on_reset: Callable[[], IngestionError],
        cancellation: Cancellation,
    ) -> None:
        self._topic = topic
        self._stall_seconds = config.stall_timeout_seconds
        self._ends = ends
        self._on_reset = on_reset
        self._cancellation = cancellation
        self._errors = ClientErrors()
        self.positions = dict(starts)
        self._open = {partition for partition, end in ends.items() if starts[partition] < end}
        self._consumer = Consumer(_consumer_options(config, isolation, self._errors))
        if self._open:
            self._consumer.assign([TopicPartition(topic, one, starts[one]) for one in sorted(self._open)])

    def chunks(self, max_messages: int) -> Iterator[list[Message]]:
        """Yield messages in bounded lists, those of one partition in order.

        Raises:
            SourceUnreachableError: Nothing arrived for the stall timeout; another attempt continues.
            SourceError: The topic vanished, the rights were taken away, or a message is corrupt.
            DataError: The topic no longer holds messages of the range.
        """
        chunk: list[Message] = []
        size = 0
        heard = time.monotonic()
        while self._open:
            self._cancellation.check()
            for message in self._arrived(max_messages - len(chunk)):
                if not self._belongs(message):
                    continue
                chunk.append(message)
                size += len(message)
                if len(chunk) >= max_messages or size >= _CHUNK_BYTES:
                    yield chunk
                    chunk, size = [], 0
                # After the yield: whoever takes the messages may be slow, which is not the brokers' silence.
                heard = time.monotonic()
            if time.monotonic() - heard > self._stall_seconds:
                raise self._errors.final or connection_lost(self._topic, self._errors.last, seconds=self._stall_seconds)
        if chunk:
            yield chunk

    def _arrived(self, limit: int) -> list[Message]:
        """Return what the client has to tell; waits a moment when there is nothing."""
        first = self._consumer.poll(_WAIT_SECONDS)
        if first is None:
            if self._errors.final is not None:
                raise self._errors.final
            return []
        more = self._consumer.consume(min(limit, _TAKE) - 1, 0) if limit > 1 else []
        return [first, *more]

    def _belongs(self, message: Message) -> bool:
        """Move the position behind a message of the range; close the partition once its end is reached."""
        error = message.error()
        partition, offset = message.partition(), message.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._note(error)
            return False
        if partition is None or offset is None or partition not in self._open:
            return False
        end = self._ends[partition]
        belongs = error is None and self.positions[partition] <= offset < end
        if belongs:
            self.positions[partition] = offset + 1
        if (offset if error is not None else offset + 1) >= end:
            self.positions[partition] = end
            self._open.discard(partition)
            self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])
        return belongs

    def _note(self, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise self._on_reset()
        permanent = permanent_error(error, topic=self._topic)
        if permanent is not None:
            raise permanent
        if error.code() in {KafkaError._BAD_MSG, KafkaError._BAD_COMPRESSION}:
            raise SourceError(
                f"a message of topic {self._topic!r} arrived damaged: {told(error)}; check the broker's disk",
                code="SOURCE_CORRUPT",
                retryable=True,
            )
        self._errors.note(error)

    def __enter__(self) -> TopicMessages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()


def _consumer_options(config: KafkaConfig, isolation: Isolation, errors: ClientErrors) -> dict[str, Any]:
    return client_options(config, errors) | {
        # The client insists on a name. No group of it is ever joined, since partitions are assigned.
        "group.id": "nucleus",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "isolation.level": isolation,
        # An offset that is gone must be told of, not jumped over.
        "auto.offset.reset": "error",
        "check.crcs": True,
        "queued.max.messages.kbytes": _QUEUE_KILOBYTES,
        "fetch.max.bytes": _FETCH_BYTES,
        "message.max.bytes": _FETCH_BYTES,
    }
