"""Files below one URL of HDFS; see :class:`runtime_common.file_store.FileStore`.

HDFS gives the steps of a commit: a file is created exclusively, a rename is one step and replaces nothing, and what was
closed after ``hsync`` is durable. Parquet files never pass through Python: the JVM
copies them between HDFS and this machine.
"""

from __future__ import annotations

import errno
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from py4j.protocol import Py4JJavaError

from runtime_common.durable_files import removed_on_failure
from runtime_common.endpoints.hdfs.errors import os_error
from runtime_common.file_store import FileEntry, StoredFile
from runtime_common.local_files import file_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from runtime_common.protocols import RecordReader
    from runtime_common.spark import SparkEngine

_COPY_BYTES = 1024 * 1024


class HadoopFiles:
    """A directory of HDFS and what is below it.

    Args:
        engine: Whose JVM holds Hadoop's client.
        url: Of the directory, as ``hdfs://host:port/path``; made by the first write where it is missing.
        scratch: Makes a directory of this machine, for files on their way; called when the first one is needed.
    """

    def __init__(self, engine: SparkEngine, url: str, *, scratch: Callable[[], Path]) -> None:
        self._engine = engine
        self._url = url.rstrip("/")
        self._scratch = scratch
        self._lock = threading.Lock()
        self._directory: Path | None = None
        self._fetched: dict[PurePosixPath, Path] = {}

    def location(self, path: PurePosixPath) -> str:
        """Return the URL."""
        return f"{self._url}/{path}" if path.parts else self._url

    def make_directory(self, path: PurePosixPath) -> None:
        """Make a directory and those above it."""
        with self._calls() as calls:
            calls.files.mkdirs(calls.path(path))

    def entries(self, path: PurePosixPath) -> list[FileEntry]:
        """Return what a directory holds."""
        try:
            with self._calls() as calls:
                return sorted(map(_entry, calls.files.listStatus(calls.path(path))), key=lambda entry: entry.name)
        except FileNotFoundError:
            return []

    def entry(self, path: PurePosixPath) -> FileEntry | None:
        """Return one file or directory."""
        try:
            with self._calls() as calls:
                return _entry(calls.files.getFileStatus(calls.path(path)))
        except FileNotFoundError:
            return None

    def read(self, path: PurePosixPath) -> bytes:
        """Return a small file's content."""
        with self._calls() as calls:
            stream = calls.files.open(calls.path(path))
            try:
                return bytes(stream.readAllBytes())
            finally:
                stream.close()

    def create(self, path: PurePosixPath, content: bytes) -> bool:
        """Create a small file unless it exists.

        The rename is the exclusive step: it never leaves a half-written file under the name.
        """
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        with self._calls() as calls:
            with calls.new_stream(draft) as stream:
                stream.write(content)
            try:
                calls.rename(draft, path)
            except Py4JJavaError as error:
                calls.files.delete(calls.path(draft), False)
                failure = os_error(error)
                if isinstance(failure, FileExistsError):
                    return False
                raise failure from None
        return True

    def new_file(self, path: PurePosixPath) -> HadoopFile:
        """Begin a file."""
        return HadoopFile(self, path, self.draft())

    def sources(self, reader: RecordReader) -> Sequence[str]:
        """Return the slice's parts where they are: what lies on HDFS is copied there, not through this machine."""
        return reader.part_urls()

    def bring_in(self, source: str, path: PurePosixPath) -> None:
        """Copy a file of this machine or of any file system that Hadoop knows."""
        with self._calls() as calls, calls.open(source) as stream, calls.new_stream(path) as target:
            calls.copy(stream, target)

    def rename(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """Give a file or directory another name; nothing is replaced."""
        with self._calls() as calls:
            calls.rename(source, target)

    def remove(self, path: PurePosixPath) -> bool:
        """Remove a file or a directory with its content."""
        self.forget(path)
        with self._calls() as calls:
            return bool(calls.files.delete(calls.path(path), True))

    def remove_empty(self, path: PurePosixPath) -> None:
        """Remove a directory if it is there and empty."""
        try:
            with self._calls() as calls:
                calls.files.delete(calls.path(path), False)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise

    def touch(self, path: PurePosixPath) -> None:
        """Create an empty file or renew its time."""
        with self._calls() as calls:
            if calls.files.exists(calls.path(path)):
                calls.files.setTimes(calls.path(path), int(time.time() * 1000), -1)
            else:
                with calls.new_stream(path):
                    pass

    def sync(self, path: PurePosixPath) -> None:
        """Do nothing: the name node's journal is durable before it answers."""

    def is_intact(self, path: PurePosixPath, expected: StoredFile) -> bool:
        """Compare size and checksum, which the JVM computes; HDFS compares its own while it reads."""
        found = self.entry(path)
        if found is None or found.size != expected.size:
            return False
        with self._calls() as calls, calls.open(self.location(path)) as stream:
            digest = calls.jvm.java.security.MessageDigest.getInstance("SHA-256")
            hashed = calls.jvm.java.security.DigestInputStream(stream, digest)
            calls.copy(hashed, calls.jvm.java.io.OutputStream.nullOutputStream())
            return bytes(digest.digest()).hex() == expected.sha256

    def open(self, path: PurePosixPath) -> Path:
        """Return a copy on this machine."""
        return self.fetch(path)

    def fetch(self, path: PurePosixPath) -> Path:
        """Return a copy on this machine, made by the first call."""
        with self._lock:
            known = self._fetched.get(path)
        if known is not None and known.exists():
            return known
        local = self.draft()
        with removed_on_failure(local), self._calls() as calls, calls.open(self.location(path)) as stream:
            target = calls.jvm.java.io.FileOutputStream(str(local))
            try:
                calls.copy(stream, target)
            finally:
                target.close()
        with self._lock:
            self._fetched[path] = local
        return local

    def forget(self, path: PurePosixPath) -> None:
        """Remove the copies of files below a directory."""
        with self._lock:
            copies = [self._fetched.pop(one) for one in list(self._fetched) if one.is_relative_to(path)]
        for copy in copies:
            copy.unlink(missing_ok=True)

    def spark_url(self, path: PurePosixPath) -> str:
        """Return the URL."""
        return self.location(path)

    def draft(self) -> Path:
        """Return a new name for a file of this machine."""
        with self._lock:
            if self._directory is None:
                self._directory = self._scratch()
            return self._directory / f"nucleus-{secrets.token_hex(8)}.parquet"

    @contextmanager
    def _calls(self) -> Iterator[_Calls]:
        with self._engine.context() as context:
            try:
                yield _Calls(context, self.location)
            except Py4JJavaError as error:
                failure = os_error(error)
            else:
                return
            raise failure


class HadoopFile:
    """A file that is being written on this machine; finished, it is copied to its place."""

    def __init__(self, files: HadoopFiles, path: PurePosixPath, local: Path) -> None:
        self._files = files
        self._path = path
        self._local = local
        self.stream = pa.OSFile(str(local), "wb")

    def size(self) -> int:
        """Return how many bytes were written so far."""
        return int(self.stream.tell())

    def finish(self) -> StoredFile:
        """Copy the file to HDFS, durably."""
        self.stream.close()
        stored = StoredFile(size=self._local.stat().st_size, sha256=file_hash(self._local))
        self._files.bring_in(str(self._local), self._path)
        self._local.unlink()
        return stored

    def abandon(self) -> None:
        """Remove the file of this machine."""
        self.stream.close()
        self._local.unlink(missing_ok=True)


class _Calls:
    """Hadoop's client, for the length of one operation."""

    def __init__(self, context: Any, location: Callable[[PurePosixPath], str]) -> None:
        self.jvm = context._jvm
        self._hadoop = self.jvm.org.apache.hadoop
        self._location = location
        self._gateway = context._gateway
        self._configuration = context._jsc.hadoopConfiguration()
        # Both are cached by Hadoop itself.
        self._root = self._hadoop.fs.Path(location(PurePosixPath())).toUri()
        self.files = self._hadoop.fs.FileSystem.get(self._root, self._configuration)

    def path(self, path: PurePosixPath) -> Any:
        return self._hadoop.fs.Path(self._location(path))

    def rename(self, source: PurePosixPath, target: PurePosixPath) -> None:
        # FileSystem.rename would move a directory into one that has its name.
        rename = getattr(self._hadoop.fs, "Options$Rename")
        options = self._gateway.new_array(rename, 1)
        options[0] = rename.NONE
        self._context().rename(self.path(source), self.path(target), options)

    @contextmanager
    def open(self, source: str) -> Iterator[Any]:
        if source.startswith("/"):
            stream = self.jvm.java.io.FileInputStream(source)
        else:
            path = self._hadoop.fs.Path(source)
            stream = path.getFileSystem(self._configuration).open(path)
        try:
            yield stream
        finally:
            stream.close()

    @contextmanager
    def new_stream(self, path: PurePosixPath) -> Iterator[Any]:
        """Create a file that must not exist, in a directory that must; what was written is durable at the end."""
        flags = self.jvm.java.util.EnumSet.of(self._hadoop.fs.CreateFlag.CREATE)
        options = self._gateway.new_array(getattr(self._hadoop.fs, "Options$CreateOpts"), 0)
        stream = self._context().create(self.path(path), flags, options)
        try:
            yield stream
            stream.hsync()
        except BaseException:
            with suppress(Py4JJavaError):
                stream.close()
            raise
        stream.close()

    def copy(self, source: Any, target: Any) -> None:
        self._hadoop.io.IOUtils.copyBytes(source, target, _COPY_BYTES, False)

    def _context(self) -> Any:
        return self._hadoop.fs.FileContext.getFileContext(self._root, self._configuration)


def _entry(status: Any) -> FileEntry:
    return FileEntry(
        name=status.getPath().getName(),
        is_directory=status.isDirectory(),
        modified_at=status.getModificationTime() / 1000,
        size=status.getLen(),
    )
