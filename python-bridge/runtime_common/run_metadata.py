"""Files of normalized metadata that a run leaves for the graph.

    <root>/<run>/<contents>-<sha256>.arrows     an Arrow stream; the name is its content

A run decides what it has seen, never what the graph holds: the control plane applies the files by the rules that hold
for users, and may refuse rows.
"""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from runtime_common.contracts import RunMetadataFile
from runtime_common.durable_files import create_exclusively, sync_directory
from runtime_common.exceptions import StagingError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

_log = logging.getLogger(__name__)
# Of one file, as the reader takes it.
MAX_FILE_BYTES = 64 * 1024 * 1024


class RunMetadataFolder:
    """The folder that data plane and control plane share for this (``METADATA_ROOT``).

    Args:
        root: Made when the first file is written.
        ttl: How long a run's files are kept: long enough for a control plane that was down.
    """

    def __init__(self, root: Path, *, ttl: timedelta = timedelta(days=7)) -> None:
        self._root = root
        self._ttl = ttl

    def write(
        self, run_id: UUID, *, contents: Literal["entities", "links"], kind: str, table: pa.Table
    ) -> RunMetadataFile:
        """Write a table durably and return its entry for the run's result. The same table again is the same file.

        Args:
            run_id: The run that has seen this.
            contents: Whether rows are entities or links; docs/bulk.md says which columns they need.
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
        digest = sha256(content).hexdigest()
        folder = self._root / str(run_id)
        name = f"{contents}-{digest}.arrows"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sync_directory(self._root)
            create_exclusively(folder / name, content)
        except OSError as error:
            raise StagingError(f"a metadata file can't be written: {error.strerror}; check METADATA_ROOT") from None
        return RunMetadataFile(
            path=f"{run_id}/{name}", contents=contents, kind=kind, rows=table.num_rows, sha256=digest
        )

    def ttl_cleanup(self, now: datetime) -> list[str]:
        """Remove the files of runs that are older than the time to live, and return the names of these runs.

        Raises:
            OSError: The root can't be listed.
        """
        if not self._root.exists():
            return []
        expired = [
            folder
            for folder in self._root.iterdir()
            if folder.is_dir()
            and not folder.is_symlink()
            and now.timestamp() - folder.stat().st_mtime > self._ttl.total_seconds()
        ]
        for folder in expired:
            shutil.rmtree(folder, ignore_errors=True)
        if expired:
            _log.info("removed metadata files of old runs", extra={"data": {"removed": len(expired)}})
        return [folder.name for folder in expired]
