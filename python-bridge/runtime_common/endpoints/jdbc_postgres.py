"""Source ``jdbc_postgres``: one table of a PostgreSQL database, as a full or an incremental ordered read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import Field, SecretStr, StringConstraints

from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.postgres_errors import connection_error
from runtime_common.endpoints.postgres_read import PostgresRead
from runtime_common.exceptions import InternalError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import ReadRequest

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class PostgresConfig(EndpointModel):
    """How to reach the database."""

    host: Annotated[Text, Field(title="Host", description="Name or address of the server")]
    port: Annotated[int, Field(title="Port", ge=1, le=65535)] = 5432
    database: Annotated[Text, Field(title="Database")]
    user: Annotated[Text, Field(title="User", description="A role that may read the tables; it needs no other right")]
    password: Annotated[SecretStr, Field(title="Password")]
    ssl_mode: Annotated[
        Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        Field(title="TLS mode", description="As libpq's sslmode"),
    ] = "prefer"


class PostgresObject(EndpointModel):
    """What a unit reads."""

    schema_: Annotated[Text, Field(alias="schema", title="Schema")] = "public"
    table: Annotated[Text, Field(title="Table", description="A table, view or foreign table")]


DESCRIPTOR = EndpointDescriptor(
    id="jdbc_postgres",
    title="PostgreSQL",
    vendor="postgres",
    description=(
        "Reads tables of PostgreSQL 14 or later in one repeatable-read snapshot per run. Incremental reads are ordered "
        "by the cursor column, so the checkpoint may move after every slice. Types without an exact counterpart "
        "(numeric without precision, json, arrays, intervals and others) arrive as text."
    ),
    role="source",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    config_model=PostgresConfig,
    object_model=PostgresObject,
)


class PostgresSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: PostgresConfig) -> None:
        self._config = config
        password = config.password.get_secret_value()
        register_secret(password)
        self._conninfo = make_conninfo(
            host=config.host,
            port=config.port,
            dbname=config.database,
            user=config.user,
            password=password,
            sslmode=config.ssl_mode,
            application_name="nucleus",
            connect_timeout=10,
            # A peer that vanished without a word is noticed within about a minute.
            keepalives=1,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            # UTC makes text forms canonical; the rest keeps a role's own settings from changing them.
            options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c extra_float_digits=1",
        )

    def open(self, request: ReadRequest, cancellation: Cancellation) -> PostgresRead:
        """Connect and take the snapshot.

        Raises:
            SourceError: The server can't be reached, refuses the login, or lacks the object.
            ConfigurationError: The object is no valid ``{schema, table}``.
        """
        target = parse(PostgresObject, dict(request.object), prefix="source.object")
        try:
            connection = psycopg.connect(self._conninfo)
        except psycopg.Error as error:
            failure = connection_error(error, host=self._config.host, port=self._config.port)
        else:
            return PostgresRead.open(
                connection,
                conninfo=self._conninfo,
                schema_name=target.schema_,
                table=target.table,
                namespace=f"postgres://{self._config.host}:{self._config.port}",
                database=self._config.database,
                request=request,
                cancellation=cancellation,
            )
        raise failure


def _build(config: EndpointModel, services: EndpointServices) -> PostgresSource:  # noqa: ARG001
    if not isinstance(config, PostgresConfig):
        raise InternalError("jdbc_postgres was given the config of another endpoint")
    return PostgresSource(config)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
