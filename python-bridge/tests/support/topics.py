"""Topics of a test, and what is written to them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from runtime_common.staging import LocalDirectoryStaging
from tests.support.units import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.kafka_broker import KafkaBroker


_READY_SECONDS = 30.0


@dataclass(frozen=True)
class Topic:
    """One topic of one test."""

    broker: KafkaBroker
    name: str

    @classmethod
    def create(
        cls,
        broker: KafkaBroker,
        *,
        partitions: int = 1,
        name: str | None = None,
        config: Mapping[str, str] | None = None,
    ) -> Topic:
        topic = cls(broker, name or f"topic-{secrets.token_hex(6)}")
        made = broker.admin.create_topics([NewTopic(topic.name, partitions, config=dict(config or {}))])
        made[topic.name].result()
        topic._await_leaders(partitions)
        return topic

    def write(self, *messages: Any, partition: int = 0, **options: Any) -> None:
        """Write values, or dictionaries of what a producer takes."""
        producer = Producer(self._producer_options())
        for message in messages:
            given = message if isinstance(message, dict) else {"value": message}
            producer.produce(self.name, **({"partition": partition} | options | given))
        assert producer.flush(30) == 0

    def transaction(self, *messages: Any, partition: int = 0, outcome: str = "commit") -> Producer:
        """Write within a transaction; ``open`` leaves it so, for the caller to end."""
        producer = Producer(self._producer_options() | {"transactional.id": secrets.token_hex(6)})
        producer.init_transactions()
        producer.begin_transaction()
        for value in messages:
            producer.produce(self.name, value=value, partition=partition)
        assert producer.flush(30) == 0
        if outcome == "commit":
            producer.commit_transaction()
        elif outcome == "abort":
            producer.abort_transaction()
        if outcome != "open":
            self.await_end_of_transactions(partition)
        return producer

    def await_end_of_transactions(self, partition: int = 0) -> None:
        """Wait for what the broker writes behind transactions: it answers before it has marked all of them as ended."""
        deadline = time.monotonic() + _READY_SECONDS
        while self._end(partition, IsolationLevel.READ_COMMITTED) < self._end(
            partition, IsolationLevel.READ_UNCOMMITTED
        ):
            assert time.monotonic() < deadline, "a transaction is still open"

    def _end(self, partition: int, isolation: IsolationLevel) -> int:
        place = TopicPartition(self.name, partition)
        # A client of its own, which knows of partitions that are new.
        admin = AdminClient({"bootstrap.servers": self.broker.address, "log_level": 0})
        found = admin.list_offsets({place: OffsetSpec.latest()}, isolation_level=isolation)
        return int(found[place].result().offset)

    def remove_before(self, offset: int, partition: int = 0) -> None:
        """Do what retention does."""
        admin = AdminClient({"bootstrap.servers": self.broker.address, "log_level": 0})
        for future in admin.delete_records([TopicPartition(self.name, partition, offset)]).values():
            future.result()

    def add_partitions(self, total: int) -> None:
        for future in self.broker.admin.create_partitions([NewPartitions(self.name, total)]).values():
            future.result()
        self._await_leaders(total)

    def delete(self) -> None:
        for future in self.broker.admin.delete_topics([self.name]).values():
            future.result()

    def config(self, **changes: Any) -> dict[str, Any]:
        """Config of a kafka source."""
        return {"bootstrapServers": [self.broker.address]} | changes

    def unit(self, folder: Path, /, *, object: Mapping[str, Any] | None = None, **changes: Any) -> Unit:  # noqa: A002
        """Return a unit that reads the topic into Parquet files."""
        return Unit(
            source=self.config(),
            source_template="kafka",
            object={"topic": self.name, "valueFormat": "text"} | dict(object or {}),
            sink_template="parquet_files",
            sink_config={"directory": str(folder / "sink")},
            staging=LocalDirectoryStaging(folder / "staging"),
            table=self.name,
            metadata_root=folder / "metadata",
            cursor_field="offsets",
            primary_key=(),
        ).changed(**changes)

    def _await_leaders(self, partitions: int) -> None:
        """Wait until the broker leads all partitions: what is new is known some moments before it can be used."""
        places = {TopicPartition(self.name, one): OffsetSpec.latest() for one in range(partitions)}
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            # A client of its own each time: what another one knows of the topic may be a minute old.
            admin = AdminClient({"bootstrap.servers": self.broker.address, "log_level": 0})
            try:
                for future in admin.list_offsets(places).values():
                    future.result()
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _producer_options(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.broker.address, "log_level": 0, "linger.ms": 5}
