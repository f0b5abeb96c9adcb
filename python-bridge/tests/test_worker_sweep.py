"""The worker's sweeper survives a staging area that fails, and ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import asynccontextmanager

from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.staging import LocalDirectoryStaging
from temporal import metadata_worker

DEADLINE_SECONDS = 60


class Heard(logging.Handler):
    """Puts the messages of a logger that hold some words into a queue of the event loop."""

    def __init__(self, logger, words):
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._logger = logging.getLogger(logger)
        self._words = words
        self.messages: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record):
        if self._words in record.getMessage():
            self._loop.call_soon_threadsafe(self.messages.put_nowait, record.getMessage())

    def __enter__(self):
        self._logger.addHandler(self)
        self._level = self._logger.level
        self._logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_):
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)

    async def next(self):
        return await asyncio.wait_for(self.messages.get(), DEADLINE_SECONDS)


@asynccontextmanager
async def sweeping(staging, metadata):
    stop = asyncio.Event()
    sweeper = asyncio.create_task(metadata_worker._sweep({"staging": staging, "metadata": metadata}, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(sweeper, DEADLINE_SECONDS)


def expired(root, name):
    """Put an old group or run into an area in one step, as the sweeper may be at work there."""
    made = root.with_name(f"made-{name}") / name / "old"
    made.mkdir(parents=True)
    for folder in (made, made.parent):
        os.utime(folder, (0, 0))
    root.mkdir(exist_ok=True)
    return made.parent.rename(root / name)


def test_what_has_expired_is_swept_at_start_and_again_by_the_timer(tmp_path, monkeypatch):
    assert metadata_worker.SWEEP_INTERVAL_SECONDS == 600
    monkeypatch.setattr(metadata_worker, "SWEEP_INTERVAL_SECONDS", 0.01)
    staging = LocalDirectoryStaging(tmp_path / "staging")

    async def sweep_twice():
        with (
            Heard("runtime_common.staging", "removed expired") as groups,
            Heard("runtime_common.run_metadata", "removed") as runs,
        ):
            areas = [tmp_path / "staging", tmp_path / "metadata"]
            left = [expired(area, "first") for area in areas]
            async with sweeping(staging, RunMetadataFolder(tmp_path / "metadata")):
                await groups.next()
                await runs.next()
                left += [expired(area, "later") for area in areas]
                await groups.next()
                await runs.next()
            return [folder.exists() for folder in left]

    assert asyncio.run(sweep_twice()) == [False] * 4
    staging.close()


def test_a_root_that_can_not_be_listed_neither_ends_the_sweeper_nor_breaks_the_shutdown(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata_worker, "SWEEP_INTERVAL_SECONDS", 0.01)
    staging = LocalDirectoryStaging(tmp_path / "staging")
    shutil.rmtree(tmp_path / "staging")
    (tmp_path / "staging").write_text("in the way")

    async def sweep_twice():
        with Heard(metadata_worker._log.name, "staging area can't be swept") as failures:
            async with sweeping(staging, RunMetadataFolder(tmp_path / "metadata")):
                await failures.next()
                await failures.next()

    asyncio.run(sweep_twice())
    staging.close()
