"""Files that a run, a collection or a preview leaves for the control plane.

    <root>/<run>/<contents>-<sha256>.arrows     an Arrow stream of normalized metadata; the name is its kind and content
    <root>/<request>/preview.json               rows of a preview, for the one who asked

A run decides what it has seen, never what the graph holds: the control plane applies the files by the rules that hold
for users, and may refuse rows.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.contracts import PreviewMetadataResult, RunMetadataFile
from runtime_common.durable_files import create_exclusively, replace_file, sync_directory
from runtime_common.exceptions import StagingError
from runtime_common.file_store import is_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from runtime_common.contracts import MetadataContents

_log = logging.getLogger(__name__)
# Of one file, as the reader takes it.
MAX_FILE_BYTES = 64 * 1024 * 1024
PREVIEW = "preview.json"
# Rows of a source: for the owner and the control plane, which shares the group.
_PREVIEW_MODE = 0o640


class RunMetadataFolder:
    """The folder that data plane and control plane share for this (``METADATA_ROOT``).

    Args:
        root: Made when the first file is written.
        ttl: How long a run's files are kept: long enough for a control plane that was down.
        preview_ttl: How long a preview is kept whose reader did not remove it: nobody waits for it that long.
    """

    def __init__(
        self, root: Path, *, ttl: timedelta = timedelta(days=7), preview_ttl: timedelta = timedelta(hours=1)
    ) -> None:
        self._root = root
        self._ttl = ttl
        self._preview_ttl = preview_ttl

    def write(self, run_id: UUID, *, contents: MetadataContents, kind: str, table: pa.Table) -> RunMetadataFile:
        """Write a table durably and return its entry for the run's result. The same table again is the same file.

        Args:
            run_id: The run that has seen this.
            contents: What a row is; docs/bulk.md says which columns they need.
            kind: Kind of all entities, or of all links.
            table: Of at most ``MAX_FILE_BYTES``; larger ones are cut by the caller.

        Raises:
            StagingError: The table is too large, or the folder can't be written.
        """
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue().to_pybytes()
        if len(content) > MAX_FILE_BYTES:
            raise StagingError(
                f"a metadata file of {len(content)} bytes is over the {MAX_FILE_BYTES} that are taken; write several",
                code="RUN_METADATA_TOO_LARGE",
                retryable=False,
            )
        # Two kinds may have the same rows, and each needs a file of its own.
        name = f"{contents}-{sha256(kind.encode() + bytes(1) + content).hexdigest()}.arrows"
        with self._writing(run_id) as folder:
            create_exclusively(folder / name, content)
        return RunMetadataFile(
            path=f"{run_id}/{name}",
            contents=contents,
            kind=kind,
            rows=table.num_rows,
            sha256=sha256(content).hexdigest(),
        )

    def write_preview(self, request_id: UUID, content: bytes) -> PreviewMetadataResult:
        """Write a preview's content, readable for owner and group alone, and return where it is.

        Raises:
            StagingError: The folder can't be written.
        """
        with self._writing(request_id) as folder:
            replace_file(folder / PREVIEW, content, mode=_PREVIEW_MODE)
        return PreviewMetadataResult(path=f"{request_id}/{PREVIEW}", sha256=sha256(content).hexdigest())

    @contextmanager
    def _writing(self, name: UUID) -> Iterator[Path]:
        folder = self._root / str(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sync_directory(self._root)
            yield folder
        except OSError as error:
            full = is_full(error)
            advice = "free some space under METADATA_ROOT" if full else "check METADATA_ROOT"
            raise StagingError(
                f"a metadata file can't be written: {error.strerror}; {advice}",
                code="STAGING_DISK_FULL" if full else None,
            ) from None

    def ttl_cleanup(self, now: datetime) -> list[str]:
        """Remove what is older than its time to live, and return the names of the runs and requests.

        Raises:
            OSError: The root can't be listed.
        """
        if not self._root.exists():
            return []
        expired = [
            folder
            for folder in self._root.iterdir()
            if folder.is_dir() and not folder.is_symlink() and self._expired(folder, now)
        ]
        for folder in expired:
            shutil.rmtree(folder, ignore_errors=True)
        if expired:
            _log.info("removed metadata files of old runs", extra={"data": {"removed": len(expired)}})
        return [folder.name for folder in expired]

    def _expired(self, folder: Path, now: datetime) -> bool:
        ttl = self._preview_ttl if (folder / PREVIEW).exists() else self._ttl
        try:
            return now.timestamp() - folder.stat().st_mtime > ttl.total_seconds()
        except FileNotFoundError:
            # Its reader has just removed it.
            return False
