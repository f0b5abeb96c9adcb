from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runtime_common.exceptions import StagingError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import context, rows, seal, seal_slice


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "staging"


ROWS = rows(id=[1, 2, 3], note=["a", None, "c"])


def only_slice(root):
    (folder,) = root.glob("*/*/slice-00000")
    return folder


def test_an_unsealed_slice_is_not_found_and_leaves_nothing_after_an_abort(staging, root):
    session = staging.allocate_session(context())
    writer = session.writer()
    writer.write_batch(ROWS)
    assert staging.allocate_session(context()).staged() is None
    writer.abort()
    assert list(root.glob("*/*/attempt-*")) == []


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest", "success"])
def test_a_damaged_slice_counts_as_absent_and_can_be_written_again(staging, root, damage):
    seal_slice(staging.allocate_session(context()), ROWS, batch_id="r:0")
    folder = only_slice(root)
    part = folder / "part-00000.parquet"
    content = part.read_bytes()
    match damage:
        case "truncate":
            part.write_bytes(content[:-5])
        case "flip":
            part.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
        case "remove":
            part.unlink()
        case "manifest":
            (folder / "manifest.json").write_text("{")
        case "success":
            (folder / "_SUCCESS").unlink()
    again = staging.allocate_session(context())
    assert again.staged() is None
    seal_slice(again, ROWS, batch_id="r:0")
    assert staging.allocate_session(context()).staged() is not None


def age(root, delta):
    past = (datetime.now(UTC) - delta).timestamp()
    for path in [*root.rglob("*"), root]:
        if path.name.startswith("lease-"):
            continue
        os.utime(path, (past, past))


def test_expired_slices_are_swept_and_fresh_ones_stay(staging, root):
    abandoned = staging.allocate_session(context())
    seal_slice(abandoned, ROWS, batch_id="r:0")
    abandoned.close()
    landed = staging.allocate_session(context(unit_key="source/landed"))
    seal_slice(landed, ROWS, batch_id="r:0")
    landed.mark_landed()
    landed.close()
    now = datetime.now(UTC)
    assert staging.ttl_cleanup(now).removed == []
    assert len(staging.ttl_cleanup(now + timedelta(hours=2)).removed) == 1
    assert len(list(root.glob("*/*/slice-00000"))) == 1
    assert len(staging.ttl_cleanup(now + timedelta(days=4)).removed) == 1
    assert list(root.iterdir()) == []


def test_a_group_that_can_not_be_swept_is_logged_and_does_not_keep_the_others(staging, root, monkeypatch, caplog):
    for unit_key in ("source/one", "source/two"):
        session = staging.allocate_session(context(unit_key=unit_key))
        seal_slice(session, ROWS, batch_id="r:0")
        session.close()
    broken = sorted(root.glob("*/*"))[0]
    rename = Path.rename

    def fail(self, target):
        if self == broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    later = datetime.now(UTC) + timedelta(days=4)
    with caplog.at_level(logging.WARNING):
        assert len(staging.ttl_cleanup(later).removed) == 1
    assert list(root.glob("*/*")) == [broken]
    assert [record.data["directory"] for record in caplog.records] == [f"{broken.parent.name}/{broken.name}"]
    monkeypatch.undo()
    assert len(staging.ttl_cleanup(later).removed) == 1


def test_wide_rows_end_a_row_group_by_their_bytes(staging, root):
    session = staging.allocate_session(context())
    writer = session.writer()
    wide = rows(text=["x" * 1024 * 1024] * 33)
    for _ in range(4):
        writer.write_batch(wide)
    manifest = writer.seal(seal("r:0"))
    metadata = pq.read_metadata(only_slice(root) / manifest.parts[0].name)
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [66, 66]


def test_a_leased_session_is_never_swept_however_old_its_files_are(staging, root):
    session = staging.allocate_session(context())
    seal_slice(session, ROWS, batch_id="r:0")
    age(root, timedelta(days=30))
    report = staging.ttl_cleanup(datetime.now(UTC))
    assert (report.removed, len(report.kept_live)) == ([], 1)
    session.close()
    age(root, timedelta(days=30))
    assert len(staging.ttl_cleanup(datetime.now(UTC)).removed) == 1


def test_a_lease_that_nobody_renews_protects_nothing(staging, root):
    session = staging.allocate_session(context())
    seal_slice(session, ROWS, batch_id="r:0")
    assert len(staging.ttl_cleanup(datetime.now(UTC) + timedelta(days=30)).removed) == 1


def test_a_symbolic_link_out_of_the_root_is_refused(staging, root, tmp_path):
    staging.allocate_session(context()).close()
    (unit,) = root.iterdir()
    (tmp_path / "outside").mkdir()
    unit.rename(tmp_path / "moved")
    unit.symlink_to(tmp_path / "outside")
    with pytest.raises(StagingError) as caught:
        staging.allocate_session(context())
    assert caught.value.code == "STAGING_PATH_ESCAPES"
