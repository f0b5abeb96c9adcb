"""One slice in a staging directory: its place, its marks, and what makes it whole or absent."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import ValidationError

from runtime_common.exceptions import IngestionError, InternalError, StagingError
from runtime_common.failpoints import failpoint
from runtime_common.file_store import StoredFile
from runtime_common.protocols import IngestionContext, SliceManifest, StagedPart
from runtime_common.staging_parts import PartReader, PartWriter, staging_disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from runtime_common.file_store import FileStore

_log = logging.getLogger(__name__)
_SUCCESS = "_SUCCESS"
_MANIFEST = "manifest.json"


class DirectorySession:
    """A slice's place in the staging area; see :mod:`runtime_common.staging` for the layout."""

    def __init__(
        self, files: FileStore, group: PurePosixPath, *, context: IngestionContext, release: Callable[[], None]
    ) -> None:
        self._files = files
        self._group = group
        self._directory = group / f"slice-{context.slice_index:05d}"
        self.id = str(self._directory)
        self._landed = self._directory / f"_LANDED.{sha256(context.sink_key.encode()).hexdigest()[:16]}"
        self._context = context
        self._release = release
        self._verified: SliceManifest | None = None

    def staged(self) -> SliceManifest | None:
        """Return the manifest of a complete, intact slice that this sink has not taken yet.

        What an earlier attempt left is read back and its checksums are verified; a damaged slice counts as absent.

        Raises:
            StagingError: The staging area can't be asked.
        """
        if self._verified is not None:
            return self._verified
        with staging_disk_errors():
            if self._files.entry(self._directory / _SUCCESS) is None or self._files.entry(self._landed) is not None:
                return None
        try:
            manifest = SliceManifest.model_validate_json(self._files.read(self._directory / _MANIFEST))
            intact = all(self._is_intact(part) for part in [*manifest.parts, *manifest.rejected_parts])
        except (OSError, ValidationError):
            intact = False
        if not intact:
            _log.warning("a staged slice is damaged and will be fetched again", extra={"data": {"session": self.id}})
            return None
        self._verified = manifest
        return manifest

    def _is_intact(self, part: StagedPart) -> bool:
        return self._files.is_intact(self._directory / part.name, StoredFile(size=part.bytes, sha256=part.sha256))

    def writer(self) -> PartWriter:
        """Start writing, in a directory of this attempt alone; whatever unusable slice is in the way is removed."""
        self.discard()
        fence, attempt = self._context.fence
        directory = self._group / f"attempt-{fence}-{attempt}-{secrets.token_hex(6)}"
        with staging_disk_errors():
            self._files.make_directory(directory)
        return PartWriter(self._files, directory, seal_as=self._publish)

    def _publish(self, directory: PurePosixPath, manifest: SliceManifest) -> None:
        with staging_disk_errors():
            self._files.create(directory / _MANIFEST, manifest.model_dump_json(by_alias=True).encode())
            failpoint("staging.before-success")
            self._files.create(directory / _SUCCESS, b"")
            try:
                self._files.rename(directory, self._directory)
            except FileExistsError:
                raise StagingError(
                    "another attempt staged this slice first; the next attempt continues from it",
                    code="STAGING_CONFLICT",
                ) from None
            self._files.sync(self._group)
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
        return PartReader(self._files, self._directory, manifest)

    def mark_landed(self) -> None:
        """Record that the sink has the slice; a second mark changes nothing."""
        with staging_disk_errors():
            self._files.create(self._landed, b"")

    def discard(self) -> None:
        """Remove the slice; the rename makes it vanish at once even if deleting takes long."""
        self._verified = None
        trash = self._group / f".discarded-{secrets.token_hex(6)}"
        with staging_disk_errors():
            try:
                self._files.rename(self._directory, trash)
            except FileNotFoundError:
                return
        with suppress(OSError, IngestionError):
            self._files.remove(trash)

    def close(self) -> None:
        """Give the lease up; sealed data stays until its TTL, copies of it on this machine do not."""
        with suppress(OSError, IngestionError):
            self._files.forget(self._directory)
        self._release()
