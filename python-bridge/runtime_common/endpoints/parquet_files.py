"""Sink ``parquet_files``: a folder of Parquet files per target, with commits that are whole or absent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.directory_checks import DIRECTORY_STEPS, directory_checks
from runtime_common.endpoints.parquet_folder import ParquetFolderSink
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.exceptions import InternalError
from runtime_common.local_files import LocalFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import Check

_FIELD = "sink.config.directory"


class ParquetFilesConfig(EndpointModel):
    """Where the folders are."""

    directory: Annotated[
        str,
        StringConstraints(pattern=r"^/.+"),
        Field(
            title="Directory",
            description="Absolute path on the worker's machine; made when missing",
            examples=["/srv/nucleus/files"],
            json_schema_extra=group("Location"),
        ),
    ]


DESCRIPTOR = EndpointDescriptor(
    id="parquet_files",
    title="Parquet files",
    vendor="parquet",
    description=(
        "Writes one folder of Parquet files per target; at rest `<target>/*.parquet` is exactly what was committed."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=DIRECTORY_STEPS,
    write_modes=("append", "overwrite"),
    delivery_guarantee=(
        "Effectively once: each slice is one manifest, created exclusively, that carries the batch id; "
        "a repeated slice changes nothing."
    ),
    config_model=ParquetFilesConfig,
)


class ParquetFilesSink(ParquetFolderSink):
    """Folders of this machine."""

    def __init__(self, directory: Path) -> None:
        super().__init__(LocalFiles(directory), location=str(directory), config_field=_FIELD)
        self._directory = directory

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:  # noqa: ARG002 - none of them waits
        """Return the steps of the connection test."""
        return directory_checks(self._directory, field=_FIELD)


def _build(config: EndpointModel, services: EndpointServices) -> ParquetFilesSink:  # noqa: ARG001
    if not isinstance(config, ParquetFilesConfig):
        raise InternalError("parquet_files was given the config of another endpoint")
    return ParquetFilesSink(Path(config.directory))


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
