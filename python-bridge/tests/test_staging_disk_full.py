"""A disk that is full: one typed error that another attempt may cure, no partial slice, and the space is free again.

A limit on the size of files stands for the disk. The system refuses a write in the same way, and needs no mount for it.
"""

from __future__ import annotations

import errno
import os
import resource
from contextlib import closing, contextmanager
from pathlib import PurePosixPath

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from runtime_common.durable_files import create_exclusively
from runtime_common.exceptions import StagingError
from runtime_common.local_files import LocalFiles
from runtime_common.staging import InMemoryStaging, LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.slices import context, seal, seal_slice
from tests.support.units import Unit

KIBIBYTE = 1024


@contextmanager
def room_for(bytes_):
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(kibibytes):
    """Rows that no compression makes smaller."""
    values = np.random.default_rng(kibibytes).integers(0, 2**62, size=kibibytes * KIBIBYTE // 8)
    return pa.RecordBatch.from_pydict({"n": pa.array(values)})


@pytest.fixture
def local(tmp_path):
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as provider:
        yield provider


@pytest.fixture(params=["local_directory", "in_memory"])
def staging(request, local):
    if request.param == "local_directory":
        yield local
    else:
        with closing(InMemoryStaging(limit_bytes=0, overflow=local)) as provider:
            yield provider


def left(local):
    """Files but for leases and the names of sinks."""
    return [path.name for path in local.root.rglob("*") if path.is_file() and path.stat().st_size > 0]


def test_a_slice_that_finds_no_room_leaves_nothing_and_is_written_once_there_is_some(staging, local):
    session = staging.allocate_session(context())
    writer = session.writer()
    with room_for(64 * KIBIBYTE):
        # Its rows are gathered until then.
        writer.write_batch(noise(256))
        with pytest.raises(StagingError) as caught:
            writer.seal(seal("r:0"))
        writer.abort()
    assert (caught.value.code, caught.value.retryable) == ("STAGING_DISK_FULL", True)
    assert "free some space" in caught.value.message
    assert (session.staged(), left(local)) == (None, [])
    assert list(local.root.rglob("attempt-*")) == []
    assert seal_slice(session, noise(256), batch_id="r:0").rows == 256 * KIBIBYTE // 8


def test_a_copy_of_a_slice_in_memory_that_finds_no_room_leaves_nothing(local):
    with closing(InMemoryStaging(limit_bytes=2**20, overflow=local)) as staging:
        session = staging.allocate_session(context())
        seal_slice(session, noise(256), batch_id="r:0")
        reader = session.reader()
        with room_for(64 * KIBIBYTE), pytest.raises(StagingError) as caught:
            reader.part_paths()
        assert (caught.value.code, left(local)) == ("STAGING_DISK_FULL", [])
        (path,) = reader.part_paths()
        assert path.stat().st_size > 256 * KIBIBYTE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_the_system_says_of_a_lack_of_room_is_one_error(local, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    writer = local.allocate_session(context()).writer()
    writer.write_batch(noise(1))
    monkeypatch.setattr(LocalFiles, "create", refuse)
    with pytest.raises(StagingError) as caught:
        writer.seal(seal("r:0"))
    assert caught.value.code == "STAGING_DISK_FULL"


def test_a_small_file_that_finds_no_room_leaves_no_draft(tmp_path):
    with room_for(KIBIBYTE), pytest.raises(OSError, match="large"):
        create_exclusively(tmp_path / "manifest.json", b"x" * 4 * KIBIBYTE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_from_another_disk_that_finds_no_room_leaves_no_part(tmp_path, monkeypatch):
    def on_another_disk(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    source = tmp_path / "source"
    source.write_bytes(b"x" * 4 * KIBIBYTE)
    files = LocalFiles(tmp_path / "sink")
    files.make_directory(PurePosixPath())
    monkeypatch.setattr(os, "link", on_another_disk)
    with room_for(KIBIBYTE), pytest.raises(OSError, match="large"):
        files.bring_in(str(source), PurePosixPath("part"))
    assert list((tmp_path / "sink").iterdir()) == []


def test_a_run_whose_staging_is_full_goes_on_once_there_is_room(staging, local, tmp_path):
    unit = Unit(
        source={},
        sink_template="parquet_files",
        sink_config={"directory": str(tmp_path / "sink")},
        staging=staging,
        table="rows",
        metadata_root=tmp_path / "metadata",
        cursor_field="id",
        policy={"sliceRows": 2_000},
        factory=ScriptedFactory(ScriptedSource(range(3_000))),
    )
    with room_for(8 * KIBIBYTE), pytest.raises(StagingError) as caught:
        unit.run()
    assert caught.value.code == "STAGING_DISK_FULL"
    assert list(local.root.rglob("attempt-*")) == []
    assert list((tmp_path / "sink").rglob("*.parquet")) == []
    unit.run()
    query = "SELECT count(*), count(DISTINCT id) FROM read_parquet(?)"
    found = duckdb.connect().execute(query, [str(tmp_path / "sink/events/*.parquet")]).fetchall()
    assert found == [(3_000, 3_000)]
