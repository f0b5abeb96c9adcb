"""Files in this process's memory, up to a limit; see :class:`runtime_common.file_store.FileStore`."""

from __future__ import annotations

import errno
import io
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.durable_files import removed_on_failure
from runtime_common.file_store import FileEntry, StoredFile
from runtime_common.local_files import file_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

_ROOT = PurePosixPath()


@dataclass
class _Node:
    """A directory, or a file: its content in memory, a file on disk, or both once somebody wanted one."""

    is_directory: bool
    modified_at: float = field(default_factory=lambda: datetime.now(UTC).timestamp())
    content: pa.Buffer | None = None
    on_disk: Path | None = None

    @property
    def size(self) -> int:
        if self.content is not None:
            return int(self.content.size)
        return 0 if self.on_disk is None else self.on_disk.stat().st_size


class MemoryFiles:
    """A tree of files that lives as long as this object.

    Args:
        limit_bytes: Bytes of content that are held at once; a file that does not fit continues on disk.
        scratch: Makes the directory of those files and of copies; called once, when the first one is needed.
        make_room: Asked for room before a file goes to disk; returns whether it has removed something.
    """

    def __init__(self, *, limit_bytes: int, scratch: Callable[[], Path], make_room: Callable[[datetime], bool]) -> None:
        self._limit = limit_bytes
        self._scratch = scratch
        self._make_room = make_room
        # Making room comes back here from within a reservation.
        self._lock = threading.RLock()
        self._nodes: dict[PurePosixPath, _Node] = {_ROOT: _Node(is_directory=True)}
        self._directory: Path | None = None
        self._held = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of content in memory, those being written included."""
        return self._held

    def reserve(self, count: int) -> bool:
        """Count bytes in if there is room for them, now or after something was given up."""
        with self._lock:
            while self._held + count > self._limit:
                if not self._make_room(datetime.now(UTC)):
                    return False
            self._held += count
            return True

    def release(self, count: int) -> None:
        """Count bytes out."""
        with self._lock:
            self._held -= count

    def disk_file(self) -> Path:
        """Return a new name for a file on disk."""
        with self._lock:
            if self._directory is None:
                self._directory = self._scratch()
            return self._directory / f"{secrets.token_hex(8)}.parquet"

    def place(self, path: PurePosixPath, *, content: pa.Buffer | None, on_disk: Path | None) -> None:
        """Put a file that is whole at its place."""
        with self._lock:
            self._nodes[path] = _Node(is_directory=False, content=content, on_disk=on_disk)
            self._touch_parent(path)

    def location(self, path: PurePosixPath) -> str:
        """Return a name for logs."""
        return f"memory:{path}"

    def make_directory(self, path: PurePosixPath) -> None:
        """Make a directory and those above it."""
        with self._lock:
            for one in [*reversed(path.parents), path]:
                if one not in self._nodes:
                    self._nodes[one] = _Node(is_directory=True)
                    self._touch_parent(one)

    def entries(self, path: PurePosixPath) -> list[FileEntry]:
        """Return what a directory holds."""
        with self._lock:
            names = sorted(one for one in self._nodes if one.parent == path and one != _ROOT)
            return [self._entry(name) for name in names]

    def entry(self, path: PurePosixPath) -> FileEntry | None:
        """Return one file or directory."""
        with self._lock:
            return self._entry(path) if path in self._nodes else None

    def read(self, path: PurePosixPath) -> bytes:
        """Return a small file's content."""
        with self._lock:
            content = self._file(path).content
        return b"" if content is None else bytes(content)

    def create(self, path: PurePosixPath, content: bytes) -> bool:
        """Create a small file unless it exists. Marks and manifests are not counted: they are small and must be."""
        with self._lock:
            if path in self._nodes:
                return False
            self._check_parent(path)
            self.place(path, content=pa.py_buffer(content), on_disk=None)
            self._held += len(content)
            return True

    def new_file(self, path: PurePosixPath) -> MemoryFile:
        """Begin a file."""
        return MemoryFile(self, path)

    def rename(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """Give a file or directory another name."""
        with self._lock:
            if self._file_or_directory(source).is_directory and target in self._nodes:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            self._check_parent(target)
            self.remove(target)
            for one in [one for one in self._nodes if one.is_relative_to(source)]:
                self._nodes[target / one.relative_to(source)] = self._nodes.pop(one)
            self._touch_parent(source)
            self._touch_parent(target)

    def remove(self, path: PurePosixPath) -> bool:
        """Remove a file or a directory with its content; who reads it goes on reading."""
        with self._lock:
            gone = [one for one in self._nodes if one.is_relative_to(path)]
            for one in gone:
                node = self._nodes.pop(one)
                if node.content is not None:
                    self._held -= node.content.size
                if node.on_disk is not None:
                    node.on_disk.unlink(missing_ok=True)
            if gone:
                self._touch_parent(path)
            return bool(gone)

    def remove_empty(self, path: PurePosixPath) -> None:
        """Remove a directory if it is there and empty."""
        with self._lock:
            if not any(one.parent == path for one in self._nodes):
                self._nodes.pop(path, None)

    def touch(self, path: PurePosixPath) -> None:
        """Create an empty file or renew its time."""
        with self._lock:
            if path in self._nodes:
                self._nodes[path].modified_at = datetime.now(UTC).timestamp()
            else:
                self._check_parent(path)
                self.place(path, content=pa.py_buffer(b""), on_disk=None)

    def sync(self, path: PurePosixPath) -> None:
        """Do nothing: what is in memory is as durable as it will be."""

    def is_intact(self, path: PurePosixPath, expected: StoredFile) -> bool:
        """Compare the size, and the checksum of what is on disk alone."""
        with self._lock:
            node = self._nodes.get(path)
        if node is None:
            return False
        if node.content is not None:
            return node.size == expected.size
        on_disk = node.on_disk
        return (
            on_disk is not None
            and on_disk.is_file()
            and on_disk.stat().st_size == expected.size
            and file_hash(on_disk) == expected.sha256
        )

    def open(self, path: PurePosixPath) -> Path | pa.NativeFile:
        """Return the content as a file of pyarrow, or the file on disk."""
        with self._lock:
            node = self._file(path)
        return pa.BufferReader(node.content) if node.content is not None else self.fetch(path)

    def fetch(self, path: PurePosixPath) -> Path:
        """Return the file on disk, written there now if it was in memory alone."""
        with self._lock:
            node = self._file(path)
            if node.on_disk is None:
                on_disk = self.disk_file()
                with removed_on_failure(on_disk):
                    on_disk.write_bytes(node.content or b"")
                node.on_disk = on_disk
            return node.on_disk

    def forget(self, path: PurePosixPath) -> None:
        """Remove the files on disk whose content is in memory too."""
        with self._lock:
            for one, node in self._nodes.items():
                if node.content is not None and node.on_disk is not None and one.is_relative_to(path):
                    node.on_disk.unlink(missing_ok=True)
                    node.on_disk = None

    def spark_url(self, path: PurePosixPath) -> str:
        """Return the file on disk: Spark is another process."""
        return str(self.fetch(path))

    def _entry(self, path: PurePosixPath) -> FileEntry:
        node = self._nodes[path]
        return FileEntry(name=path.name, is_directory=node.is_directory, modified_at=node.modified_at, size=node.size)

    def _file_or_directory(self, path: PurePosixPath) -> _Node:
        try:
            return self._nodes[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None

    def _file(self, path: PurePosixPath) -> _Node:
        node = self._file_or_directory(path)
        if node.is_directory:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return node

    def _check_parent(self, path: PurePosixPath) -> None:
        if path.parent not in self._nodes:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _touch_parent(self, path: PurePosixPath) -> None:
        parent = self._nodes.get(path.parent)
        if parent is not None:
            parent.modified_at = datetime.now(UTC).timestamp()


class MemoryFile(io.RawIOBase):
    """A file that is being written: in memory as long as there is room, on disk from then on."""

    def __init__(self, files: MemoryFiles, path: PurePosixPath) -> None:
        super().__init__()
        self.stream: pa.NativeFile | IO[bytes] = pa.PythonFile(self, mode="w")
        self._files = files
        self._path = path
        self._memory: io.BytesIO | None = io.BytesIO()
        self._reserved = 0
        self._on_disk: Path | None = None
        self._disk: IO[bytes] | None = None
        self._digest = sha256()
        self._size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written so far."""
        return self._size

    def size(self) -> int:
        """Return how many bytes were written so far."""
        return self._size

    def write(self, data: object) -> int:
        """Append bytes; the first that find no room in memory take those before them to the disk."""
        content = memoryview(data)  # type: ignore[arg-type]
        if self._memory is not None and self._files.reserve(content.nbytes):
            self._reserved += content.nbytes
            self._memory.write(content)
        else:
            self._on_a_disk().write(content)
        self._digest.update(content)
        self._size += content.nbytes
        return content.nbytes

    def finish(self) -> StoredFile:
        """Put the file at its place."""
        if self._disk is not None:
            self._disk.close()
        content = None if self._memory is None else pa.py_buffer(self._memory.getbuffer())
        self._files.place(self._path, content=content, on_disk=self._on_disk)
        self._reserved = 0
        return StoredFile(size=self._size, sha256=self._digest.hexdigest())

    def abandon(self) -> None:
        """Give up the memory, or the file on disk."""
        self._files.release(self._reserved)
        self._reserved = 0
        self._memory = None
        if self._disk is not None and self._on_disk is not None:
            # What it still holds back would fail on a full disk once more.
            with suppress(OSError):
                self._disk.close()
            self._on_disk.unlink(missing_ok=True)

    def _on_a_disk(self) -> IO[bytes]:
        if self._disk is None:
            self._on_disk = self._files.disk_file()
            self._disk = self._on_disk.open("xb")
            if self._memory is not None:
                self._disk.write(self._memory.getbuffer())
                self._memory = None
                self._files.release(self._reserved)
                self._reserved = 0
        return self._disk
