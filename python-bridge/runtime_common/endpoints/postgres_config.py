"""How to reach a PostgreSQL server, for source and sink, and what a unit of the source reads."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from psycopg.conninfo import make_conninfo
from pydantic import ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from runtime_common.endpoints.descriptor import EndpointModel, group
from runtime_common.redaction import register_secret

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

# UTC makes text forms canonical; the rest keeps a role's own settings from changing them.
SESSION_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}
# A peer that vanished without a word is noticed within about a minute.
_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_UNACKNOWLEDGED_MS = 60_000


class PostgresConnection(EndpointModel):
    """How to reach a database; the configs of source and sink build on it."""

    host: Annotated[
        Text,
        Field(
            title="Host",
            description="Name or address of the server",
            examples=["db.example.com"],
            json_schema_extra=group("Connection"),
        ),
    ]
    port: Annotated[
        int,
        Field(
            title="Port",
            description="Port of the server",
            examples=[5432],
            ge=1,
            le=65535,
            json_schema_extra=group("Connection"),
        ),
    ] = 5432
    database: Annotated[
        Text,
        Field(
            title="Database",
            description="Name of the database",
            examples=["shop"],
            json_schema_extra=group("Connection"),
        ),
    ]
    user: Annotated[
        Text,
        Field(
            title="User",
            description="A role that has no more rights than are needed",
            examples=["nucleus"],
            json_schema_extra=group("Security"),
        ),
    ]
    password: Annotated[
        SecretStr,
        Field(
            title="Password",
            description="Of the user",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ]
    ssl_mode: Annotated[
        SslMode,
        Field(
            title="TLS mode",
            description="As libpq's sslmode; only verify-full makes sure that it is the right server",
            examples=["verify-full"],
            json_schema_extra=group("Security"),
        ),
    ] = "prefer"
    ssl_root_cert: Annotated[
        Text | None,
        Field(
            title="CA certificate",
            description="PEM of the authority that signed the server's certificate, for verify-ca and verify-full; "
            "libpq's own file (~/.postgresql/root.crt of the worker) when empty",
            examples=["-----BEGIN CERTIFICATE-----…"],
            max_length=65536,
            json_schema_extra=group("Security"),
        ),
    ] = None
    connect_timeout_seconds: Annotated[
        int,
        Field(
            title="Connect timeout (s)",
            description="How long the server may take to let the user in before the run fails and is tried again",
            examples=[10],
            ge=2,
            le=120,
            json_schema_extra=group("Limits"),
        ),
    ] = 10

    @field_validator("ssl_root_cert")
    @classmethod
    def _is_a_certificate(cls, pem: str | None) -> str | None:
        if pem is not None and "-----BEGIN CERTIFICATE-----" not in pem:
            raise ValueError("must be a certificate in PEM form, from -----BEGIN CERTIFICATE----- on")
        return pem

    @property
    def namespace(self) -> str:
        """Namespace of the server's data sets, as OpenLineage names them."""
        return f"postgres://{self.host}:{self.port}"

    @property
    def root_cert_file(self) -> Path | None:
        """A file with the CA certificate for drivers that read it from one; None when none is configured."""
        return None if self.ssl_root_cert is None else _certificate_file(self.ssl_root_cert)

    def conninfo(self) -> str:
        """Return libpq's connection string; it holds the password, which is masked in logs and errors from now on."""
        password = self.password.get_secret_value()
        register_secret(password)
        certificate = self.root_cert_file
        return make_conninfo(
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.user,
            password=password,
            sslmode=self.ssl_mode,
            sslrootcert=None if certificate is None else str(certificate),
            application_name="nucleus",
            client_encoding="UTF8",
            connect_timeout=self.connect_timeout_seconds,
            tcp_user_timeout=_UNACKNOWLEDGED_MS,
            options=" ".join(f"-c {name}={value}" for name, value in SESSION_SETTINGS.items()),
            **_KEEPALIVE,
        )


class PostgresConfig(PostgresConnection):
    """How to reach the database that is read, and how it is read."""

    read_timeout_seconds: Annotated[
        float,
        Field(
            title="Read timeout (s)",
            description="How long a read may get nothing, e.g. while the server sorts, before it fails and is tried "
            "again",
            examples=[600],
            ge=1,
            le=86_400,
            json_schema_extra=group("Limits"),
        ),
    ] = 600
    fetch_megabytes: Annotated[
        int,
        Field(
            title="Fetch size (MiB)",
            description="About how much is decoded at once; four such batches may be in memory",
            examples=[16],
            ge=1,
            le=256,
            json_schema_extra=group("Limits"),
        ),
    ] = 16


class PostgresObject(EndpointModel):
    """What a unit reads: a table, or the rows of a query."""

    schema_: Annotated[
        Text,
        Field(
            alias="schema",
            title="Schema",
            description="Schema of the table",
            examples=["public"],
            json_schema_extra=group("Object"),
        ),
    ] = "public"
    table: Annotated[
        Text | None,
        Field(
            title="Table",
            description="A table, view, materialised view or foreign table; give it or a query",
            examples=["orders"],
            json_schema_extra=group("Object"),
        ),
    ] = None
    query: Annotated[
        str | None,
        Field(
            title="Query",
            description="One SELECT statement, in place of a table",
            examples=["SELECT o.id, o.changed_at, c.country FROM orders o JOIN customers c ON c.id = o.customer_id"],
            min_length=1,
            max_length=65_536,
            json_schema_extra=group("Object"),
        ),
    ] = None

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["table"]}, {"required": ["query"], "not": {"required": ["schema"]}}],
            "examples": [{"schema": "public", "table": "orders"}],
        }
    )

    @model_validator(mode="after")
    def _names_one_thing(self) -> PostgresObject:
        if (self.table is None) == (self.query is None):
            raise ValueError("give exactly one of table and query")
        if self.query is not None and "\x00" in self.query:
            raise ValueError("the query holds a zero character")
        if self.query is not None and "schema_" in self.model_fields_set:
            raise ValueError("a query names its schemas itself; remove schema, or give a table")
        return self

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.schema_}.{self.table}" if self.query is None else "the query"

    @property
    def field(self) -> str:
        """Field of the unit that names it."""
        return "source.object.table" if self.query is None else "source.object.query"


@functools.cache
def _certificate_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process alone, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="nucleus-certificates-")


@functools.cache
def _certificate_file(pem: str) -> Path:
    path = Path(_certificate_folder().name) / f"{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"
    path.write_text(pem, encoding="utf-8")
    return path
