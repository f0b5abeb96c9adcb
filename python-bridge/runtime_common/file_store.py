"""The port through which staging and file sinks see a tree of files: a local directory, this process, HDFS.

Paths are relative to the store's root. What fails is an :class:`OSError` with the errno that a local disk would give,
so that callers name one kind of fault for all stores.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path, PurePosixPath
    from typing import IO

    import pyarrow as pa

    from runtime_common.protocols import RecordReader

# EFBIG: a limit on the size of files is, to whoever writes one, no other thing than a disk that is full.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: OSError) -> bool:
    """Return whether there is no room, which may change without anyone acting."""
    return error.errno in _FULL


def is_unreachable(error: OSError) -> bool:
    """Return whether the store did not answer."""
    return error.errno == errno.EHOSTUNREACH


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One name in a directory; ``modified_at`` in seconds since the epoch, ``size`` in bytes."""

    name: str
    is_directory: bool
    modified_at: float
    size: int


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """Size and checksum of a file that is whole and durable."""

    size: int
    sha256: str


class NewFile(Protocol):
    """A file that is being written; it takes its place when it is finished."""

    stream: pa.NativeFile | IO[bytes]
    """Where a Parquet writer writes to."""

    def size(self) -> int:
        """Return how many bytes were written so far."""
        ...

    def finish(self) -> StoredFile:
        """Make the file whole and durable."""
        ...

    def abandon(self) -> None:
        """Close the file and give up what it holds beside the store."""
        ...


class FileStore(Protocol):
    """Files and directories with the steps that a commit is made of."""

    def location(self, path: PurePosixPath) -> str:
        """Return the path or URL as people know it."""
        ...

    def make_directory(self, path: PurePosixPath) -> None:
        """Make a directory and those above it, where they are missing."""
        ...

    def entries(self, path: PurePosixPath) -> list[FileEntry]:
        """Return what a directory holds, by name; nothing when it is missing. Links to elsewhere are left out."""
        ...

    def entry(self, path: PurePosixPath) -> FileEntry | None:
        """Return one file or directory; None when it is missing."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """Return a small file's content.

        Raises:
            FileNotFoundError: There is none.
        """
        ...

    def create(self, path: PurePosixPath, content: bytes) -> bool:
        """Create a small file, durable and with its full content, unless it exists; return whether it was created."""
        ...

    def new_file(self, path: PurePosixPath) -> NewFile:
        """Begin a file of any size."""
        ...

    def rename(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """Give a file or directory another name, in one step. Who calls it knows that a file's new name is free.

        Raises:
            FileNotFoundError: The source is gone.
            FileExistsError: The target is a directory with content, which is never replaced.
        """
        ...

    def remove(self, path: PurePosixPath) -> bool:
        """Remove a file, or a directory with its content; return whether there was one."""
        ...

    def remove_empty(self, path: PurePosixPath) -> None:
        """Remove a directory if it is there and empty."""
        ...

    def touch(self, path: PurePosixPath) -> None:
        """Create an empty file, or set an existing one's modification time to now."""
        ...

    def sync(self, path: PurePosixPath) -> None:
        """Make the names inside a directory durable."""
        ...

    def is_intact(self, path: PurePosixPath, expected: StoredFile) -> bool:
        """Read a file and return whether it is what was stored; False when it is gone."""
        ...

    def open(self, path: PurePosixPath) -> Path | pa.NativeFile:
        """Return what a Parquet reader reads."""
        ...

    def fetch(self, path: PurePosixPath) -> Path:
        """Return the file on this machine, brought here where it is elsewhere; a second call brings nothing anew."""
        ...

    def forget(self, path: PurePosixPath) -> None:
        """Remove the copies that :meth:`fetch` has made of files below a directory; the files themselves stay."""
        ...

    def spark_url(self, path: PurePosixPath) -> str:
        """Return the file as Spark reads it."""
        ...


class SinkFileStore(FileStore, Protocol):
    """A store that a sink commits files to."""

    def sources(self, reader: RecordReader) -> Sequence[str]:
        """Return a slice's parts in the form in which :meth:`bring_in` takes them."""
        ...

    def bring_in(self, source: str, path: PurePosixPath) -> None:
        """Store a file of elsewhere under a new name; nothing is copied where a link will do."""
        ...
