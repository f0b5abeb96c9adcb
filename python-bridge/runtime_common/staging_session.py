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
LANDED_PREFIX = "_LANDED."
"""Of the marks in a slice; what follows is :func:`sink_name`."""


def sink_name(sink_key: str) -> str:
    """Return the name of a sink in marks."""
    return sha256(sink_key.encode()).hexdigest()[:16]


class DirectorySession:
    """A slice's place in the staging area; see :mod:`runtime_common.staging` for the layout."""

    def __init__(
        self, files: FileStore, group: PurePosixPath, *, context: IngestionContext, release: Callable[[], None]
    ) -> None:
        self._files = files
        self._group = group
        self._directory = group / f"slice-{context.slice_index:05d}"
        self.id = str(self._directory)
        self._landed = self._directory / f"{LANDED_PREFIX}{sink_name(context.sink_key)}"
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
            if self._files.entry(self._landed) is not None:
                return None
        self._verified = self._intact_slice()
        return self._verified

    def _intact_slice(self) -> SliceManifest | None:
        with staging_disk_errors():
            if self._files.entry(self._directory / _SUCCESS) is None:
                return None
        try:
            manifest = SliceManifest.model_validate_json(self._files.read(self._directory / _MANIFEST))
            intact = all(self._is_intact(part) for part in [*manifest.parts, *manifest.rejected_parts])
        except (OSError, ValidationError):
            intact = False
        if not intact:
            _log.warning("a staged slice is damaged and will be fetched again", extra={"data": {"session": self.id}})
            return None
        return manifest

    def _is_intact(self, part: StagedPart) -> bool:
        return self._files.is_intact(self._directory / part.name, StoredFile(size=part.bytes, sha256=part.sha256))

    def writer(self) -> PartWriter:
        """Start writing, in a directory of this attempt alone; a slice that is in the way is dealt with at the end."""
        self._verified = None
        fence, attempt = self._context.fence
        directory = self._group / f"attempt-{fence}-{attempt}-{secrets.token_hex(6)}"
        with staging_disk_errors():
            self._files.make_directory(directory)
        return PartWriter(
            self._files,
            directory,
            sink_key=self._context.sink_key,
            fence=self._context.fence,
            seal_as=self._publish,
        )

    def _publish(self, directory: PurePosixPath, manifest: SliceManifest) -> None:
        with staging_disk_errors():
            self._files.create(directory / _MANIFEST, manifest.model_dump_json(by_alias=True).encode())
            failpoint("staging.before-success")
            self._files.create(directory / _SUCCESS, b"")
            if not self._rename(directory):
                if not self._may_replace(manifest):
                    raise _conflict()
                self.discard()
                if not self._rename(directory):
                    raise _conflict()
            self._files.sync(self._group)
        failpoint("staging.after-success")
        self._verified = manifest

    def _rename(self, directory: PurePosixPath) -> bool:
        try:
            self._files.rename(directory, self._directory)
        except FileExistsError:
            return False
        return True

    def _may_replace(self, mine: SliceManifest) -> bool:
        """Decide about a slice that is there already: who may be reading it must not lose it to who comes late.

        What is damaged, or was read on top of another cursor, is of no use to this attempt, and it would never get past
        it. Attempts of one sink are in order, and the last one is the living one. What another sink has staged on top
        of the same cursor serves this one as well, unless it was taken before.
        """
        found = self._intact_slice()
        if found is None or found.starts_after != mine.starts_after:
            return True
        if found.sink_key == mine.sink_key:
            return found.fence <= mine.fence
        return self._files.entry(self._landed) is not None

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


def _conflict() -> StagingError:
    return StagingError(
        "another attempt staged this slice first; the next attempt continues from it", code="STAGING_CONFLICT"
    )
