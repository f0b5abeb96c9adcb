"""One connection to a cluster: what topics there are, and where they begin and end."""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from runtime_common.endpoints.kafka.errors import (
    permanent_error,
    refused_connection,
    refused_options,
    unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from confluent_kafka.admin import TopicDescription  # type: ignore[attr-defined]

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.kafka.config import Isolation, KafkaConfig
    from runtime_common.exceptions import IngestionError

Key = TypeVar("Key")
Result = TypeVar("Result")

_WAIT_SECONDS = 0.1
# Calls that can't be broken off last no longer than this, so that a cancellation is noticed in time.
_CALL_SECONDS = 3.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_ISOLATION: dict[Isolation, IsolationLevel] = {
    "read_committed": IsolationLevel.READ_COMMITTED,
    "read_uncommitted": IsolationLevel.READ_UNCOMMITTED,
}
# What a cluster answers that knows no topic ids (before Kafka 2.8).
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"


class ClientErrors:
    """What a client has told of its connections, from its own threads."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        self._refused: KafkaError | None = None
        self._all_down = False

    def note(self, error: KafkaError) -> None:
        """Take in one error; a client tells each of them again with every attempt to connect."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._all_down = True
            return
        self.last = error
        if refused_connection(error) is not None:
            self._refused = error

    @property
    def final(self) -> IngestionError | None:
        """What no attempt will mend; None as long as some broker may still be reached."""
        if self._refused is None or not self._all_down:
            return None
        return refused_connection(self._refused)


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic as the cluster knows it; ``id`` is None where the cluster gives none."""

    name: str
    id: str | None
    partitions: tuple[int, ...]


def client_options(config: KafkaConfig, errors: ClientErrors) -> dict[str, Any]:
    """Return what all clients have in common."""
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(config.bootstrap_servers),
        "security.protocol": config.security_protocol,
        "client.id": "nucleus",
        "error_cb": errors.note,
        # It would go to stderr, past the worker's own log; the callback tells the same.
        "log_level": 0,
        "socket.connection.setup.timeout.ms": round(config.connect_timeout_seconds * 1000),
        # A broker that restarts is found again soon after it is back.
        "reconnect.backoff.max.ms": 1000,
    }
    if config.uses_login and config.password is not None:
        options |= {
            "sasl.mechanism": config.sasl_mechanism,
            "sasl.username": config.user,
            "sasl.password": config.password.get_secret_value(),
        }
    if config.ca_certificate is not None and config.security_protocol.endswith("SSL"):
        options["ssl.ca.pem"] = config.ca_certificate
    return options


class Cluster:
    """Asks the cluster; each call ends with an answer, a typed error, or the run's cancellation.

    Raises:
        ConfigurationError: The client refuses the config.
    """

    def __init__(self, config: KafkaConfig, cancellation: Cancellation) -> None:
        self._config = config
        self._cancellation = cancellation
        self._errors = ClientErrors()
        try:
            self._admin = AdminClient(client_options(config, self._errors))
        except KafkaException as error:
            failure = refused_options(error.args[0])
        else:
            return
        raise failure

    def topic_names(self) -> list[str]:
        """Return the topics that the user may see, without the cluster's own.

        Raises:
            SourceError: The cluster can't be reached, or refuses the login.
        """
        deadline = time.monotonic() + self._seconds
        while True:
            self._check(deadline)
            try:
                found = self._admin.list_topics(timeout=_CALL_SECONDS).topics
            except KafkaException as error:
                self._errors.note(error.args[0])
            else:
                return sorted(name for name in found if not name.startswith("__"))

    def topics(self, names: Sequence[str]) -> list[Topic]:
        """Return what the cluster knows of some topics.

        Raises:
            SourceError: One is missing or may not be described, or the cluster can't be reached.
        """
        if not names:
            return []
        found = self._ask(
            lambda: self._admin.describe_topics(TopicCollection(list(names)), request_timeout=self._seconds),
            topic=lambda name: name,
        )
        return [_topic(found[name]) for name in names]

    def ends(self, topic: Topic, isolation: Isolation) -> dict[int, int]:
        """Return the offset after the last message of each partition: with read_committed the last stable one."""
        return self._offsets(topic, _LATEST, isolation)

    def beginnings(self, topic: Topic) -> dict[int, int]:
        """Return the offset of the first message that each partition still holds."""
        return self._offsets(topic, _EARLIEST, "read_uncommitted")

    def _offsets(self, topic: Topic, which: OffsetSpec, isolation: Isolation) -> dict[int, int]:
        places = {TopicPartition(topic.name, partition): which for partition in topic.partitions}
        found = self._ask(
            lambda: self._admin.list_offsets(
                places, isolation_level=_ISOLATION[isolation], request_timeout=self._seconds
            ),
            topic=lambda _: topic.name,
            is_known=True,
        )
        return {place.partition: place_found.offset for place, place_found in found.items()}

    def _ask(
        self,
        request: Callable[[], Mapping[Key, Future[Result]]],
        *,
        topic: Callable[[Key], str],
        is_known: bool = False,
    ) -> dict[Key, Result]:
        """Return all answers to a request; it is repeated while a broker is not ready, e.g. elects a leader."""
        deadline = time.monotonic() + self._seconds
        while True:
            answers = {}
            for key, future in request().items():
                try:
                    answers[key] = self._answer(future, deadline)
                except KafkaException as error:
                    reason: KafkaError = error.args[0]
                    failure = permanent_error(reason, topic=topic(key), is_known=is_known)
                else:
                    continue
                if failure is not None:
                    raise failure
                self._errors.note(reason)
                break
            else:
                return answers
            self._check(deadline)
            self._admin.poll(_WAIT_SECONDS)

    def _answer(self, future: Future[Result], deadline: float) -> Result:
        while True:
            self._check(deadline)
            try:
                return future.result(timeout=_WAIT_SECONDS)
            except FutureTimeoutError:
                continue

    def _check(self, deadline: float) -> None:
        """End the waiting when there is a reason to."""
        self._cancellation.check()
        self._admin.poll(0)
        if self._errors.final is not None:
            raise self._errors.final
        if time.monotonic() > deadline:
            raise unreachable(", ".join(self._config.bootstrap_servers), self._errors.last, seconds=self._seconds)

    @property
    def _seconds(self) -> float:
        return self._config.connect_timeout_seconds


def _topic(found: TopicDescription) -> Topic:
    identity = str(found.topic_id)
    return Topic(
        name=found.name,
        id=None if identity == _NO_ID else identity,
        partitions=tuple(sorted(one.id for one in found.partitions)),
    )
