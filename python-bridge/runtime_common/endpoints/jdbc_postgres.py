"""Source ``jdbc_postgres``: one table of a PostgreSQL database, as a full or an incremental ordered read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import psycopg
from pydantic import Field

from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.postgres_config import PostgresConfig, Text
from runtime_common.endpoints.postgres_errors import connection_error
from runtime_common.endpoints.postgres_read import PostgresRead
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import ReadRequest


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
        self._conninfo = config.conninfo()

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
                namespace=self._config.namespace,
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
