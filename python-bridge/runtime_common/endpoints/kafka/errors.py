"""Kafka's failures as typed errors that name the config field at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaError

from runtime_common.exceptions import (
    CheckpointMismatchError,
    ConfigurationError,
    DataError,
    IngestionError,
    SourceError,
    SourceObjectError,
    SourceUnreachableError,
)
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

_MESSAGE_LENGTH = 300
_AUTHENTICATION = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
_MECHANISM = frozenset({KafkaError.UNSUPPORTED_SASL_MECHANISM, KafkaError.ILLEGAL_SASL_STATE})
_MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.TOPIC_EXCEPTION})
_DENIED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})


def refused_connection(error: KafkaError) -> IngestionError | None:
    """Return why a broker lets this client never in; None for everything that is no such refusal."""
    code = error.code()
    if code in _AUTHENTICATION:
        return SourceError(
            f"the broker refused the login: {told(error)}; correct user, password and mechanism",
            code="SOURCE_AUTHENTICATION_FAILED",
            field="source.config.password",
        )
    if code in _MECHANISM:
        return SourceError(
            f"the broker does not offer this way to log in: {told(error)}; choose another mechanism",
            code="SOURCE_AUTHENTICATION_FAILED",
            field="source.config.saslMechanism",
        )
    if code == KafkaError._SSL:
        return SourceError(
            f"no TLS connection: {told(error)}; correct the security protocol, or give the certificate of the "
            "authority that signed the broker's",
            code="SOURCE_TLS_FAILED",
            field="source.config.caCertificate",
        )
    return None


def permanent_error(error: KafkaError, *, topic: str, is_known: bool = False) -> IngestionError | None:
    """Return what another attempt will not mend; None for everything that may pass by itself.

    Args:
        error: What the client or a broker says.
        topic: What it was asked for.
        is_known: Whether the cluster has just said that the topic is there: then a broker that does not know it, or a
            new partition of it, is only late.
    """
    code = error.code()
    if code in _MISSING and not is_known:
        return SourceObjectError(
            f"the cluster has no topic {topic!r}; correct the name",
            code="SOURCE_TOPIC_MISSING",
            field="source.object.topic",
        )
    if code in _DENIED:
        return SourceObjectError(
            f"the user may not read topic {topic!r}; grant READ and DESCRIBE on it",
            code="SOURCE_ACCESS_DENIED",
            field="source.object.topic",
        )
    return refused_connection(error)


def refused_options(error: KafkaError) -> ConfigurationError:
    """Return the error of a config with which no client can be made."""
    certificate = "ssl.ca" in error.str()
    return ConfigurationError(
        f"the Kafka client refuses the config: {told(error)}",
        field="source.config.caCertificate" if certificate else "source.config",
    )


def unreachable(servers: str, error: KafkaError | None, *, seconds: float) -> SourceUnreachableError:
    """Return the error of brokers that do not answer."""
    reason = "no answer" if error is None else told(error)
    return SourceUnreachableError(
        f"no answer from {servers} within {seconds:g} s: {reason}; check the bootstrap servers, the security protocol, "
        "and that the brokers run and can be reached under the names that they advertise",
        field="source.config.bootstrapServers",
    )


def connection_lost(topic: str, error: KafkaError | None, *, seconds: float) -> SourceUnreachableError:
    """Return the error of brokers that stopped to deliver in mid-read."""
    reason = "nothing arrived" if error is None else told(error)
    return SourceUnreachableError(
        f"the brokers delivered nothing of topic {topic!r} for {seconds:g} s: {reason}", code="SOURCE_CONNECTION_LOST"
    )


def offsets_expired(topic: str, gaps: Mapping[int, tuple[int, int]], *, committed: bool) -> DataError:
    """Return the error of messages that the topic no longer holds.

    Args:
        topic: Its name.
        gaps: By partition, the next offset to read and the first one that is left.
        committed: Whether a checkpoint stands before the gap; without one another attempt starts behind it.
    """
    parts = [
        f"partition {partition} lacks offsets {wanted} to {first - 1} ({first - wanted})"
        for partition, (wanted, first) in sorted(gaps.items())
    ]
    advice = (
        "they can't be read any more: keep the topic's messages longer than a unit may stand still, and define a new "
        "unit id with a new target to go on from what is left"
        if committed
        else "the topic's retention removed them while they were read; another attempt begins with what is left"
    )
    return DataError(
        f"messages of topic {topic!r} are gone that no run has delivered: {'; '.join(parts[:5])}"
        f"{f'; and {len(parts) - 5} partition(s) more' if len(parts) > 5 else ''}; {advice}",
        code="OFFSETS_EXPIRED",
        field="source.object.topic",
        retryable=not committed,
    )


def removed_meanwhile(topic: str) -> DataError:
    """Return the error of messages that were there when a short look at the topic began."""
    return DataError(
        f"the retention removed messages of topic {topic!r} while they were read; try again",
        code="OFFSETS_EXPIRED",
        field="source.object.topic",
        retryable=True,
    )


def recreated(topic: str, what: str) -> CheckpointMismatchError:
    """Return the error of a topic that is no longer the one that was read before."""
    return CheckpointMismatchError(
        f"topic {topic!r} is not the one that was read before: {what}; the offsets of the checkpoint mean nothing in "
        "it. Define a new unit id with a new target to read it from its start",
        code="TOPIC_RECREATED",
        field="source.object.topic",
    )


def told(error: KafkaError) -> str:
    """Return what the client says, in one line and without secrets."""
    return " ".join(redact(error.str()).split())[:_MESSAGE_LENGTH]
