"""Staged slices that are damaged or vanish: fetched again, nothing lost or doubled, and the sink is not blamed."""

from __future__ import annotations

import shutil
from contextlib import closing

import duckdb
import pytest

from runtime_common.exceptions import SinkError, StagingError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.units import Unit


@pytest.fixture
def unit(tmp_path):
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as staging:
        source = ScriptedSource(range(6))
        yield Unit(
            source={},
            sink_template="parquet_files",
            sink_config={"directory": str(tmp_path / "sink")},
            staging=staging,
            table="rows",
            metadata_root=tmp_path / "metadata",
            cursor_field="id",
            policy={"sliceRows": 2},
            factory=ScriptedFactory(source),
        )


def stored(tmp_path):
    found = duckdb.connect().execute("SELECT id FROM read_parquet(?)", [str(tmp_path / "sink/events/*.parquet")])
    return sorted(number for (number,) in found.fetchall())


def truncate(folder):
    part = folder / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-5])


def flip(folder):
    part = folder / "part-00000.parquet"
    content = part.read_bytes()
    # Not in place: the sink may hold the same file by another name.
    part.unlink()
    part.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])


DAMAGES = {
    "a truncated part": truncate,
    "a flipped byte": flip,
    "a missing part": lambda folder: (folder / "part-00000.parquet").unlink(),
    "a missing manifest": lambda folder: (folder / "manifest.json").unlink(),
    "a manifest that is no JSON": lambda folder: (folder / "manifest.json").write_text('{"batchId": '),
    "a manifest without its parts": lambda folder: (folder / "manifest.json").write_text("{}"),
    "no success mark": lambda folder: (folder / "_SUCCESS").unlink(),
}


def intercept(monkeypatch, factory, before_commit):
    """Let something happen between seal and commit."""
    build = factory.sink

    def building(ref):
        sink = build(ref)
        commit = sink.commit

        def committing(request, reader, cancellation):
            before_commit()
            return commit(request, reader, cancellation)

        sink.commit = committing
        return sink

    monkeypatch.setattr(factory, "sink", building)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_an_earlier_attempt_staged_and_was_damaged_is_fetched_again(unit, tmp_path, monkeypatch, damage):
    def refuse():
        raise SinkError("the sink is away")

    with monkeypatch.context() as patch:
        intercept(patch, unit.factory, refuse)
        with pytest.raises(SinkError):
            unit.run()
    (folder,) = unit.staging.root.glob("*/*/slice-00000")
    DAMAGES[damage](folder)
    result = unit.run()
    assert stored(tmp_path) == list(range(6))
    assert (result.stats.slices_reused, result.stats.slices, unit.factory.source(None).opened) == (0, 3, 2)


BETWEEN = {name: DAMAGES[name] for name in ("a truncated part", "a missing part")} | {
    "a slice that is gone": shutil.rmtree,
    "a staging area that is gone": lambda folder: shutil.rmtree(folder.parents[2]),
}


@pytest.mark.parametrize("damage", BETWEEN)
def test_a_slice_that_is_damaged_between_seal_and_commit_is_a_fault_of_staging(unit, tmp_path, monkeypatch, damage):
    calls = []

    def damage_the_second():
        calls.append(1)
        if len(calls) == 2:
            (folder,) = unit.staging.root.glob("*/*/slice-00001")
            BETWEEN[damage](folder)

    with monkeypatch.context() as patch:
        intercept(patch, unit.factory, damage_the_second)
        with pytest.raises(StagingError) as caught:
            unit.run()
    assert (caught.value.code, caught.value.retryable) == ("STAGING_DAMAGED", True)
    assert stored(tmp_path) == [0, 1]
    unit.staging.root.mkdir(exist_ok=True)
    unit.run()
    assert stored(tmp_path) == list(range(6))


def test_what_a_sink_says_of_a_damaged_slice_is_told_as_a_fault_of_staging(unit, tmp_path, monkeypatch):
    """As an engine does that reads the files itself and knows nothing of where they come from."""

    def fail_on_damage():
        (folder,) = unit.staging.root.glob("*/*/slice-00000")
        flip(folder)
        raise SinkError("a page of the file can't be decoded")

    with monkeypatch.context() as patch:
        intercept(patch, unit.factory, fail_on_damage)
        with pytest.raises(StagingError) as caught:
            unit.run()
    assert caught.value.code == "STAGING_DAMAGED"
    unit.run()
    assert stored(tmp_path) == list(range(6))


def test_a_fault_of_the_sink_stays_one_while_the_slice_is_intact(unit, monkeypatch):
    def refuse():
        raise SinkError("the sink is away", code="SINK_AWAY")

    intercept(monkeypatch, unit.factory, refuse)
    with pytest.raises(SinkError) as caught:
        unit.run()
    assert caught.value.code == "SINK_AWAY"
