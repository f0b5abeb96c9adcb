"""The steps of the connection test."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from runtime_common.endpoints.kafka.cluster import Cluster
from runtime_common.endpoints.kafka.config import KafkaObject
from runtime_common.endpoints.kafka.preview import preview_topic
from runtime_common.exceptions import SourceObjectError, SourceUnreachableError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.kafka.config import KafkaConfig

_FIELD = "source.config.bootstrapServers"
# Topics that are tried for a message to read.
_TRIED_TOPICS = 10
# One server after the other, so that a cancellation is noticed in between.
_CONNECT_SECONDS = 3.0


def connection_checks(config: KafkaConfig, cancellation: Cancellation) -> Sequence[Check]:
    """Return the steps in the descriptor's order; they change nothing in the cluster."""
    test = _ConnectionTest(config, cancellation)
    return (
        Check(name="resolve", run=test.resolve),
        Check(name="connect", run=test.connect, needs=("resolve",)),
        Check(name="authenticate", run=test.authenticate, needs=("connect",)),
        Check(name="topics", run=test.see_topics, needs=("authenticate",)),
        Check(name="read", run=test.read, needs=("topics",)),
    )


class _ConnectionTest:
    def __init__(self, config: KafkaConfig, cancellation: Cancellation) -> None:
        self._config = config
        self._cancellation = cancellation
        self._topics: list[str] = []

    def resolve(self) -> str:
        failures = []
        for host, port in self._config.addresses:
            self._cancellation.check()
            try:
                socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                failures.append(f"{host}: {error.strerror}")
        if len(failures) == len(self._config.addresses):
            raise SourceUnreachableError(
                f"no server's name can be resolved: {'; '.join(failures)}; correct the names, or the worker's DNS",
                code="SOURCE_NAME_UNKNOWN",
                field=_FIELD,
            )
        return _with_failures(f"{len(self._config.addresses) - len(failures)} name(s) resolved", failures)

    def connect(self) -> str:
        failures = []
        for host, port in self._config.addresses:
            self._cancellation.check()
            try:
                socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
            except OSError as error:
                failures.append(f"{host}:{port}: {error.strerror or error}")
            else:
                return _with_failures(f"{host}:{port} accepts connections", failures)
        raise SourceUnreachableError(
            f"no server accepts a connection: {'; '.join(failures)}; check the addresses, the network, and that the "
            "brokers run",
            field=_FIELD,
        )

    def authenticate(self) -> str:
        self._topics = Cluster(self._config, self._cancellation).topic_names()
        how = f"as {self._config.user}" if self._config.uses_login else "without a login"
        return f"the cluster answers {how} by {self._config.security_protocol}"

    def see_topics(self) -> str:
        if not self._topics:
            raise SourceObjectError(
                "the user sees no topic; grant READ and DESCRIBE on those to read, or create one",
                code="SOURCE_TOPIC_MISSING",
                field="source.config.user",
            )
        return f"{len(self._topics)} topic(s) can be seen"

    def read(self) -> str:
        refused = None
        tried = self._topics[:_TRIED_TOPICS]
        for name in tried:
            target = KafkaObject(topic=name, key_format="bytes", value_format="bytes", isolation="read_uncommitted")
            try:
                sample = preview_topic(self._config, target, limit=1, cancellation=self._cancellation)
            except SourceObjectError as error:
                refused = error
                continue
            if sample.table.num_rows:
                return f"a message of topic {name!r} was read"
        if refused is not None:
            raise refused
        return f"nothing to read: the first {len(tried)} topic(s) are empty"


def _with_failures(found: str, failures: Sequence[str]) -> str:
    return f"{found}, but not: {'; '.join(failures)}" if failures else found
