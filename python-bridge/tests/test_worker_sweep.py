"""The worker's sweeper survives a staging area that fails, and ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import shutil

from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.staging import LocalDirectoryStaging
from temporal import metadata_worker

DEADLINE_SECONDS = 10


class FailureCount(logging.Handler):
    """Wakes the event loop at the second failed sweep."""

    def __init__(self, loop, reached):
        super().__init__()
        self._loop = loop
        self._reached = reached
        self._count = 0

    def emit(self, record):
        self._count += "can't be swept" in record.getMessage()
        if self._count == 2:
            self._loop.call_soon_threadsafe(self._reached.set)


def test_a_root_that_can_not_be_listed_neither_ends_the_sweeper_nor_breaks_the_shutdown(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata_worker, "SWEEP_INTERVAL_SECONDS", 0.01)
    staging = LocalDirectoryStaging(tmp_path / "staging")
    shutil.rmtree(tmp_path / "staging")
    (tmp_path / "staging").write_text("in the way")

    async def sweep_twice():
        stop, reached = asyncio.Event(), asyncio.Event()
        handler = FailureCount(asyncio.get_running_loop(), reached)
        metadata_worker._log.addHandler(handler)
        try:
            sweeper = asyncio.create_task(
                metadata_worker._sweep({"staging": staging, "metadata": RunMetadataFolder(tmp_path / "m")}, stop)
            )
            await asyncio.wait_for(reached.wait(), DEADLINE_SECONDS)
            stop.set()
            await asyncio.wait_for(sweeper, DEADLINE_SECONDS)
        finally:
            metadata_worker._log.removeHandler(handler)

    asyncio.run(sweep_twice())
    staging.close()
