"""Sink ``iceberg``: Apache Iceberg tables in a Hadoop catalog, written by Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.iceberg_catalog import hadoop_catalog
from runtime_common.endpoints.iceberg_checks import WAREHOUSE_STEPS, warehouse_checks
from runtime_common.endpoints.iceberg_tables import IcebergTables
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.exceptions import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import Check
    from runtime_common.spark import SparkEngine


class IcebergConfig(EndpointModel):
    """Where the tables are."""

    warehouse: Annotated[
        str,
        StringConstraints(pattern=r"^(/|[a-z][a-z0-9+.-]*:/).+"),
        Field(
            title="Warehouse",
            description="Absolute directory, or a URL that Spark can write to",
            examples=["/srv/nucleus/warehouse", "hdfs://namenode.example.com:8020/warehouse"],
            json_schema_extra=group("Location"),
        ),
    ]
    namespace: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"),
        Field(
            title="Namespace",
            description="Namespace of the tables, which is a folder of the warehouse",
            examples=["nucleus"],
            json_schema_extra=group("Location"),
        ),
    ] = "nucleus"


DESCRIPTOR = EndpointDescriptor(
    id="iceberg",
    title="Apache Iceberg",
    vendor="iceberg",
    description=(
        "Writes Apache Iceberg tables (format 2) by Spark: merge by primary key, append, or replace all rows at once."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=WAREHOUSE_STEPS,
    write_modes=("append", "merge", "overwrite"),
    delivery_guarantee=(
        "Effectively once: run and batch id are part of each snapshot, which is published only if the table has not "
        "moved since it was prepared; a repeated slice changes nothing."
    ),
    config_model=IcebergConfig,
)


class IcebergSink(IcebergTables):
    """Tables of a directory, which is its own catalog."""

    def __init__(self, config: IcebergConfig, engine: SparkEngine) -> None:
        super().__init__(hadoop_catalog(config.warehouse, config.namespace), engine)
        self._warehouse = config.warehouse

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        return warehouse_checks(self._warehouse, self._engine, cancellation)


def _build(config: EndpointModel, services: EndpointServices) -> IcebergSink:
    if not isinstance(config, IcebergConfig):
        raise InternalError("iceberg was given the config of another endpoint")
    return IcebergSink(config, services.spark)


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
