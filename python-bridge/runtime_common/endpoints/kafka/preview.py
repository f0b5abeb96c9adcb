"""Some of the last messages of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.contracts import DatasetRef
from runtime_common.endpoints.kafka.cluster import Cluster
from runtime_common.endpoints.kafka.errors import removed_meanwhile
from runtime_common.endpoints.kafka.messages import TopicMessages
from runtime_common.endpoints.kafka.rows import RowDecoder
from runtime_common.exceptions import DataError
from runtime_common.protocols import Sample

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.kafka.config import KafkaConfig, KafkaObject
    from runtime_common.endpoints.kafka.rows import Rejection

# Offsets looked at beyond the rows wanted: the last ones of a partition are often markers of transactions.
_SPARE_OFFSETS = 10


def preview_topic(config: KafkaConfig, target: KafkaObject, *, limit: int, cancellation: Cancellation) -> Sample:
    """Return at most ``limit`` of the last messages, taken from all partitions alike.

    Messages that can't be rows are left out, unless there are no others.

    Raises:
        SourceError: The cluster can't be reached, refuses the login, or lacks the topic.
        DataError: None of the messages can be a row by the formats and fields of the object.
    """
    cluster = Cluster(config, cancellation)
    topic = cluster.topics([target.topic])[0]
    beginnings = cluster.beginnings(topic)
    ends = cluster.ends(topic, target.isolation)
    held = [one for one in topic.partitions if beginnings[one] < ends[one]]
    window = 2 * -(-limit // max(len(held), 1)) + _SPARE_OFFSETS
    starts = {one: max(beginnings[one], ends[one] - window) for one in topic.partitions}
    decoder = RowDecoder(target)
    rejected: list[Rejection] = []
    batches: list[pa.RecordBatch] = []
    with TopicMessages(
        config,
        topic.name,
        starts=starts,
        ends={one: max(starts[one], ends[one]) for one in topic.partitions},
        isolation=target.isolation,
        on_reset=lambda: removed_meanwhile(topic.name),
        cancellation=cancellation,
    ) as messages:
        for chunk in messages.chunks(limit):
            decoded = decoder.decode(chunk)
            batches.append(decoded.batch)
            rejected += decoded.rejected
    found = pa.Table.from_batches(batches, decoder.schema).sort_by(
        [("timestamp", "ascending"), ("offset", "ascending")]
    )
    if rejected and not found.num_rows:
        first = rejected[0]
        raise DataError(
            f"none of the last messages can be a row; partition {first.partition}, offset {first.offset}: "
            f"{first.row.reason}; choose other formats or fields",
            code=first.row.code,
            field=first.row.field,
        )
    shown = found.slice(max(found.num_rows - limit, 0))
    return Sample(
        dataset=DatasetRef(namespace=config.namespace, name=topic.name, version=None, fields=decoder.fields),
        table=shown,
        truncated=shown.num_rows < found.num_rows or any(starts[one] > beginnings[one] for one in held),
    )
