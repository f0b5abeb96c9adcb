"""One slice in a local directory: its writer, its reader, its marks."""

from __future__ import annotations

import errno
import logging
import secrets
import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from runtime_common.durable_files import create_exclusively, replace_file, sync_directory, sync_file
from runtime_common.exceptions import InternalError, StagingError
from runtime_common.failpoints import failpoint
from runtime_common.protocols import IngestionContext, SliceManifest, SliceSeal, StagedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)
_SUCCESS = "_SUCCESS"
_MANIFEST = "manifest.json"
# Large enough for Parquet to compress and skip well, small enough to keep a few of them in memory.
_ROW_GROUP_ROWS = 128 * 1024
# Wide rows reach this first; in memory, before compression.
_ROW_GROUP_BYTES = 64 * 1024 * 1024
_PART_BYTES = 256 * 1024 * 1024
_HASH_CHUNK_BYTES = 1024 * 1024


def _file_hash(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turn what the file system says into a typed error."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        advice = "free some space under STAGING_ROOT" if full else "check STAGING_ROOT"
        raise StagingError(
            f"the staging area can't be written: {error.strerror}; {advice}",
            code="STAGING_DISK_FULL" if full else "STAGING_FAILED",
        ) from None


class LocalDirectorySession:
    """A slice's place in the staging area; see :mod:`runtime_common.staging` for the layout."""

    def __init__(self, group: Path, *, context: IngestionContext, release: Callable[[], None], unit_label: str) -> None:
        self.id = f"{unit_label}/{group.name}/slice-{context.slice_index:05d}"
        self._group = group
        self._directory = group / f"slice-{context.slice_index:05d}"
        self._landed = self._directory / f"_LANDED.{sha256(context.sink_key.encode()).hexdigest()[:16]}"
        self._context = context
        self._release = release
        self._verified: SliceManifest | None = None

    def staged(self) -> SliceManifest | None:
        """Return the manifest of a complete, intact slice that this sink has not taken yet.

        What an earlier attempt left is read back and its checksums are verified; a damaged slice counts as absent.
        """
        if self._verified is not None:
            return self._verified
        if not (self._directory / _SUCCESS).exists() or self._landed.exists():
            return None
        try:
            manifest = SliceManifest.model_validate_json((self._directory / _MANIFEST).read_bytes())
            intact = all(self._is_intact(part) for part in manifest.parts)
        except (OSError, ValidationError):
            intact = False
        if not intact:
            _log.warning("a staged slice is damaged and will be fetched again", extra={"data": {"session": self.id}})
            return None
        self._verified = manifest
        return manifest

    def _is_intact(self, part: StagedPart) -> bool:
        path = self._directory / part.name
        return path.stat().st_size == part.bytes and _file_hash(path) == part.sha256

    def writer(self) -> PartWriter:
        """Start writing, in a directory of this attempt alone; whatever unusable slice is in the way is removed."""
        self.discard()
        fence, attempt = self._context.fence
        directory = self._group / f"attempt-{fence}-{attempt}-{secrets.token_hex(6)}"
        with _disk_errors():
            directory.mkdir()
        return PartWriter(directory, seal_as=self._publish)

    def _publish(self, directory: Path, manifest: SliceManifest) -> None:
        with _disk_errors():
            replace_file(directory / _MANIFEST, manifest.model_dump_json(by_alias=True).encode())
            failpoint("staging.before-success")
            create_exclusively(directory / _SUCCESS, b"")
        try:
            directory.rename(self._directory)
        except OSError as error:
            if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
                raise StagingError(
                    "another attempt staged this slice first; the next attempt continues from it",
                    code="STAGING_CONFLICT",
                ) from None
            raise StagingError(f"the staging area can't be written: {error.strerror}; check STAGING_ROOT") from None
        sync_directory(self._group)
        failpoint("staging.after-success")
        self._verified = manifest

    def reader(self) -> PartReader:
        """Return a reader of the sealed slice.

        Raises:
            InternalError: The slice is not sealed.
        """
        manifest = self.staged()
        if manifest is None:
            raise InternalError("a slice was read before it was sealed")
        return PartReader(self._directory, manifest)

    def mark_landed(self) -> None:
        """Record that the sink has the slice; a second mark changes nothing."""
        with _disk_errors():
            create_exclusively(self._landed, b"")

    def discard(self) -> None:
        """Remove the slice; the rename makes it vanish at once even if deleting takes long."""
        self._verified = None
        trash = self._group / f".discarded-{secrets.token_hex(6)}"
        try:
            self._directory.rename(trash)
        except FileNotFoundError:
            return
        shutil.rmtree(trash, ignore_errors=True)

    def close(self) -> None:
        """Give the lease up; sealed data stays until its TTL."""
        self._release()


class PartWriter:
    """Writes Parquet parts of one attempt."""

    def __init__(self, directory: Path, *, seal_as: Callable[[Path, SliceManifest], None]) -> None:
        self._directory = directory
        self._seal_as = seal_as
        self._parts: list[StagedPart] = []
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._file: pa.NativeFile | None = None
        self._rows_in_part = 0

    def write_batch(self, batch: pa.RecordBatch | Iterable[Mapping[str, Any]]) -> None:
        """Append rows; small batches are gathered into row groups of a useful size."""
        if isinstance(batch, pa.RecordBatch):
            self._gather(batch)
        else:
            for gathered in pa.Table.from_pylist([dict(row) for row in batch]).to_batches():
                self._gather(gathered)

    def _gather(self, batch: pa.RecordBatch) -> None:
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= _ROW_GROUP_ROWS or self._pending_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        table = pa.Table.from_batches(self._pending)
        self._pending = []
        self._pending_rows = 0
        self._pending_bytes = 0
        with _disk_errors():
            if self._writer is None:
                path = self._directory / self._part_name()
                self._file = pa.OSFile(str(path), "wb")
                self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd", compression_level=1)
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
            self._rows_in_part += table.num_rows
            if self._file is not None and self._file.tell() >= _PART_BYTES:
                self._finish_part()

    def _part_name(self) -> str:
        return f"part-{len(self._parts):05d}.parquet"

    def _finish_part(self) -> None:
        if self._writer is None or self._file is None:
            return
        self._writer.close()
        self._file.close()
        path = self._directory / self._part_name()
        sync_file(path)
        self._parts.append(
            StagedPart(name=path.name, rows=self._rows_in_part, bytes=path.stat().st_size, sha256=_file_hash(path))
        )
        self._writer = None
        self._file = None
        self._rows_in_part = 0

    def seal(self, seal: SliceSeal) -> SliceManifest:
        """Close the last part, write the manifest and `_SUCCESS`, and give the directory its final name.

        Raises:
            StagingError: The disk fails, or another attempt sealed this slice first.
        """
        self._flush()
        with _disk_errors():
            self._finish_part()
        manifest = SliceManifest(**dict(seal), parts=self._parts)
        self._seal_as(self._directory, manifest)
        return manifest

    def abort(self) -> None:
        """Remove what was written; sealed slices are not touched."""
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._directory, ignore_errors=True)


class PartReader:
    """Reads the Parquet parts of a sealed slice."""

    def __init__(self, directory: Path, manifest: SliceManifest) -> None:
        self._directory = directory
        self.manifest = manifest

    def iter_batches(self, chunk_size: int) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most ``chunk_size`` rows."""
        for path in self.part_paths():
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(batch_size=chunk_size)

    def part_paths(self) -> Sequence[Path]:
        """Return the files in the order they were written."""
        return [self._directory / part.name for part in self.manifest.parts]
