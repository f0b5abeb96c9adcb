"""Source ``kafka``: one topic, read from stored offsets to offsets that are fixed at the start.

    KafkaSource.open() -> TopicRead.batches()        the rows, decoded, in bounded batches
                       -> TopicRead.cutter()         slices, whose cursor is a map from partition to next offset

The offsets live in the unit's checkpoint alone. Nothing is ever committed to the broker, and no consumer group is
joined: partitions are assigned, not subscribed to.
"""

from runtime_common.endpoints.kafka.source import ENDPOINT

__all__ = ["ENDPOINT"]
