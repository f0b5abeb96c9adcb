"""Slices and Parquet files on a real HDFS, read back through WebHDFS and DuckDB: no code of the writer reads."""

from __future__ import annotations

import errno
import os
import secrets
import threading
from contextlib import closing
from pathlib import PurePosixPath

import duckdb
import pytest
from pyiceberg.table import StaticTable

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints import parquet_manifests
from runtime_common.endpoints.hdfs import HadoopFiles, HdfsDirectoryStaging
from runtime_common.endpoints.hdfs.sink import HdfsParquetSink
from runtime_common.exceptions import SinkError, StagingError, SupersededError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.slices import commit_request, context, rows, seal, seal_slice, staged_slice
from tests.support.units import Unit

UNIT = "source/unit/sink"


@pytest.fixture
def place():
    return f"/{secrets.token_hex(6)}"


@pytest.fixture
def local(tmp_path):
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as provider:
        yield provider


@pytest.fixture
def staging(hdfs, place, local, spark):
    url = f"{hdfs.url}{place}/staging"
    with closing(HdfsDirectoryStaging(url, engine=spark, overflow=local)) as provider:
        yield provider


@pytest.fixture
def sink(hdfs, place, spark):
    return HdfsParquetSink(f"{hdfs.url}{place}/sink", spark)


@pytest.fixture
def stored(hdfs, place, tmp_path):
    def ids(columns="id"):
        folder = tmp_path / secrets.token_hex(6)
        files = hdfs.download(f"{place}/sink/events", folder)
        query = f"SELECT {columns} FROM read_parquet(?, union_by_name = true)"
        found = duckdb.connect().execute(query, [files]).fetchall()
        return sorted(row[0] if len(row) == 1 else row for row in found)

    return ids


def commit(sink, staging, batch_id, ids, last, mode="append"):
    session = staged_slice(staging, rows(id=ids), batch_id=batch_id)
    return sink.commit(commit_request(batch_id, last, write_mode=mode), session.reader(), Cancellation())


@pytest.mark.parametrize("from_hdfs", [True, False])
def test_commits_add_replace_and_are_never_repeated(sink, staging, local, stored, hdfs, place, from_hdfs):
    source = staging if from_hdfs else local
    first = commit(sink, source, "a:0", [1, 2], None)
    second = commit(sink, source, "a:1", [3], first)
    assert commit(sink, source, "a:0", [1, 2], None) == first
    assert stored() == [1, 2, 3]
    with pytest.raises(SupersededError):
        commit(sink, source, "z:0", [9], first)
    third = commit(sink, source, "b:0", [7], second, "overwrite")
    assert (stored(), sink.last_commit(UNIT, "events")) == ([7], third)
    output = third.output
    assert (output.namespace, output.name) == (hdfs.url, f"{place[1:]}/sink/events")
    assert output.version == "00000003-b:0"
    assert hdfs.names(f"{place}/sink/events/_incoming") == []


def test_of_two_racing_attempts_one_commits_and_both_see_it(sink, staging, stored, hdfs, place):
    sessions = [staged_slice(staging, rows(id=[1, 2]), batch_id="a:0") for _ in range(2)]
    barrier = threading.Barrier(2)
    results = []

    def attempt(session):
        barrier.wait()
        results.append(sink.commit(commit_request("a:0", None), session.reader(), Cancellation()))

    threads = [threading.Thread(target=attempt, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
    assert (hdfs.names(f"{place}/sink/events/_manifests"), stored()) == (["00000001.json"], [1, 2])


@pytest.mark.parametrize("reached", ["parquet.before-manifest", "parquet.after-manifest", "parquet.mid-roll-forward"])
def test_a_failure_at_any_step_leaves_a_whole_commit_or_none(sink, staging, stored, monkeypatch, reached):
    first = commit(sink, staging, "a:0", [1, 2], None)

    def fail(name):
        if name == reached:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(parquet_manifests, "failpoint", fail)
        with pytest.raises(SinkError):
            commit(sink, staging, "b:0", [3, 4], first)
    last = sink.last_commit(UNIT, "events")
    assert last is not None
    assert last.record.batch_id == ("a:0" if reached == "parquet.before-manifest" else "b:0")
    commit(sink, staging, "b:0", [3, 4], first)
    assert stored() == [1, 2, 3, 4]


def test_a_run_goes_from_staging_on_hdfs_into_files_on_hdfs(hdfs, place, staging, spark, stored, tmp_path, local):
    unit = Unit(
        source={},
        sink_template="hdfs_parquet",
        sink_config={"url": f"{hdfs.url}{place}/sink"},
        staging=staging,
        table="rows",
        metadata_root=tmp_path / "metadata",
        cursor_field="id",
        policy={"sliceRows": 2, "badRows": "quarantine"},
        factory=ScriptedFactory(ScriptedSource(range(6), frozenset({3})), spark=spark),
    )
    assert unit.run().stats.rows_written == 5
    assert stored() == [0, 1, 2, 4, 5]
    assert unit.run().stats.rows_written == 0
    # What was brought here for a reader of this machine went with the slice.
    assert list(local.root.rglob("*.parquet")) == []


def test_spark_reads_slices_where_they_are(staging, spark, hdfs, place, tmp_path, local):
    unit = Unit(
        source={},
        sink_template="iceberg",
        sink_config={"warehouse": str(tmp_path / "warehouse")},
        staging=staging,
        table="rows",
        metadata_root=tmp_path / "metadata",
        cursor_field="id",
        factory=EngineFactory(spark),
    )
    unit.run()
    metadata = tmp_path / "warehouse/nucleus/events/metadata"
    version = (metadata / "version-hint.text").read_text().strip()
    table = StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json")).scan().to_arrow()
    assert sorted(table["id"].to_pylist()) == [0, 1, 2]
    assert list(local.root.rglob("*.parquet")) == []


class EngineFactory(ScriptedFactory):
    """Scripted rows into a sink that is asked for nothing but its commits."""

    def __init__(self, spark):
        super().__init__(ScriptedSource(range(3)), spark=spark)

    def sink(self, ref):
        return super(ScriptedFactory, self).sink(ref)


def only_slice(hdfs, place):
    (unit,) = hdfs.names(f"{place}/staging")
    (group,) = hdfs.names(f"{place}/staging/{unit}")
    return f"{place}/staging/{unit}/{group}/slice-00000"


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest"])
def test_a_damaged_slice_counts_as_absent_and_can_be_written_again(staging, hdfs, place, damage):
    first = staging.allocate_session(context())
    seal_slice(first, rows(id=[1, 2, 3]), batch_id="r:0")
    reader = first.reader()
    part = f"{only_slice(hdfs, place)}/part-00000.parquet"
    content = hdfs.read(part)
    match damage:
        case "truncate":
            hdfs.write(part, content[:-5])
        case "flip":
            hdfs.write(part, content[:20] + bytes([content[20] ^ 1]) + content[21:])
        case "remove":
            hdfs.remove(part)
        case "manifest":
            hdfs.write(f"{only_slice(hdfs, place)}/manifest.json", b"{")
    if damage != "manifest":
        with pytest.raises(StagingError) as caught:
            reader.verify()
        assert caught.value.code == "STAGING_DAMAGED"
    again = staging.allocate_session(context())
    assert again.staged() is None
    seal_slice(again, rows(id=[1, 2, 3]), batch_id="r:0")
    assert staging.allocate_session(context()).staged() is not None


def test_a_name_node_that_is_away_is_told_as_that(spark):
    sink = HdfsParquetSink("hdfs://127.0.0.1:1/sink", spark)
    with pytest.raises(SinkError) as caught:
        sink.last_commit(UNIT, "events")
    assert (caught.value.code, caught.value.retryable, caught.value.field) == (
        "SINK_UNREACHABLE", True, "sink.config.url"
    )  # fmt: skip


def test_what_may_not_be_written_names_the_config_field(hdfs, place, spark, staging):
    hdfs.write(f"{place}/sink", b"a file in the way")
    with pytest.raises(SinkError) as caught:
        commit(HdfsParquetSink(f"{hdfs.url}{place}/sink", spark), staging, "a:0", [1], None)
    assert (caught.value.code, caught.value.field) == ("SINK_NOT_WRITABLE", "sink.config.url")


def test_a_quota_that_is_used_up_is_a_full_disk_and_leaves_no_slice(staging, sink, local, hdfs, place, spark):
    session = staging.allocate_session(context())
    hdfs.limit(f"{place}/staging", 1)
    writer = session.writer()
    writer.write_batch(rows(id=[1, 2, 3]))
    with pytest.raises(StagingError) as refused:
        writer.seal(seal("r:0"))
    writer.abort()
    assert (refused.value.code, refused.value.retryable) == ("STAGING_DISK_FULL", True)
    (unit,) = hdfs.names(f"{place}/staging")
    (group,) = hdfs.names(f"{place}/staging/{unit}")
    assert [name for name in hdfs.names(f"{place}/staging/{unit}/{group}") if name.startswith("attempt-")] == []
    assert list(local.root.rglob("*.parquet")) == []

    HadoopFiles(spark, f"{hdfs.url}{place}", scratch=lambda: local.root).make_directory(PurePosixPath("sink"))
    hdfs.limit(f"{place}/sink", 1)
    with pytest.raises(SinkError) as full:
        commit(sink, local, "a:0", [1], None)
    assert (full.value.code, full.value.retryable) == ("SINK_DISK_FULL", True)


def test_a_directory_never_replaces_one_nor_moves_into_it(hdfs, place, spark, tmp_path):
    files = HadoopFiles(spark, f"{hdfs.url}{place}", scratch=lambda: tmp_path)
    for name in ("one", "two"):
        files.make_directory(PurePosixPath(name))
        files.create(PurePosixPath(name, "file"), name.encode())
    with pytest.raises(FileExistsError):
        files.rename(PurePosixPath("one"), PurePosixPath("two"))
    assert hdfs.names(f"{place}/two") == ["file"]
    assert not files.create(PurePosixPath("two", "file"), b"other")
    assert (hdfs.read(f"{place}/two/file"), hdfs.names(f"{place}/two")) == (b"two", ["file"])


def test_the_connection_test_passes_and_leaves_nothing(sink, hdfs, place):
    assert [check.run() for check in sink.checks(Cancellation())]
    assert hdfs.names(place) == []
