"""Commits of the file sink: whole or absent, once, whoever dies or races."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.parquet_files import ParquetFilesSink
from runtime_common.exceptions import ConfigurationError, IngestionError, SinkError, SinkSchemaError, SupersededError
from runtime_common.failpoints import EXIT_CODE, refuse_in_production
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, rows, staged_slice

BRIDGE = Path(__file__).resolve().parents[1]
UNIT = "source/unit/sink"


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def sink(tmp_path):
    return ParquetFilesSink(tmp_path / "sink")


def stored(tmp_path):
    found = list((tmp_path / "sink" / "events").glob("*.parquet"))
    if not found:
        return []
    query = "SELECT id FROM read_parquet(?)"
    return sorted(row[0] for row in duckdb.connect().execute(query, [[str(path) for path in found]]).fetchall())


def commit(sink, staging, batch_id, ids, last, mode="append"):
    session = staged_slice(staging, rows(id=ids), batch_id=batch_id)
    return sink.commit(commit_request(batch_id, last, write_mode=mode), session.reader(), Cancellation())


def test_appends_add_and_an_overwrite_replaces(sink, staging, tmp_path):
    first = commit(sink, staging, "a:0", [1, 2], None)
    second = commit(sink, staging, "a:1", [3], first)
    assert stored(tmp_path) == [1, 2, 3]
    third = commit(sink, staging, "b:0", [9], second, "overwrite")
    assert stored(tmp_path) == [9]
    assert [one.output.version for one in (first, second, third)] == ["00000001-a:0", "00000002-a:1", "00000003-b:0"]
    assert sink.last_commit(UNIT, "events") == third


def test_a_repeated_batch_changes_nothing_and_returns_the_first_commit(sink, staging, tmp_path):
    first = commit(sink, staging, "a:0", [1, 2], None)
    assert commit(sink, staging, "a:0", [1, 2], None) == first
    later = commit(sink, staging, "a:1", [3], first)
    assert commit(sink, staging, "a:0", [1, 2], None) == first
    assert stored(tmp_path) == [1, 2, 3]
    assert sink.last_commit(UNIT, "events") == later
    assert list((tmp_path / "sink" / "events" / "_incoming").iterdir()) == []


def test_a_zombie_that_saw_an_older_state_writes_nothing(sink, staging, tmp_path):
    first = commit(sink, staging, "a:0", [1], None)
    commit(sink, staging, "b:0", [2], first)
    with pytest.raises(SupersededError):
        commit(sink, staging, "a:1", [3], first)
    assert stored(tmp_path) == [1, 2]


@pytest.mark.parametrize("round_", range(5))
def test_of_two_racing_attempts_one_commits_and_both_see_it(sink, staging, tmp_path, round_):
    sessions = [staged_slice(staging, rows(id=[1, 2]), batch_id="a:0") for _ in range(2)]
    barrier = threading.Barrier(2)
    results = []

    def attempt(session):
        barrier.wait()
        own = ParquetFilesSink(tmp_path / "sink")
        results.append(own.commit(commit_request("a:0", None), session.reader(), Cancellation()))

    threads = [threading.Thread(target=attempt, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
    assert len(list((tmp_path / "sink/events/_manifests").glob("*.json"))) == 1
    assert stored(tmp_path) == [1, 2]


def run_process(tmp_path, batch_id, ids, mode, failpoint=None):
    environment = os.environ | {"PYTHONPATH": str(BRIDGE)}
    if failpoint:
        environment |= {"NUCLEUS_FAILPOINTS": failpoint, "NUCLEUS_TEST_FIXTURES": "1"}
    command = [
        sys.executable,
        "-m",
        "tests.support.crashing_commit",
        tmp_path / "sink",
        tmp_path / "staging",
        batch_id,
        ids,
        mode,
    ]
    return subprocess.run(command, env=environment, cwd=BRIDGE, check=False).returncode


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize(
    ("failpoint", "committed"),
    [
        ("staging.before-success", False),
        ("staging.after-success", False),
        ("parquet.before-manifest", False),
        ("parquet.after-manifest", True),
        ("parquet.mid-roll-forward", True),
        ("parquet.after-roll-forward", True),
    ],
)
def test_a_death_at_any_step_leaves_a_whole_commit_or_none(sink, staging, tmp_path, failpoint, committed, mode):
    first = commit(sink, staging, "a:0", [1, 2], None)
    assert run_process(tmp_path, "b:0", "3,4", mode, failpoint) == EXIT_CODE
    after = {"append": [1, 2, 3, 4], "overwrite": [3, 4]}[mode]
    last = sink.last_commit(UNIT, "events")
    assert last is not None
    assert last.record.batch_id == ("b:0" if committed else "a:0")
    assert stored(tmp_path) == (after if committed else [1, 2])
    # The next attempt of the same batch sees the same world whether or not the first one got through.
    commit(sink, staging, "b:0", [3, 4], first, mode)
    assert stored(tmp_path) == after


def test_a_process_without_failpoints_commits(tmp_path, sink):
    assert run_process(tmp_path, "a:0", "5", "append") == 0
    assert stored(tmp_path) == [5]


def test_failpoints_are_refused_outside_of_tests(monkeypatch):
    monkeypatch.setenv("NUCLEUS_FAILPOINTS", "parquet.after-manifest")
    monkeypatch.delenv("NUCLEUS_TEST_FIXTURES", raising=False)
    with pytest.raises(ConfigurationError):
        refuse_in_production()


def test_columns_that_differ_are_refused_before_anything_is_written(sink, staging, tmp_path):
    first = commit(sink, staging, "a:0", [1], None)
    session = staged_slice(staging, rows(id=["text"]), batch_id="a:1")
    with pytest.raises(SinkSchemaError):
        sink.commit(commit_request("a:1", first), session.reader(), Cancellation())
    assert stored(tmp_path) == [1]


def test_a_damaged_manifest_stops_the_unit_instead_of_starting_over(sink, staging, tmp_path):
    commit(sink, staging, "a:0", [1], None)
    (tmp_path / "sink/events/_manifests/00000001.json").write_text("{")
    with pytest.raises(SinkError) as caught:
        sink.last_commit(UNIT, "events")
    assert caught.value.code == "SINK_MANIFEST_INVALID"


def test_a_directory_that_can_not_be_written_names_the_config_field(staging, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(IngestionError) as caught:
        commit(ParquetFilesSink(tmp_path / "file"), staging, "a:0", [1], None)
    assert (caught.value.code, caught.value.field) == ("SINK_NOT_WRITABLE", "sink.config.directory")
