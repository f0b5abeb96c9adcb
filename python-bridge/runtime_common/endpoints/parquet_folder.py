"""A folder of Parquet files per target, with commits that are whole or absent, over any store of files."""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from runtime_common.contracts import DatasetField, DatasetRef
from runtime_common.endpoints.parquet_columns import FolderColumns, columns_after
from runtime_common.endpoints.parquet_manifests import INCOMING, Arrival, DataFile, FolderManifest, ManifestLog
from runtime_common.endpoints.sink_turn import check_target, earlier_commit, openlineage_name
from runtime_common.exceptions import IngestionError, SinkError
from runtime_common.file_store import is_full, is_unreachable
from runtime_common.protocols import CommitRequest, RecordReader, SinkCommit
from runtime_common.staging_parts import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_common.cancellation import Cancellation
    from runtime_common.file_store import SinkFileStore

_log = logging.getLogger(__name__)
# Older than any attempt that could still be alive: what an attempt left behind that died before its commit.
_ORPHAN_SECONDS = 24 * 3600
_CHUNK_ROWS = 64 * 1024


class ParquetFolderSink:
    """See :class:`runtime_common.protocols.SinkEndpoint`.

    Args:
        files: The store; each target is a folder below its root.
        location: Directory or URL of the root.
        config_field: Where the user has set it, for errors.
    """

    def __init__(self, files: SinkFileStore, *, location: str, config_field: str) -> None:
        self._files = files
        self._location = location
        self._config_field = config_field

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's newest manifest as a commit, after finishing what a dead committer left open."""
        folder = PurePosixPath(check_target(target))
        with self._store_errors(folder):
            log = ManifestLog(self._files, folder)
            return self._last(log, log.newest(), unit_key, target)

    def may_have_forgotten(self, target: str) -> bool:
        """Return False: manifests are never removed."""
        check_target(target)
        return False

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the folder's state; None before the first commit."""
        folder = PurePosixPath(check_target(target))
        with self._store_errors(folder):
            newest = ManifestLog(self._files, folder).newest()
        return None if newest is None else self._output(newest, target)

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit one slice; see the protocol.

        Raises:
            SinkSchemaError: The columns differ in a way that ``request.schema_change`` does not allow.
            StagingError: A file of the slice is gone or cut short; nothing was committed.
        """
        folder = PurePosixPath(check_target(request.target))
        with self._store_errors(folder):
            log = ManifestLog(self._files, folder)
            arriving = _ArrivingFiles(self._files, folder, reader, cancellation)
            try:
                return self._commit(log, folder, request, reader, arriving, cancellation)
            finally:
                arriving.clean_up(log)

    def _commit(
        self,
        log: ManifestLog,
        folder: PurePosixPath,
        request: CommitRequest,
        reader: RecordReader,
        arriving: _ArrivingFiles,
        cancellation: Cancellation,
    ) -> SinkCommit:
        fields = [DatasetField(name=field.name, type=str(field.type)) for field in reader.schema()]
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
            columns = FolderColumns(fields=fields)
            if newest is not None and kept:
                where = self._files.location(folder)
                columns = columns_after(newest.fields, fields, policy=request.schema_change, where=where)
            added = arriving.without(columns.left_out)
            manifest = FolderManifest(
                number=1 if newest is None else newest.number + 1,
                record=request.record,
                rows_written=reader.manifest.rows,
                fields=columns.fields,
                files=kept + added,
                arrivals=[Arrival(folder=arriving.token, name=file.name) for file in added],
                removed=[file.name for file in newest.files] if newest is not None and not kept else [],
                left_out=list(columns.left_out),
            )
            if log.append(manifest):
                if columns.left_out:
                    _log.warning(
                        "columns that the target does not have were left out",
                        extra={"data": {"target": request.target, "columns": list(columns.left_out)}},
                    )
                return self._as_commit(manifest, request.target)

    @contextmanager
    def _store_errors(self, folder: PurePosixPath) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(
                f"{self._files.location(folder)} can't be written: {error.strerror}; {_advice(error)}",
                code=_code(error),
                field=self._config_field,
                retryable=is_full(error) or is_unreachable(error),
            ) from None

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
        namespace, name = openlineage_name(self._location, target)
        version = f"{manifest.number:08d}-{manifest.record.batch_id}"
        return DatasetRef(namespace=namespace, name=name, version=version, fields=manifest.fields)


def _code(error: OSError) -> str:
    if is_full(error):
        return "SINK_DISK_FULL"
    return "SINK_UNREACHABLE" if is_unreachable(error) else "SINK_NOT_WRITABLE"


def _advice(error: OSError) -> str:
    if is_full(error):
        return "free some space"
    return "check that it runs" if is_unreachable(error) else "check the directory and its rights"


class _ArrivingFiles:
    """The files of one commit on their way into the folder."""

    def __init__(
        self, files: SinkFileStore, folder: PurePosixPath, reader: RecordReader, cancellation: Cancellation
    ) -> None:
        self._files = files
        self._incoming = folder / INCOMING
        self._reader = reader
        self._cancellation = cancellation
        # It keeps names of different attempts apart for ever, so a file never replaces another.
        self.token = secrets.token_hex(8)
        self._brought: dict[tuple[str, ...], list[DataFile]] = {}

    def without(self, left_out: tuple[str, ...]) -> list[DataFile]:
        """Return the slice's files without some columns, brought to the sink's store; a second call repeats nothing.

        Raises:
            StagingError: A file of the slice is gone or cut short.
        """
        if left_out not in self._brought:
            folder = self._incoming / self.token
            self._files.make_directory(folder)
            number = len(self._brought)
            bring = partial(self._rewritten, left_out) if left_out else self._as_they_are
            self._brought[left_out] = list(bring(folder, f"{self.token}-{number}" if number else self.token))
            self._files.sync(folder)
        return self._brought[left_out]

    def _as_they_are(self, folder: PurePosixPath, prefix: str) -> Iterator[DataFile]:
        parts = self._reader.manifest.parts
        for source, part in zip(self._files.sources(self._reader), parts, strict=True):
            self._cancellation.check()
            target = folder / f"{prefix}-{part.name}"
            try:
                self._files.bring_in(source, target)
            except FileNotFoundError:
                raise damaged() from None
            arrived = self._files.entry(target)
            # A part that somebody has cut short since it was sealed must not become a commit.
            if arrived is None or arrived.size != part.bytes:
                raise damaged()
            yield DataFile(name=target.name, rows=part.rows, bytes=part.bytes, sha256=part.sha256)

    def _rewritten(self, left_out: tuple[str, ...], folder: PurePosixPath, prefix: str) -> Iterator[DataFile]:
        kept = [name for name in self._reader.schema().names if name not in left_out]
        file = self._files.new_file(folder / f"{prefix}-part-00000.parquet")
        try:
            with pq.ParquetWriter(
                file.stream, self._reader.schema().empty_table().select(kept).schema, compression="zstd"
            ) as writer:
                for batch in self._reader.iter_batches(_CHUNK_ROWS):
                    self._cancellation.check()
                    writer.write_batch(batch.select(kept))
            stored = file.finish()
        except BaseException:
            file.abandon()
            raise
        yield DataFile(
            name=f"{prefix}-part-00000.parquet",
            rows=self._reader.manifest.rows,
            bytes=stored.size,
            sha256=stored.sha256,
        )

    def clean_up(self, log: ManifestLog) -> None:
        """Remove this attempt's folder and those of dead attempts, but never one that the newest manifest names.

        A commit may fail between its manifest and the move of its files: from then on the folder holds the only copy
        of committed rows. Cleaning up is no part of the commit, so its own failures change nothing.
        """
        try:
            named = log.newest_arrival_folders()
            folders = self._files.entries(self._incoming)
        except (OSError, IngestionError):
            return
        for folder in folders:
            if folder.name in named:
                continue
            if folder.name == self.token or time.time() - folder.modified_at > _ORPHAN_SECONDS:
                # Another attempt may finish and remove its own folder at this very moment.
                with suppress(OSError, IngestionError):
                    self._files.remove(self._incoming / folder.name)
