"""Source ``jdbc_postgres``: one table or query of a PostgreSQL database, as a full or an incremental ordered read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.contracts import CheckStep
from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.endpoints.postgres_checks import connection_checks
from runtime_common.endpoints.postgres_collect import collect_tables
from runtime_common.endpoints.postgres_config import PostgresConfig, PostgresObject
from runtime_common.endpoints.postgres_preview import preview_object
from runtime_common.endpoints.postgres_read import PostgresRead
from runtime_common.exceptions import InternalError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import Check, Collected, ReadRequest, Sample
    from runtime_common.spark import SparkEngine


DESCRIPTOR = EndpointDescriptor(
    id="jdbc_postgres",
    title="PostgreSQL",
    vendor="postgres",
    description=(
        "Reads tables and queries of PostgreSQL 14 or later in one repeatable-read snapshot per run. Incremental reads "
        "are ordered by the cursor column, so the checkpoint may move after every slice. Large full reads may go "
        "through Spark, by several connections that share the snapshot. Types without an exact counterpart "
        "(numeric without precision, json, arrays, intervals and others) arrive as text."
    ),
    role="source",
    version="1",
    capabilities=("metadata.collect", "metadata.preview", "ingest.full", "ingest.incremental"),
    checks=(
        CheckStep(name="resolve", title="Resolve the server's name"),
        CheckStep(name="connect", title="Connect to the server"),
        CheckStep(name="authenticate", title="Log in to the database"),
        CheckStep(name="snapshot", title="Share a read-only snapshot"),
        CheckStep(name="tables", title="See tables that may be read"),
        CheckStep(name="read", title="Read a row"),
    ),
    config_model=PostgresConfig,
    object_model=PostgresObject,
)


class PostgresSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: PostgresConfig, spark: SparkEngine) -> None:
        self._config = config
        self._spark = spark
        register_secret(config.password.get_secret_value())

    def open(self, request: ReadRequest, cancellation: Cancellation) -> PostgresRead:
        """Connect and take the snapshot.

        Raises:
            SourceError: The server can't be reached, refuses the login, or lacks the object.
            ConfigurationError: The object is neither a table nor a query, or the cursor field can't be one.
        """
        return PostgresRead(
            self._config, _selected(request.object), request=request, cancellation=cancellation, spark=self._spark
        )

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        return connection_checks(self._config, cancellation)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return the rows that the server finds first; raises like :meth:`open`."""
        return preview_object(self._config, _selected(selected), limit=limit, cancellation=cancellation)

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        """Return the tables of the schemas in ``scope``, or of all; raises like :meth:`open`."""
        return collect_tables(self._config, scope, cancellation)


def _selected(given: Mapping[str, Any]) -> PostgresObject:
    return parse(PostgresObject, dict(given), prefix="source.object")


def _build(config: EndpointModel, services: EndpointServices) -> PostgresSource:
    if not isinstance(config, PostgresConfig):
        raise InternalError("jdbc_postgres was given the config of another endpoint")
    return PostgresSource(config, services.spark)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
