"""Source ``kafka``: its descriptor, and what opens a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.contracts import CheckStep
from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.kafka.checks import connection_checks
from runtime_common.endpoints.kafka.cluster import Cluster
from runtime_common.endpoints.kafka.collect import collect_topics
from runtime_common.endpoints.kafka.config import KafkaConfig, KafkaObject
from runtime_common.endpoints.kafka.preview import preview_topic
from runtime_common.endpoints.kafka.read import TopicRead
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.exceptions import InternalError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import Check, Collected, ReadRequest, Sample

DESCRIPTOR = EndpointDescriptor(
    id="kafka",
    title="Kafka",
    vendor="kafka",
    description=(
        "Reads topics of Kafka 2.8 or later, and of brokers that speak its protocol, in bounded runs: from the offsets "
        "of the unit's checkpoint to the ends that the partitions have when the run begins. An incremental unit's "
        "cursor field is `offsets`. The offsets live in the checkpoint alone: no consumer group is joined and nothing "
        "is committed to the broker. A time lag, a look-back and a tie-break column are not offered."
    ),
    role="source",
    version="1",
    capabilities=("metadata.collect", "metadata.preview", "ingest.full", "ingest.incremental"),
    checks=(
        CheckStep(name="resolve", title="Resolve the bootstrap servers' names"),
        CheckStep(name="connect", title="Connect to a bootstrap server"),
        CheckStep(name="authenticate", title="Speak with the cluster as this user"),
        CheckStep(name="topics", title="See topics"),
        CheckStep(name="read", title="Read a message"),
    ),
    config_model=KafkaConfig,
    object_model=KafkaObject,
)


class KafkaSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        if config.password is not None:
            register_secret(config.password.get_secret_value())

    def open(self, request: ReadRequest, cancellation: Cancellation) -> TopicRead:
        """Look the topic up and fix where this read ends.

        Raises:
            SourceError: The cluster can't be reached, refuses the login, or lacks the topic.
            ConfigurationError: The object is no valid topic, or the unit asks for what a topic does not have.
        """
        return TopicRead(
            Cluster(self._config, cancellation),
            self._config,
            _target(request.object),
            request=request,
            cancellation=cancellation,
        )

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        return connection_checks(self._config, cancellation)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return some of the last messages; raises like :meth:`open`."""
        return preview_topic(self._config, _target(selected), limit=limit, cancellation=cancellation)

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        """Return the topics as data sets; raises like :meth:`open`."""
        return collect_topics(self._config, scope, cancellation)


def _target(selected: Mapping[str, Any]) -> KafkaObject:
    return parse(KafkaObject, dict(selected), prefix="source.object")


def _build(config: EndpointModel, services: EndpointServices) -> KafkaSource:  # noqa: ARG001
    if not isinstance(config, KafkaConfig):
        raise InternalError("kafka was given the config of another endpoint")
    return KafkaSource(config)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
