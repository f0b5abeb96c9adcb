"""The topics of a cluster as data sets of the knowledge base, named as OpenLineage names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.contracts import CompleteScope
from runtime_common.endpoints.kafka.cluster import Cluster
from runtime_common.protocols import Collected, MetadataTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.kafka.config import KafkaConfig

# Topics that are asked for in one request, and make one piece.
_PIECE = 500
_SCHEMA = pa.schema(
    [
        pa.field("namespace", pa.string()),
        pa.field("name", pa.string()),
        pa.field("type", pa.string()),
        pa.field("attributes", pa.struct([pa.field("partitions", pa.int32()), pa.field("topicId", pa.string())])),
    ]
)


def collect_topics(config: KafkaConfig, scope: Sequence[str], cancellation: Cancellation) -> Collected:
    """Return the topics that the user may see: those of ``scope``, or all, without the cluster's own.

    Raises:
        SourceError: The cluster can't be reached or refuses the login.
    """
    cluster = Cluster(config, cancellation)
    seen = cluster.topic_names()
    names = [name for name in seen if not scope or name in set(scope)]
    counts = {"topics": 0, "partitions": 0}
    complete: list[CompleteScope] = []

    def tables() -> Iterator[MetadataTable]:
        for begin in range(0, len(names), _PIECE):
            topics = cluster.topics(names[begin : begin + _PIECE])
            counts["topics"] += len(topics)
            counts["partitions"] += sum(len(topic.partitions) for topic in topics)
            rows = [
                {
                    "namespace": config.namespace,
                    "name": topic.name,
                    "type": "topic",
                    "attributes": {"partitions": len(topic.partitions), "topicId": topic.id},
                }
                for topic in topics
            ]
            yield MetadataTable(contents="entities", kind="Dataset", table=pa.Table.from_pylist(rows, schema=_SCHEMA))
        if not scope:
            complete.append(CompleteScope(namespace=config.namespace, name_prefix=""))

    return Collected(tables=tables(), complete_scopes=complete, counts=counts)
