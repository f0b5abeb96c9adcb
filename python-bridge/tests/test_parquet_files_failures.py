"""Commits of the file sink whose disk fails half-way, in a process that lives on: no committed row is cleaned up."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from pathlib import Path, PurePosixPath

import duckdb
import pytest

from runtime_common import durable_files, staging_parts
from runtime_common.cancellation import Cancellation
from runtime_common.endpoints import parquet_manifests
from runtime_common.endpoints.parquet_files import ParquetFilesSink
from runtime_common.exceptions import RunCancelledError, SinkError
from runtime_common.local_files import LocalFiles
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, context, rows, seal

UNIT = "source/unit/sink"


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def sink(tmp_path):
    return ParquetFilesSink(tmp_path / "sink")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sink" / "events"


def stored(folder):
    query = "SELECT id FROM read_parquet(?)"
    found = [str(path) for path in folder.glob("*.parquet")]
    return sorted(row[0] for row in duckdb.connect().execute(query, [found]).fetchall())


@pytest.fixture(autouse=True)
def one_file_per_row(monkeypatch):
    monkeypatch.setattr(staging_parts, "_PART_BYTES", 1)
    monkeypatch.setattr(staging_parts, "_ROW_GROUP_ROWS", 1)


def staged(staging, batch_id, ids):
    session = staging.allocate_session(context(source_digest=uuid.uuid4().hex))
    writer = session.writer()
    for number in ids:
        writer.write_batch(rows(id=[number]))
    assert len(writer.seal(seal(batch_id)).parts) == len(ids)
    return session


def commit(sink, staging, batch_id, ids, last, mode="append"):
    session = staged(staging, batch_id, ids)
    return sink.commit(commit_request(batch_id, last, write_mode=mode), session.reader(), Cancellation())


def break_failpoint(monkeypatch, name):
    def fail(reached):
        if reached == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(parquet_manifests, "failpoint", fail)


def break_rename(monkeypatch, folder):
    rename = Path.rename

    def fail(self, target):
        if self.exists() and Path(target).parent == folder:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)


def break_manifest_sync(monkeypatch, folder):
    sync = durable_files.sync_directory

    def fail(directory):
        if directory == folder / "_manifests":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(directory)

    monkeypatch.setattr(durable_files, "sync_directory", fail)


BREAKS = {
    "after the manifest": lambda patch, folder: break_failpoint(patch, "parquet.after-manifest"),
    "after the first move": lambda patch, folder: break_failpoint(patch, "parquet.mid-roll-forward"),
    "at the move": break_rename,
    "at the manifest's sync": break_manifest_sync,
}


def commit_without_its_files(sink, staging, folder, first):
    """A second commit that has its manifest, but whose files could not be moved to it."""
    with pytest.MonkeyPatch.context() as patch:
        break_rename(patch, folder)
        with pytest.raises(SinkError):
            commit(sink, staging, "b:0", [2], first)


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("failure", BREAKS)
def test_a_failure_after_the_commit_point_loses_no_row(sink, staging, folder, failure, mode):
    first = commit(sink, staging, "a:0", [1, 2], None)
    with pytest.MonkeyPatch.context() as patch:
        BREAKS[failure](patch, folder)
        with pytest.raises(SinkError):
            commit(sink, staging, "b:0", [3, 4], first, mode)
    last = sink.last_commit(UNIT, "events")
    assert last is not None
    assert last.record.batch_id == "b:0"
    assert stored(folder) == {"append": [1, 2, 3, 4], "overwrite": [3, 4]}[mode]
    commit(sink, staging, "b:0", [3, 4], first, mode)
    assert list((folder / "_incoming").iterdir()) == []


def test_a_commit_that_waits_for_its_files_is_no_orphan_however_old_it_is(sink, staging, folder):
    first = commit(sink, staging, "a:0", [1], None)
    with pytest.MonkeyPatch.context() as patch:
        break_rename(patch, folder)
        with pytest.raises(SinkError):
            commit(sink, staging, "b:0", [2], first)
        (waiting,) = (folder / "_incoming").iterdir()
        orphan = folder / "_incoming" / "dead"
        orphan.mkdir()
        for path in (waiting, orphan):
            os.utime(path, (time.time() - 10**6,) * 2)
        with pytest.raises(SinkError):
            commit(sink, staging, "b:0", [2], first)
        assert list((folder / "_incoming").iterdir()) == [waiting]
    assert sink.last_commit(UNIT, "events") is not None
    assert stored(folder) == [1, 2]


def test_nothing_is_cleaned_up_while_the_newest_manifest_can_not_be_read(sink, staging, folder):
    first = commit(sink, staging, "a:0", [1], None)
    commit_without_its_files(sink, staging, folder, first)
    (waiting,) = (folder / "_incoming").iterdir()
    os.utime(waiting, (time.time() - 10**6,) * 2)
    manifest = folder / "_manifests" / "00000002.json"
    content = manifest.read_bytes()
    manifest.write_text("{")
    with pytest.raises(SinkError):
        commit(sink, staging, "b:0", [2], first)
    manifest.write_bytes(content)
    commit(sink, staging, "b:0", [2], first)
    assert stored(folder) == [1, 2]


def test_a_committed_file_that_is_gone_stops_the_unit(sink, staging, folder):
    first = commit(sink, staging, "a:0", [1], None)
    commit_without_its_files(sink, staging, folder, first)
    shutil.rmtree(folder / "_incoming")
    with pytest.raises(SinkError, match="restore it") as caught:
        sink.last_commit(UNIT, "events")
    assert (caught.value.code, caught.value.retryable) == ("SINK_FILES_LOST", False)


def test_a_file_that_a_later_commit_replaced_is_not_missed(sink, staging, folder):
    first = commit(sink, staging, "a:0", [1], None)
    log = parquet_manifests.ManifestLog(LocalFiles(folder.parent), PurePosixPath(folder.name))
    replaced = log.newest()
    assert replaced is not None
    commit(sink, staging, "b:0", [2], first, "overwrite")
    # A slow process that still works on the older manifest.
    log.roll_forward(replaced)
    assert stored(folder) == [2]


def test_a_cancellation_is_noticed_between_the_files_of_a_slice(sink, staging, folder, monkeypatch):
    session = staged(staging, "a:0", [1, 2, 3])
    cancellation = Cancellation()
    linked = []
    link = os.link

    def cancel_at_first(source, target):
        linked.append(source)
        cancellation.cancel()
        link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", cancel_at_first)
        with pytest.raises(RunCancelledError):
            sink.commit(commit_request("a:0", None), session.reader(), cancellation)
    assert len(linked) == 1
    assert list((folder / "_incoming").iterdir()) == []
