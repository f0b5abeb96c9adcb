"""The Parquet parts of one slice: their writer and their reader."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from runtime_common.exceptions import IngestionError, StagingError
from runtime_common.file_store import StoredFile, is_full
from runtime_common.protocols import SliceManifest, SliceSeal, StagedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from runtime_common.bad_rows import RejectedRow
    from runtime_common.file_store import FileStore, NewFile

Given = TypeVar("Given")

# Large enough for Parquet to compress and skip well, small enough to keep a few of them in memory.
_ROW_GROUP_ROWS = 128 * 1024
# Wide rows reach this first; in memory, before compression.
_ROW_GROUP_BYTES = 64 * 1024 * 1024
_PART_BYTES = 256 * 1024 * 1024

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string()),
        pa.field("batch_id", pa.string()),
        pa.field("rejected_at", pa.timestamp("us", tz="UTC")),
        pa.field("code", pa.string()),
        pa.field("field", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("row", pa.string()),
    ]
)
"""Columns of ``<target>_quarantine``; ``row`` is the row as JSON text, as far as it could be read."""


@contextmanager
def staging_disk_errors() -> Iterator[None]:
    """Turn what the file system says into a typed error."""
    try:
        yield
    except OSError as error:
        full = is_full(error)
        advice = "free some space there" if full else "check its place and rights (STAGING_ROOT, STAGING_URL)"
        raise StagingError(
            f"the staging area can't be written: {error.strerror}; {advice}",
            code="STAGING_DISK_FULL" if full else "STAGING_FAILED",
        ) from None


def damaged() -> StagingError:
    """Return what is raised when a slice is no longer what was sealed."""
    return StagingError(
        "a staged slice was removed or changed after it was sealed; nothing of it was committed, the next attempt "
        "fetches it again",
        code="STAGING_DAMAGED",
    )


def quarantine_batch(rows: Sequence[RejectedRow], *, run_id: str, batch_id: str) -> pa.RecordBatch:
    """Return rejected rows in the columns of the quarantine."""
    now = datetime.now(UTC)
    return pa.RecordBatch.from_pylist(
        [
            {
                "run_id": run_id,
                "batch_id": batch_id,
                "rejected_at": now,
                "code": row.code,
                "field": row.field,
                "reason": row.reason,
                "row": row.row,
            }
            for row in rows
        ],
        schema=QUARANTINE_SCHEMA,
    )


class PartFiles:
    """Gathers batches of one schema into Parquet files of a useful size.

    Args:
        files: The store.
        directory: Where the files go.
        prefix: Of their names.
    """

    def __init__(self, files: FileStore, directory: PurePosixPath, *, prefix: str) -> None:
        self._files = files
        self._directory = directory
        self._prefix = prefix
        self.parts: list[StagedPart] = []
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._file: NewFile | None = None
        self._rows_in_part = 0
        self._schema = pa.schema([])

    def append(self, batch: pa.RecordBatch) -> None:
        """Append rows; small batches are gathered into row groups of a useful size."""
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= _ROW_GROUP_ROWS or self._pending_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def finish(self) -> list[StagedPart]:
        """Write what is left and return all files."""
        self._flush()
        with staging_disk_errors():
            self._finish_part()
        return self.parts

    def arrow_schema(self) -> pa.Schema:
        """Return the columns as the files have them, which is not always as they were given; empty before the first."""
        return self._schema

    def abandon(self) -> None:
        """Close the file that is open."""
        if self._writer is not None:
            # It would write its footer when it is collected; what that says of a full disk is known by now.
            with suppress(OSError, ValueError):
                self._writer.close()
        if self._file is not None:
            self._file.abandon()

    def _flush(self) -> None:
        if not self._pending:
            return
        table = pa.Table.from_batches(self._pending)
        self._pending = []
        self._pending_rows = 0
        self._pending_bytes = 0
        with staging_disk_errors():
            if self._writer is None:
                self._schema = _as_stored(table.schema)
                self._file = self._files.new_file(self._directory / self._part_name())
                self._writer = pq.ParquetWriter(
                    self._file.stream, table.schema, compression="zstd", compression_level=1
                )
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
            self._rows_in_part += table.num_rows
            if self._file is not None and self._file.size() >= _PART_BYTES:
                self._finish_part()

    def _part_name(self) -> str:
        return f"{self._prefix}-{len(self.parts):05d}.parquet"

    def _finish_part(self) -> None:
        if self._writer is None or self._file is None:
            return
        self._writer.close()
        stored = self._file.finish()
        self.parts.append(
            StagedPart(name=self._part_name(), rows=self._rows_in_part, bytes=stored.size, sha256=stored.sha256)
        )
        self._writer = None
        self._file = None
        self._rows_in_part = 0


class PartWriter:
    """Writes the parts of one attempt."""

    def __init__(
        self,
        files: FileStore,
        directory: PurePosixPath,
        *,
        sink_key: str,
        fence: tuple[int, int],
        seal_as: Callable[[PurePosixPath, SliceManifest], None],
    ) -> None:
        self._files = files
        self._directory = directory
        self._sink_key = sink_key
        self._fence = fence
        self._seal_as = seal_as
        self._rows = PartFiles(files, directory, prefix="part")
        self._rejected = PartFiles(files, directory, prefix="rejected")

    def write_batch(self, batch: pa.RecordBatch | Iterable[Mapping[str, Any]]) -> None:
        """Append rows."""
        if isinstance(batch, pa.RecordBatch):
            self._rows.append(batch)
        else:
            for gathered in pa.Table.from_pylist([dict(row) for row in batch]).to_batches():
                self._rows.append(gathered)

    def write_rejected(self, rows: Sequence[RejectedRow], *, run_id: str, batch_id: str) -> None:
        """Append rows that go to quarantine."""
        if rows:
            self._rejected.append(quarantine_batch(rows, run_id=run_id, batch_id=batch_id))

    def seal(self, seal: SliceSeal) -> SliceManifest:
        """Close the last part, write the manifest and `_SUCCESS`, and give the directory its final name.

        Raises:
            StagingError: The store fails, or another attempt sealed this slice first.
        """
        parts, rejected_parts = self._rows.finish(), self._rejected.finish()
        manifest = SliceManifest(
            **dict(seal),
            sink_key=self._sink_key,
            fence=self._fence,
            parts=parts,
            rejected_parts=rejected_parts,
            arrow_schema=_encoded(self._rows.arrow_schema()),
        )
        self._seal_as(self._directory, manifest)
        return manifest

    def abort(self) -> None:
        """Remove what was written; sealed slices are not touched."""
        self._rows.abandon()
        self._rejected.abandon()
        with suppress(OSError, IngestionError):
            self._files.remove(self._directory)


class PartReader:
    """Reads the parts of a sealed slice."""

    def __init__(self, files: FileStore, directory: PurePosixPath, manifest: SliceManifest) -> None:
        self._files = files
        self._directory = directory
        self.manifest = manifest

    def schema(self) -> pa.Schema:
        """Return the columns as the files have them."""
        return pa.ipc.read_schema(pa.py_buffer(b64decode(self.manifest.arrow_schema)))

    def verify(self) -> None:
        """Read everything back and compare checksums.

        Raises:
            StagingError: The slice is not what was sealed.
        """
        for part in self.manifest.parts:
            expected = StoredFile(size=part.bytes, sha256=part.sha256)
            with staging_disk_errors():
                if not self._files.is_intact(self._directory / part.name, expected):
                    raise damaged()

    def iter_batches(self, chunk_size: int) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most ``chunk_size`` rows."""
        for path in self._paths():
            try:
                with pq.ParquetFile(self._files.open(path)) as file:
                    yield from file.iter_batches(batch_size=chunk_size)
            except (OSError, pa.ArrowException):
                raise damaged() from None

    def part_paths(self) -> Sequence[Path]:
        """Return the files on this machine, in the order they were written."""
        return self._each(self._files.fetch)

    def part_urls(self) -> Sequence[str]:
        """Return the files as Spark reads them."""
        return self._each(self._files.spark_url)

    def rejected(self) -> PartReader | None:
        """Return a reader of the rows that go to quarantine; None when there are none."""
        if not self.manifest.rejected_parts:
            return None
        changes = {
            "parts": self.manifest.rejected_parts,
            "rejected_parts": [],
            "arrow_schema": _encoded(QUARANTINE_SCHEMA),
        }
        return PartReader(self._files, self._directory, self.manifest.model_copy(update=changes))

    def _each(self, form: Callable[[PurePosixPath], Given]) -> list[Given]:
        with staging_disk_errors():
            try:
                return [form(path) for path in self._paths()]
            except FileNotFoundError:
                raise damaged() from None

    def _paths(self) -> list[PurePosixPath]:
        """Return the files, each as long as it was when it was sealed."""
        found = []
        for part in self.manifest.parts:
            path = self._directory / part.name
            entry = self._files.entry(path)
            if entry is None or entry.size != part.bytes:
                raise damaged()
            found.append(path)
        return found


def _encoded(schema: pa.Schema) -> str:
    return b64encode(schema.serialize()).decode()


def _as_stored(schema: pa.Schema) -> pa.Schema:
    """Return the schema as it is read back: Parquet has not all types of Arrow."""
    buffer = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), buffer)
    return pq.read_schema(pa.BufferReader(buffer.getvalue())).remove_metadata()
