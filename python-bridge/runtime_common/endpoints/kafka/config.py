"""Config and object of the source ``kafka``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from runtime_common.endpoints.descriptor import EndpointModel, group
from runtime_common.endpoints.json_rows import DeclaredField
from runtime_common.endpoints.kafka.rows import COLUMN_NAMES

_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_MAX_PORT = 65535

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Format = Literal["bytes", "text", "json"]
Isolation = Literal["read_committed", "read_uncommitted"]


class KafkaConfig(EndpointModel):
    """How to reach the cluster."""

    bootstrap_servers: Annotated[
        list[Text],
        Field(
            title="Bootstrap servers",
            description="Brokers to begin with, as host:port; the others are learnt from them",
            examples=[["broker-1.example.com:9092", "broker-2.example.com:9092"]],
            min_length=1,
            max_length=50,
            json_schema_extra=group("Connection"),
        ),
    ]
    security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        Field(
            title="Security protocol",
            description="Whether the connection is encrypted (SSL) and whether there is a login (SASL)",
            examples=["SASL_SSL"],
            json_schema_extra=group("Security"),
        ),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Field(
            title="Login mechanism",
            description="How user and password are proven, for the SASL protocols",
            examples=["SCRAM-SHA-512"],
            json_schema_extra=group("Security"),
        ),
    ] = "SCRAM-SHA-512"
    user: Annotated[
        Text | None,
        Field(
            title="User",
            description="It needs READ and DESCRIBE on the topics, and no other right",
            examples=["nucleus"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    password: Annotated[
        SecretStr | None,
        Field(
            title="Password",
            description="Of the user, for the SASL protocols",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    ca_certificate: Annotated[
        Text | None,
        Field(
            title="CA certificate",
            description="PEM of the authority that signed the brokers' certificates; the system's own when empty",
            examples=["-----BEGIN CERTIFICATE-----…"],
            max_length=65536,
            json_schema_extra=group("Security"),
        ),
    ] = None
    connect_timeout_seconds: Annotated[
        float,
        Field(
            title="Connect timeout (s)",
            description="How long the brokers may take to answer before the run fails and is tried again",
            examples=[10],
            ge=1,
            le=120,
            json_schema_extra=group("Limits"),
        ),
    ] = 10
    stall_timeout_seconds: Annotated[
        float,
        Field(
            title="Stall timeout (s)",
            description="How long a read may get nothing, e.g. while a broker restarts, before it fails and is tried "
            "again",
            examples=[60],
            ge=1,
            le=3600,
            json_schema_extra=group("Limits"),
        ),
    ] = 60

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_addresses(cls, servers: list[str]) -> list[str]:
        for server in servers:
            parts = _SERVER.fullmatch(server)
            if parts is None or not 1 <= int(parts["port"]) <= _MAX_PORT:
                raise ValueError("each server must be host:port, with a port from 1 to 65535")
        return servers

    @model_validator(mode="after")
    def _has_a_login(self) -> KafkaConfig:
        if self.uses_login and (self.user is None or self.password is None):
            raise ValueError(f"{self.security_protocol} needs user and password")
        return self

    @property
    def uses_login(self) -> bool:
        """Whether the protocol is one of the SASL ones."""
        return self.security_protocol.startswith("SASL_")

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each server."""
        split = [server.rpartition(":") for server in self.bootstrap_servers]
        return [(host.strip("[]"), int(port)) for host, _, port in split]

    @property
    def namespace(self) -> str:
        """Namespace of the cluster's topics, as OpenLineage names them: by the first server."""
        return f"kafka://{self.bootstrap_servers[0]}"


class KafkaObject(EndpointModel):
    """What a unit reads."""

    topic: Annotated[
        str,
        # What a broker takes as a name (org.apache.kafka.common.internals.Topic).
        StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$"),
        Field(title="Topic", description="Name of one topic", examples=["orders"], json_schema_extra=group("Object")),
    ]
    key_format: Annotated[
        Format,
        Field(
            title="Key format",
            description="bytes as they are, text in UTF-8, or JSON text",
            examples=["json"],
            json_schema_extra=group("Object"),
        ),
    ] = "text"
    value_format: Annotated[
        Format,
        Field(
            title="Value format",
            description="bytes as they are, text in UTF-8, or JSON text",
            examples=["json"],
            json_schema_extra=group("Object"),
        ),
    ] = "json"
    key_fields: Annotated[
        list[DeclaredField],
        Field(
            title="Fields of the key",
            description="Columns to take from a JSON key, in place of the column key",
            examples=[[{"name": "order_id", "path": "$.id", "type": "integer"}]],
            max_length=1000,
            json_schema_extra=group("Fields"),
        ),
    ] = Field(default_factory=list)
    value_fields: Annotated[
        list[DeclaredField],
        Field(
            title="Fields of the value",
            description="Columns to take from a JSON value, in place of the column value",
            examples=[[{"name": "amount", "path": "$.total.amount", "type": "decimal(12,2)"}]],
            max_length=1000,
            json_schema_extra=group("Fields"),
        ),
    ] = Field(default_factory=list)
    isolation: Annotated[
        Isolation,
        Field(
            title="Isolation",
            description="read_committed leaves out aborted transactions and waits for open ones; read_uncommitted "
            "takes every message",
            examples=["read_committed"],
            json_schema_extra=group("Object"),
        ),
    ] = "read_committed"

    @model_validator(mode="after")
    def _fields_make_columns(self) -> KafkaObject:
        for name, declared, form in (
            ("keyFields", self.key_fields, self.key_format),
            ("valueFields", self.value_fields, self.value_format),
        ):
            if declared and form != "json":
                raise ValueError(f"{name} can only be taken from JSON; set that format, or remove them")
        names = [one.name for one in (*self.key_fields, *self.value_fields)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two fields are called {name!r}; give each a name of its own")
            if name in COLUMN_NAMES:
                raise ValueError(f"a field can't be called {name!r}, which is a column of every topic; rename it")
        return self
