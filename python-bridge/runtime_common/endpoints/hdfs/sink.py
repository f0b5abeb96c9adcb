"""Sink ``hdfs_parquet``: a folder of Parquet files per target on HDFS, by the commit rule of ``parquet_files``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.hdfs.files import HadoopFiles
from runtime_common.endpoints.iceberg_checks import WAREHOUSE_STEPS, RemoteWarehouse
from runtime_common.endpoints.parquet_folder import ParquetFolderSink
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.exceptions import InternalError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.spark import SparkEngine

_FIELD = "sink.config.url"


class HdfsParquetConfig(EndpointModel):
    """Where the folders are."""

    url: Annotated[
        str,
        StringConstraints(pattern=r"^hdfs://[^/?#]+(/[^/?#]+)+/?$"),
        Field(
            title="URL",
            description="Directory as hdfs://host:port/path; made when missing",
            examples=["hdfs://namenode:8020/lake"],
            json_schema_extra=group("Location"),
        ),
    ]


DESCRIPTOR = EndpointDescriptor(
    id="hdfs_parquet",
    title="Parquet files on HDFS",
    vendor="hdfs",
    description=(
        "Writes one folder of Parquet files per target on HDFS; at rest `<target>/*.parquet` is exactly what was "
        "committed."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=WAREHOUSE_STEPS,
    write_modes=("append", "overwrite"),
    delivery_guarantee=(
        "Effectively once: each slice is one manifest, created exclusively, that carries the batch id; "
        "a repeated slice changes nothing."
    ),
    config_model=HdfsParquetConfig,
)


class HdfsParquetSink(ParquetFolderSink):
    """Folders of HDFS."""

    def __init__(self, url: str, engine: SparkEngine) -> None:
        files = HadoopFiles(engine, url, scratch=lambda: Path(tempfile.gettempdir()))
        super().__init__(files, location=url, config_field=_FIELD)
        self._url = url
        self._engine = engine

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        remote = RemoteWarehouse(self._url, self._engine, cancellation, field=_FIELD)
        return (
            Check(name="catalog", run=remote.reach),
            Check(name="write", run=remote.write, needs=("catalog",)),
        )


def _build(config: EndpointModel, services: EndpointServices) -> HdfsParquetSink:
    if not isinstance(config, HdfsParquetConfig):
        raise InternalError("hdfs_parquet was given the config of another endpoint")
    return HdfsParquetSink(config.url, services.spark)


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
