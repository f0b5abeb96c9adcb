"""Logins and rights at the tests' broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

if TYPE_CHECKING:
    from tests.support.kafka_broker import KafkaBroker


def allow(broker: KafkaBroker, user: str, topic: str, *operations: str) -> None:
    """Grant rights on one topic, by default those that a source needs."""
    bindings = [
        AclBinding(
            ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*",
            AclOperation[operation], AclPermissionType.ALLOW,
        )
        for operation in operations or ("READ", "DESCRIBE")
    ]  # fmt: skip
    for future in broker.admin.create_acls(bindings).values():
        future.result()


def add_login(broker: KafkaBroker, user: str, password: str) -> None:
    """Make a user that logs in by SCRAM-SHA-512."""
    credential = UserScramCredentialUpsertion(
        user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password.encode()
    )
    for future in broker.admin.alter_user_scram_credentials([credential]).values():
        future.result()
