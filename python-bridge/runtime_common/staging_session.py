"""One slice in a local directory: its place, its marks, and what makes it whole or absent."""

from __future__ import annotations

import errno
import logging
import secrets
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import ValidationError

from runtime_common.durable_files import create_exclusively, replace_file, sync_directory
from runtime_common.exceptions import InternalError, StagingError
from runtime_common.failpoints import failpoint
from runtime_common.protocols import IngestionContext, SliceManifest, StagedPart
from runtime_common.staging_parts import PartReader, PartWriter, file_hash, staging_disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)
_SUCCESS = "_SUCCESS"
_MANIFEST = "manifest.json"


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
            intact = all(self._is_intact(part) for part in [*manifest.parts, *manifest.rejected_parts])
        except (OSError, ValidationError):
            intact = False
        if not intact:
            _log.warning("a staged slice is damaged and will be fetched again", extra={"data": {"session": self.id}})
            return None
        self._verified = manifest
        return manifest

    def _is_intact(self, part: StagedPart) -> bool:
        path = self._directory / part.name
        return path.stat().st_size == part.bytes and file_hash(path) == part.sha256

    def writer(self) -> PartWriter:
        """Start writing, in a directory of this attempt alone; whatever unusable slice is in the way is removed."""
        self.discard()
        fence, attempt = self._context.fence
        directory = self._group / f"attempt-{fence}-{attempt}-{secrets.token_hex(6)}"
        with staging_disk_errors():
            directory.mkdir()
        return PartWriter(directory, seal_as=self._publish)

    def _publish(self, directory: Path, manifest: SliceManifest) -> None:
        with staging_disk_errors():
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
        with staging_disk_errors():
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
