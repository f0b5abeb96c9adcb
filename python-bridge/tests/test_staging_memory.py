"""Staging in memory: its bound, what goes to disk, and what is left when the process ends."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from runtime_common import staging_parts
from runtime_common.exceptions import SinkError
from runtime_common.staging import InMemoryStaging, LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.slices import context, seal, seal_slice
from tests.support.units import Unit

MEBIBYTE = 1024 * 1024


@pytest.fixture
def local(tmp_path):
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as provider:
        yield provider


@pytest.fixture
def in_memory(local):
    """Makes a provider with a bound."""
    made = []

    def make(limit_bytes):
        made.append(InMemoryStaging(limit_bytes=limit_bytes, overflow=local))
        return made[-1]

    yield make
    for one in made:
        one.close()


def noise(mebibytes):
    """Rows that no compression makes smaller."""
    values = np.random.default_rng(mebibytes).integers(0, 2**62, size=mebibytes * MEBIBYTE // 8)
    return pa.RecordBatch.from_pydict({"n": pa.array(values)})


def on_disk(local):
    return list(local.root.rglob("*.parquet"))


def stage(staging, batch, unit_key):
    session = staging.allocate_session(context(unit_key=unit_key))
    seal_slice(session, batch, batch_id="r:0")
    return session


def read(session):
    return pa.Table.from_batches(session.reader().iter_batches(MEBIBYTE))


def test_slices_stay_off_the_disk_as_long_as_they_fit(in_memory, local):
    staging = in_memory(4 * MEBIBYTE)
    session = stage(staging, noise(1), "source/one")
    assert read(session).num_rows == MEBIBYTE // 8
    assert MEBIBYTE <= staging.memory.held_bytes <= 2 * MEBIBYTE
    assert list(local.root.iterdir()) == []


def test_what_does_not_fit_goes_to_disk_and_is_read_like_the_rest(in_memory, local):
    staging = in_memory(3 * MEBIBYTE)
    slices = {name: noise(size) for name, size in (("a", 2), ("b", 4), ("c", 1))}
    sessions = {name: stage(staging, batch, f"source/{name}") for name, batch in slices.items()}
    # b is larger than all memory; c found no room beside a.
    assert staging.memory.held_bytes <= 3 * MEBIBYTE
    assert len(on_disk(local)) == 2
    for name, session in sessions.items():
        assert read(session).to_batches()[0].num_rows > 0
        assert read(session).equals(pa.Table.from_batches([slices[name]]))


def test_the_bound_holds_while_several_slices_are_written_at_once(in_memory, local, monkeypatch):
    monkeypatch.setattr(staging_parts, "_ROW_GROUP_ROWS", 1024)
    staging = in_memory(2 * MEBIBYTE)
    held: list[int] = []
    barrier = threading.Barrier(4)

    def write(number):
        session = staging.allocate_session(context(unit_key=f"source/{number}"))
        writer = session.writer()
        barrier.wait()
        for start in range(0, 128 * 1024, 1024):
            writer.write_batch(batch.slice(start, 1024))
            held.append(staging.memory.held_bytes)
        writer.seal(seal("r:0"))
        session.close()

    batch = noise(1)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Marks and manifests come on top.
    assert max(held) <= 2 * MEBIBYTE + 64 * 1024
    found = [staging.allocate_session(context(unit_key=f"source/{number}")) for number in range(4)]
    assert all(read(session).equals(pa.Table.from_batches([batch])) for session in found)


def test_slices_that_sinks_have_taken_make_room_before_anything_goes_to_disk(in_memory, local):
    staging = in_memory(3 * MEBIBYTE)
    taken = stage(staging, noise(2), "source/taken")
    taken.mark_landed()
    taken.close()
    stage(staging, noise(2), "source/next")
    assert on_disk(local) == []
    assert staging.memory.held_bytes <= 3 * MEBIBYTE


def test_a_slice_that_is_being_read_keeps_its_rows_when_it_makes_room(in_memory, local):
    staging = in_memory(3 * MEBIBYTE)
    batch = noise(2)
    session = stage(staging, batch, "source/read")
    batches = session.reader().iter_batches(1000)
    first = next(batches)
    session.discard()
    stage(staging, noise(2), "source/next")
    assert pa.Table.from_batches([first, *batches]).equals(pa.Table.from_batches([batch]))


def test_an_aborted_slice_gives_its_memory_and_its_file_back(in_memory, local):
    staging = in_memory(3 * MEBIBYTE)
    for size in (2, 4):
        writer = staging.allocate_session(context()).writer()
        writer.write_batch(noise(size))
        writer.abort()
    assert staging.memory.held_bytes == 0
    assert on_disk(local) == []


def test_a_sweep_gives_memory_and_files_back(in_memory, local):
    staging = in_memory(3 * MEBIBYTE)
    for size in (2, 4):
        stage(staging, noise(size), f"source/{size}").close()
    assert len(staging.ttl_cleanup(datetime.now(UTC) + timedelta(days=4)).removed) == 2
    assert staging.memory.held_bytes == 0
    assert on_disk(local) == []


def test_nothing_is_left_on_disk_when_the_process_ends(tmp_path):
    local = LocalDirectoryStaging(tmp_path / "staging")
    staging = InMemoryStaging(limit_bytes=0, overflow=local)
    stage(staging, noise(1), "source/one")
    assert len(on_disk(local)) == 1
    staging.close()
    local.close()
    assert on_disk(local) == []


def test_what_a_killed_process_left_on_disk_is_swept_by_the_local_provider(tmp_path):
    killed = LocalDirectoryStaging(tmp_path / "staging")
    stage(InMemoryStaging(limit_bytes=0, overflow=killed), noise(1), "source/one")
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as next_process:
        now = datetime.now(UTC)
        assert len(next_process.ttl_cleanup(now).kept_live) == 1
        assert len(next_process.ttl_cleanup(now + timedelta(hours=2)).removed) == 1
        assert list(next_process.root.iterdir()) == []
    killed.close()


def run_twice(unit, monkeypatch, second):
    """A run whose sink breaks after the first of its slices was staged, and the next attempt."""
    source = ScriptedSource(range(6))
    failing = unit.changed(factory=ScriptedFactory(source))
    build = failing.factory.sink

    def broken(ref):
        sink = build(ref)

        def refuse(*_):
            raise SinkError("the sink is away")

        sink.commit = refuse
        return sink

    with monkeypatch.context() as patch:
        patch.setattr(failing.factory, "sink", broken)
        with pytest.raises(SinkError):
            failing.run()
    return source, failing.changed(staging=second).run()


@pytest.mark.parametrize("limit", [0, 64 * MEBIBYTE])
@pytest.mark.parametrize("same_process", [True, False])
def test_the_next_attempt_takes_what_is_staged_in_its_process_and_loses_nothing_in_another(
    in_memory, tmp_path, monkeypatch, limit, same_process
):
    first = in_memory(limit)
    unit = Unit(
        source={},
        sink_template="parquet_files",
        sink_config={"directory": str(tmp_path / "sink")},
        staging=first,
        table="rows",
        metadata_root=tmp_path / "metadata",
        cursor_field="id",
        policy={"sliceRows": 2},
    )
    source, result = run_twice(unit, monkeypatch, first if same_process else in_memory(limit))
    found = duckdb.connect().execute("SELECT id FROM read_parquet(?)", [str(tmp_path / "sink/events/*.parquet")])
    assert sorted(found.fetchall()) == [(number,) for number in range(6)]
    assert (result.stats.slices, result.stats.slices_reused) == (3, 1 if same_process else 0)
    assert source.opened == 2
