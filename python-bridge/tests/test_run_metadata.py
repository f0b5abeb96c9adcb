"""The files that a run leaves for the graph."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pyarrow as pa
import pytest

from runtime_common import run_metadata
from runtime_common.contracts import RunMetadataFile
from runtime_common.exceptions import StagingError
from runtime_common.run_metadata import RunMetadataFolder

TABLE = pa.table({"namespace": ["n", "n"], "name": ["a", "b"], "rowCount": [1, 2]})


def test_a_file_is_what_its_entry_says(tmp_path):
    run_id = uuid.uuid4()
    entry = RunMetadataFolder(tmp_path).write(run_id, contents="entities", kind="Dataset", table=TABLE)
    content = (tmp_path / entry.path).read_bytes()
    assert pa.ipc.open_stream(content).read_all() == TABLE
    assert entry == RunMetadataFile(
        path=entry.path, contents="entities", kind="Dataset", rows=2,
        sha256=sha256(content).hexdigest(),
    )  # fmt: skip


def test_the_same_table_again_is_the_same_file_and_leaves_nothing_else(tmp_path):
    folder, run_id = RunMetadataFolder(tmp_path), uuid.uuid4()
    first = folder.write(run_id, contents="entities", kind="Dataset", table=TABLE)
    assert folder.write(run_id, contents="entities", kind="Dataset", table=TABLE) == first
    assert [path.name for path in (tmp_path / str(run_id)).iterdir()] == [first.path.split("/")[1]]


def test_a_table_that_no_file_may_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(run_metadata, "MAX_FILE_BYTES", 100)
    with pytest.raises(StagingError) as caught:
        RunMetadataFolder(tmp_path).write(uuid.uuid4(), contents="entities", kind="Dataset", table=TABLE)
    assert (caught.value.code, caught.value.retryable) == ("RUN_METADATA_TOO_LARGE", False)


def test_a_root_that_can_not_be_written_is_a_typed_failure(tmp_path):
    (tmp_path / "root").write_text("in the way")
    with pytest.raises(StagingError, match="METADATA_ROOT"):
        RunMetadataFolder(tmp_path / "root").write(uuid.uuid4(), contents="links", kind="TAGGED", table=TABLE)


def test_old_runs_are_swept_and_young_ones_kept(tmp_path):
    folder, old, young = RunMetadataFolder(tmp_path), uuid.uuid4(), uuid.uuid4()
    for run_id in (old, young):
        folder.write(run_id, contents="entities", kind="Dataset", table=TABLE)
    now = datetime.now(UTC)
    long_ago = (now - timedelta(days=8)).timestamp()
    os.utime(tmp_path / str(old), (long_ago, long_ago))
    assert folder.ttl_cleanup(now) == [str(old)]
    assert [path.name for path in tmp_path.iterdir()] == [str(young)]
    assert RunMetadataFolder(tmp_path / "absent").ttl_cleanup(now) == []
