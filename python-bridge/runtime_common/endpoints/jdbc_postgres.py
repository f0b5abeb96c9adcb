"""Source ``jdbc_postgres``: one table or query of a PostgreSQL database, as a full or an incremental ordered read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.postgres_config import PostgresConfig, PostgresObject
from runtime_common.endpoints.postgres_read import PostgresRead
from runtime_common.exceptions import InternalError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import ReadRequest


DESCRIPTOR = EndpointDescriptor(
    id="jdbc_postgres",
    title="PostgreSQL",
    vendor="postgres",
    description=(
        "Reads tables and queries of PostgreSQL 14 or later in one repeatable-read snapshot per run. Incremental reads "
        "are ordered by the cursor column, so the checkpoint may move after every slice. Types without an exact "
        "counterpart (numeric without precision, json, arrays, intervals and others) arrive as text."
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
        register_secret(config.password.get_secret_value())

    def open(self, request: ReadRequest, cancellation: Cancellation) -> PostgresRead:
        """Connect and take the snapshot.

        Raises:
            SourceError: The server can't be reached, refuses the login, or lacks the object.
            ConfigurationError: The object is neither a table nor a query, or the cursor field can't be one.
        """
        selected = parse(PostgresObject, dict(request.object), prefix="source.object")
        return PostgresRead(self._config, selected, request=request, cancellation=cancellation)


def _build(config: EndpointModel, services: EndpointServices) -> PostgresSource:  # noqa: ARG001
    if not isinstance(config, PostgresConfig):
        raise InternalError("jdbc_postgres was given the config of another endpoint")
    return PostgresSource(config)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
