"""Sink ``parquet_files``: a folder of Parquet files per target, with commits that are whole or absent."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow.parquet as pq
from pydantic import Field, StringConstraints

from runtime_common.contracts import DatasetField, DatasetRef
from runtime_common.durable_files import sync_directory, sync_file
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.directory_checks import DIRECTORY_STEPS, directory_checks
from runtime_common.endpoints.parquet_manifests import INCOMING, Arrival, DataFile, FolderManifest, ManifestLog
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.endpoints.sink_turn import check_target, earlier_commit, openlineage_name
from runtime_common.exceptions import InternalError, SinkError, SinkSchemaError
from runtime_common.protocols import CommitRequest, RecordReader, SinkCommit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import Check

# Older than any attempt that could still be alive: what an attempt left behind that died before its commit.
_ORPHAN_SECONDS = 24 * 3600
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


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        advice = "free some space" if full else "check the directory and its rights"
        raise SinkError(
            f"{folder} can't be written: {error.strerror}; {advice}",
            code="SINK_DISK_FULL" if full else "SINK_NOT_WRITABLE",
            field=_FIELD,
            retryable=full,
        ) from None


class ParquetFilesSink:
    """See :class:`runtime_common.protocols.SinkEndpoint`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:  # noqa: ARG002 - none of them waits
        """Return the steps of the connection test."""
        return directory_checks(self._directory, field=_FIELD)

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's newest manifest as a commit, after finishing what a dead committer left open."""
        with _disk_errors(self._folder(target)):
            log = ManifestLog(self._folder(target))
            return self._last(log, log.newest(), unit_key, target)

    def may_have_forgotten(self, target: str) -> bool:
        """Return False: manifests are never removed."""
        check_target(target)
        return False

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the folder's state; None before the first commit."""
        with _disk_errors(self._folder(target)):
            newest = ManifestLog(self._folder(target)).newest()
        return None if newest is None else self._output(newest, target)

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit one slice; see the protocol."""
        folder = self._folder(request.target)
        with _disk_errors(folder):
            log = ManifestLog(folder)
            token = secrets.token_hex(8)
            try:
                arrivals = self._bring_in(folder, token, reader, cancellation)
                return self._commit(log, folder, request, reader, arrivals, cancellation)
            finally:
                _clean_up(log, folder / INCOMING, token)

    def _commit(
        self,
        log: ManifestLog,
        folder: Path,
        request: CommitRequest,
        reader: RecordReader,
        arrivals: list[Arrival],
        cancellation: Cancellation,
    ) -> SinkCommit:
        fields = _fields(reader)
        added = [
            DataFile(name=arrival.name, rows=part.rows, bytes=part.bytes, sha256=part.sha256)
            for arrival, part in zip(arrivals, reader.manifest.parts, strict=True)
        ]
        while True:
            cancellation.check()
            newest = log.newest()
            earlier = earlier_commit(
                request,
                self._last(log, newest, request.record.unit_key, request.target),
                partial(self._find, log, newest, request.target),
            )
            if earlier is not None:
                return earlier
            kept = list(newest.files) if newest is not None and request.write_mode == "append" else []
            if newest is not None and kept and newest.fields != fields:
                raise SinkSchemaError(
                    f"the columns of {folder} differ from those of the unit; choose another target or overwrite this",
                    field="unit.target",
                )
            manifest = FolderManifest(
                number=1 if newest is None else newest.number + 1,
                record=request.record,
                rows_written=reader.manifest.rows,
                fields=fields,
                files=kept + added,
                arrivals=arrivals,
                removed=[file.name for file in newest.files] if newest is not None and not kept else [],
            )
            if log.append(manifest):
                return self._as_commit(manifest, request.target)

    def _bring_in(self, folder: Path, token: str, reader: RecordReader, cancellation: Cancellation) -> list[Arrival]:
        """Put the slice's files on the sink's file system, by hard link where that is possible."""
        incoming = folder / INCOMING / token
        incoming.mkdir(parents=True)
        arrivals = []
        for path in reader.part_paths():
            cancellation.check()
            # The token keeps names of different attempts apart for ever, so a file never replaces another.
            target = incoming / f"{token}-{path.name}"
            try:
                os.link(path, target)
            except OSError as error:
                if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
                    raise
                shutil.copyfile(path, target)
                sync_file(target)
            arrivals.append(Arrival(folder=token, name=target.name))
        sync_directory(incoming)
        return arrivals

    def _folder(self, target: str) -> Path:
        return self._directory / check_target(target)

    def _last(self, log: ManifestLog, newest: FolderManifest | None, unit_key: str, target: str) -> SinkCommit | None:
        for manifest in log.backwards(newest):
            if manifest.record.unit_key == unit_key:
                return self._as_commit(manifest, target)
        return None

    def _find(self, log: ManifestLog, newest: FolderManifest | None, target: str, batch_id: str) -> SinkCommit | None:
        for manifest in log.backwards(newest):
            if manifest.record.batch_id == batch_id:
                return self._as_commit(manifest, target)
        return None

    def _as_commit(self, manifest: FolderManifest, target: str) -> SinkCommit:
        return SinkCommit(
            record=manifest.record, rows_written=manifest.rows_written, output=self._output(manifest, target)
        )

    def _output(self, manifest: FolderManifest, target: str) -> DatasetRef:
        namespace, name = openlineage_name(str(self._directory), target)
        version = f"{manifest.number:08d}-{manifest.record.batch_id}"
        return DatasetRef(namespace=namespace, name=name, version=version, fields=manifest.fields)


def _fields(reader: RecordReader) -> list[DatasetField]:
    schema = pq.read_schema(reader.part_paths()[0])
    return [DatasetField(name=field.name, type=str(field.type)) for field in schema]


def _clean_up(log: ManifestLog, incoming: Path, token: str) -> None:
    """Remove this attempt's folder and those of dead attempts, but never one that the newest manifest names.

    A commit may fail between its manifest and the move of its files: from then on the folder holds the only copy of
    committed rows. Cleaning up is no part of the commit, so its own failures change nothing.
    """
    try:
        named = log.newest_arrival_folders()
        folders = list(incoming.iterdir())
    except (OSError, SinkError):
        return
    for folder in folders:
        # Another attempt may finish and remove its own folder at this very moment.
        with suppress(OSError):
            if folder.name in named:
                continue
            if folder.name == token or time.time() - folder.stat().st_mtime > _ORPHAN_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _build(config: EndpointModel, services: EndpointServices) -> ParquetFilesSink:  # noqa: ARG001
    if not isinstance(config, ParquetFilesConfig):
        raise InternalError("parquet_files was given the config of another endpoint")
    return ParquetFilesSink(Path(config.directory))


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
