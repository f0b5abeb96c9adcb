"""One extraction for several sinks: the source is asked once, and each sink goes its own way at its own pace."""

from __future__ import annotations

import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from runtime_common.contracts import Checkpoint
from runtime_common.exceptions import SinkError, SourceUnreachableError, StagingError
from runtime_common.staging import InMemoryStaging, LocalDirectoryStaging
from tests.support.scripted_source import ScriptedFactory, ScriptedSource
from tests.support.units import Unit


class Extractions:
    """Units that differ in their sinks alone, over one source that can be taken away."""

    def __init__(self, staging, folder):
        self.source = ScriptedSource(list(range(6)))
        self.staging = staging
        self._folder = folder

    def into(self, sink, **changes):
        return Unit(
            source={},
            sink_template="parquet_files",
            sink_config={"directory": str(self._folder / sink)},
            sink_id=sink,
            staging=self.staging,
            table="rows",
            metadata_root=self._folder / "metadata",
            cursor_field="id",
            policy={"sliceRows": 2},
            factory=ScriptedFactory(self.source),
        ).changed(**changes)

    def stored(self, sink):
        folder = f"{self._folder}/{sink}/events/*.parquet"
        try:
            found = duckdb.connect().execute("SELECT id FROM read_parquet(?)", [folder]).fetchall()
        except duckdb.IOException:
            return []
        return sorted(number for (number,) in found)

    def take_source_away(self, monkeypatch):
        def refuse(*_):
            raise SourceUnreachableError("the source is away")

        monkeypatch.setattr(self.source, "open", refuse)


@pytest.fixture(params=["local_directory", "in_memory"])
def extractions(request, tmp_path):
    with closing(LocalDirectoryStaging(tmp_path / "staging")) as local:
        if request.param == "local_directory":
            yield Extractions(local, tmp_path)
        else:
            with closing(InMemoryStaging(limit_bytes=2**26, overflow=local)) as memory:
                yield Extractions(memory, tmp_path)


def failing_at(monkeypatch, unit, number):
    """Let the sink's commit of that number fail, counted from 1."""
    build = unit.factory.sink
    calls = []

    def building(ref):
        sink = build(ref)
        commit = sink.commit

        def committing(request, reader, cancellation):
            calls.append(1)
            if len(calls) == number:
                raise SinkError("the sink is away")
            return commit(request, reader, cancellation)

        sink.commit = committing
        return sink

    monkeypatch.setattr(unit.factory, "sink", building)


def test_two_sinks_share_what_was_read_once_and_keep_checkpoints_of_their_own(extractions):
    extraction = uuid.uuid4()
    first = extractions.into("first", extraction_id=extraction)
    # It has tried before: its version is another one, its cursor the same.
    second = extractions.into(
        "second", extraction_id=extraction, checkpoint=Checkpoint(version=5, generation=1, cursor=None)
    )
    read, taken = first.run(), second.run()
    assert extractions.source.opened == 1
    assert extractions.stored("first") == extractions.stored("second") == list(range(6))
    assert (read.stats.slices_reused, taken.stats.slices_reused, taken.stats.rows_read) == (0, 3, 6)
    assert (first.checkpoint.version, second.checkpoint.version) == (1, 6)
    assert first.checkpoint.cursor == second.checkpoint.cursor


def test_the_next_extraction_is_shared_too(extractions):
    units = [extractions.into(name) for name in ("first", "second")]
    for ids in (range(6), range(9)):
        extractions.source.ids = list(ids)
        extraction = uuid.uuid4()
        for unit in units:
            unit.extraction_id = extraction
            unit.run()
    assert extractions.source.opened == 2
    assert extractions.stored("first") == extractions.stored("second") == list(range(9))


def test_a_sink_that_failed_in_the_middle_catches_up_without_the_source(extractions, monkeypatch):
    extraction, run_id = uuid.uuid4(), uuid.uuid4()
    extractions.into("first", extraction_id=extraction).run()
    second = extractions.into("second", extraction_id=extraction)
    with monkeypatch.context() as patch:
        failing_at(patch, second, 2)
        with pytest.raises(SinkError):
            second.run(run_id=run_id)
    assert extractions.stored("second") == [0, 1]
    extractions.take_source_away(monkeypatch)
    second.run(run_id=run_id, attempt=2)
    assert (extractions.stored("second"), extractions.source.opened) == (list(range(6)), 1)


def test_a_later_run_takes_what_is_staged_before_it_asks_the_source(extractions, monkeypatch):
    extractions.into("first", extraction_id=uuid.uuid4()).run()
    extractions.take_source_away(monkeypatch)
    second = extractions.into("second", extraction_id=uuid.uuid4())
    with pytest.raises(SourceUnreachableError):
        second.run()
    assert extractions.stored("second") == list(range(6))


def test_an_extraction_is_replayed_into_a_new_sink_without_the_source(extractions, monkeypatch):
    extraction = uuid.uuid4()
    extractions.into("first", extraction_id=extraction).run()
    extractions.take_source_away(monkeypatch)
    assert extractions.into("new", extraction_id=extraction).run().stats.slices_reused == 3
    assert extractions.stored("new") == list(range(6))


def test_a_full_extraction_is_shared_by_its_sinks_and_by_no_later_one(extractions):
    extraction = uuid.uuid4()
    full = {"mode": "full", "cursor_field": None, "write_mode": "overwrite"}
    for name in ("first", "second"):
        extractions.into(name, extraction_id=extraction, **full).run()
    assert extractions.source.opened == 1
    extractions.source.ids = [7]
    extractions.into("second", extraction_id=uuid.uuid4(), **full).run()
    assert (extractions.stored("first"), extractions.stored("second")) == (list(range(6)), [7])


def test_sinks_that_start_from_different_cursors_read_up_to_one_bound(extractions):
    ahead = extractions.into("ahead", extraction_id=uuid.uuid4())
    ahead.run()
    extraction = uuid.uuid4()
    extractions.source.ids = list(range(8))
    ahead.changed(extraction_id=extraction).run()
    # What comes while the first sink is served belongs to the next extraction.
    extractions.source.ids = list(range(10))
    behind = extractions.into("behind", extraction_id=extraction)
    behind.run()
    assert extractions.stored("ahead") == extractions.stored("behind") == list(range(8))
    behind.changed(extraction_id=uuid.uuid4()).run()
    assert extractions.stored("behind") == list(range(10))


def test_an_end_that_another_sink_has_reached_elsewhere_is_not_taken_for_ones_own(extractions):
    """The number of slices alone says nothing: a sink may have taken as many of an older, shorter extraction."""
    extractions.source.ids = list(range(5))
    behind = extractions.into("behind", extraction_id=uuid.uuid4())
    behind.run(store_checkpoint=False)
    extractions.staging.ttl_cleanup(datetime.now(UTC) + timedelta(days=4))
    extractions.source.ids = list(range(6))
    extraction = uuid.uuid4()
    extractions.into("first", extraction_id=extraction).run()
    behind.changed(extraction_id=extraction).run()
    assert extractions.stored("behind") == list(range(6))


def test_a_reset_reads_the_source_again_whatever_is_staged(extractions):
    extraction = uuid.uuid4()
    extractions.into("first", extraction_id=extraction).run()
    reset = Checkpoint(version=1, generation=2, cursor=None)
    extractions.into("second", extraction_id=extraction, checkpoint=reset).run()
    assert (extractions.stored("second"), extractions.source.opened) == (list(range(6)), 2)


def test_a_zombie_neither_takes_slices_away_nor_brings_its_own(extractions, monkeypatch):
    """An attempt stands still between its last row and its seal, while the next attempt goes through the whole run."""
    run_id, extraction = uuid.uuid4(), uuid.uuid4()
    zombie = extractions.into("first", extraction_id=extraction)
    living = zombie.changed(factory=ScriptedFactory(extractions.source))
    batches = extractions.source.open

    def stalling(request, cancellation):
        read = batches(request, cancellation)
        original = read.take_metadata

        def overtaken():
            monkeypatch.setattr(extractions.source, "open", batches)
            read.take_metadata = original
            living.fence = zombie.fence
            living.run(run_id=run_id, attempt=2)
            return original()

        read.take_metadata = overtaken
        return read

    monkeypatch.setattr(extractions.source, "open", stalling)
    with pytest.raises(StagingError) as caught:
        zombie.run(run_id=run_id)
    assert caught.value.code == "STAGING_CONFLICT"
    opened = extractions.source.opened
    extractions.into("second", extraction_id=extraction).run()
    assert extractions.source.opened == opened
    assert extractions.stored("first") == extractions.stored("second") == list(range(6))
