"""Files in a directory of this machine; see :class:`runtime_common.file_store.FileStore`."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.durable_files import create_exclusively, removed_on_failure, sync_directory, sync_file
from runtime_common.file_store import FileEntry, StoredFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path, PurePosixPath

    from runtime_common.protocols import RecordReader

_HASH_CHUNK_BYTES = 1024 * 1024
_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK})


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class LocalFile:
    """A file that is being written at its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stream = pa.OSFile(str(path), "wb")

    def size(self) -> int:
        """Return how many bytes were written so far."""
        return int(self.stream.tell())

    def finish(self) -> StoredFile:
        """Close the file and make it durable."""
        self.stream.close()
        sync_file(self._path)
        return StoredFile(size=self._path.stat().st_size, sha256=file_hash(self._path))

    def abandon(self) -> None:
        """Close the file; whoever removes its directory removes it."""
        self.stream.close()


class LocalFiles:
    """A directory and what is below it.

    Args:
        root: Absolute; made by the first write where it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def location(self, path: PurePosixPath) -> str:
        """Return the absolute path."""
        return str(self.root / path)

    def make_directory(self, path: PurePosixPath) -> None:
        """Make a directory and those above it."""
        (self.root / path).mkdir(parents=True, exist_ok=True)

    def entries(self, path: PurePosixPath) -> list[FileEntry]:
        """Return what a directory holds, without symbolic links."""
        try:
            with os.scandir(self.root / path) as found:
                names = sorted(one.name for one in found if not one.is_symlink())
        except FileNotFoundError:
            return []
        # A name may vanish while its directory is listed.
        return [entry for name in names if (entry := self.entry(path / name)) is not None]

    def entry(self, path: PurePosixPath) -> FileEntry | None:
        """Return one file or directory."""
        try:
            status = os.lstat(self.root / path)
        except FileNotFoundError:
            return None
        return FileEntry(
            name=path.name,
            is_directory=stat.S_ISDIR(status.st_mode),
            modified_at=status.st_mtime,
            size=status.st_size,
        )

    def read(self, path: PurePosixPath) -> bytes:
        """Return a small file's content."""
        return (self.root / path).read_bytes()

    def create(self, path: PurePosixPath, content: bytes) -> bool:
        """Create a small file unless it exists."""
        return create_exclusively(self.root / path, content)

    def new_file(self, path: PurePosixPath) -> LocalFile:
        """Begin a file."""
        return LocalFile(self.root / path)

    def sources(self, reader: RecordReader) -> Sequence[str]:
        """Return the slice's parts on this machine."""
        return [str(path) for path in reader.part_paths()]

    def bring_in(self, source: str, path: PurePosixPath) -> None:
        """Link a file of this machine, or copy it from another file system."""
        target = self.root / path
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            with removed_on_failure(target):
                shutil.copyfile(source, target)
                sync_file(target)

    def rename(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """Give a file or directory another name."""
        try:
            (self.root / source).rename(self.root / target)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None

    def remove(self, path: PurePosixPath) -> bool:
        """Remove a file or a directory with its content, as far as that is possible."""
        target = self.root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target, ignore_errors=True)
            return True
        try:
            target.unlink()
        except FileNotFoundError:
            return False
        return True

    def remove_empty(self, path: PurePosixPath) -> None:
        """Remove a directory if it is there and empty."""
        try:
            (self.root / path).rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise

    def touch(self, path: PurePosixPath) -> None:
        """Create an empty file or renew its time."""
        (self.root / path).touch()

    def sync(self, path: PurePosixPath) -> None:
        """Make the names inside a directory durable."""
        sync_directory(self.root / path)

    def is_intact(self, path: PurePosixPath, expected: StoredFile) -> bool:
        """Compare size and checksum."""
        target = self.root / path
        try:
            return target.stat().st_size == expected.size and file_hash(target) == expected.sha256
        except FileNotFoundError:
            return False

    def open(self, path: PurePosixPath) -> Path:
        """Return the path."""
        return self.root / path

    def fetch(self, path: PurePosixPath) -> Path:
        """Return the path."""
        return self.root / path

    def forget(self, path: PurePosixPath) -> None:
        """Do nothing: there are no copies."""

    def spark_url(self, path: PurePosixPath) -> str:
        """Return the path."""
        return str(self.root / path)
