"""What every staging provider promises: slices that are whole or absent, whoever writes, crashes or comes late."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from runtime_common.bad_rows import RejectedRow
from runtime_common.endpoints.hdfs import HdfsDirectoryStaging
from runtime_common.exceptions import StagingError
from runtime_common.protocols import ExtractionEnd
from runtime_common.staging import InMemoryStaging, LocalDirectoryStaging
from tests.support.slices import context, rows, seal, seal_slice

ROWS = rows(id=[1, 2, 3], note=["a", None, "c"])
PLENTY = 64 * 1024 * 1024


@pytest.fixture(params=["local_directory", "in_memory", "in_memory without memory", "hdfs_directory"])
def staging(request, tmp_path):
    with ExitStack() as opened:
        local = opened.enter_context(closing(LocalDirectoryStaging(tmp_path / "staging")))
        if request.param == "local_directory":
            yield local
        elif request.param == "hdfs_directory":
            url = f"{request.getfixturevalue('hdfs').url}/staging/{secrets.token_hex(6)}"
            engine = request.getfixturevalue("spark")
            yield opened.enter_context(closing(HdfsDirectoryStaging(url, engine=engine, overflow=local)))
        else:
            limit = 0 if "without" in request.param else PLENTY
            yield opened.enter_context(closing(InMemoryStaging(limit_bytes=limit, overflow=local)))


def test_what_was_written_is_read_back(staging):
    session = staging.allocate_session(context())
    manifest = seal_slice(session, ROWS, batch_id="r:0")
    reader = session.reader()
    assert [row for batch in reader.iter_batches(2) for row in batch.to_pylist()] == ROWS.to_pylist()
    assert (manifest.rows, reader.manifest) == (3, manifest)
    assert [batch.num_rows for batch in reader.iter_batches(2)] == [2, 1]


def test_dictionaries_are_taken_too(staging):
    session = staging.allocate_session(context())
    writer = session.writer()
    writer.write_batch(ROWS)
    writer.write_batch(iter([{"id": 4, "note": "d"}]))
    assert writer.seal(seal("r:0")).rows == 4
    (batch,) = session.reader().iter_batches(10)
    assert batch.to_pylist() == [*ROWS.to_pylist(), {"id": 4, "note": "d"}]


def test_another_attempt_and_another_run_find_the_sealed_slice(staging):
    seal_slice(staging.allocate_session(context()), ROWS, batch_id="first:0")
    found = staging.allocate_session(context(fence=(2, 1))).staged()
    assert found is not None
    assert (found.batch_id, found.rows) == ("first:0", 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": 2},
        {"source_digest": "other"},
        {"unit_key": "source/other"},
        {"slice_index": 1},
        {"shared_between_runs": False},
    ],
)
def test_a_slice_of_something_else_is_not_found(staging, changes):
    seal_slice(staging.allocate_session(context()), ROWS, batch_id="first:0")
    assert staging.allocate_session(context(**changes)).staged() is None


def test_a_landed_slice_is_not_offered_to_the_same_sink_again_but_to_another(staging):
    session = staging.allocate_session(context())
    seal_slice(session, ROWS, batch_id="r:0")
    session.mark_landed()
    session.mark_landed()
    assert staging.allocate_session(context()).staged() is None
    assert staging.allocate_session(context(sink_key="source/unit/other")).staged() is not None


def test_two_attempts_never_share_a_file_and_the_slower_one_is_told(staging):
    slow, fast = (staging.allocate_session(context(fence=(1, attempt))) for attempt in (1, 2))
    slow_writer = slow.writer()
    slow_writer.write_batch(ROWS)
    sealed = seal_slice(fast, rows(id=[9], note=["x"]), batch_id="r:0")
    with pytest.raises(StagingError) as caught:
        slow_writer.seal(seal("r:0"))
    assert caught.value.code == "STAGING_CONFLICT"
    assert staging.allocate_session(context()).staged() == sealed


def test_the_upper_bound_of_a_run_is_that_of_its_first_attempt(staging):
    run = context()
    assert staging.fix_upper_bound(run, "5") == "5"
    assert staging.fix_upper_bound(run, "7") == "5"
    assert staging.fix_upper_bound(context(), "7") == "7"
    empty = context()
    assert staging.fix_upper_bound(empty, None) is None
    assert staging.fix_upper_bound(empty, "7") is None


def test_a_slice_is_given_as_files_too(staging):
    session = staging.allocate_session(context())
    seal_slice(session, ROWS, batch_id="r:0")
    reader = session.reader()
    (path,) = reader.part_paths()
    assert reader.part_paths() == [path]
    (url,) = reader.part_urls()
    assert url == str(path) or url.startswith("hdfs://")
    assert pq.read_table(path).to_pylist() == ROWS.to_pylist()


def test_rejected_rows_are_read_apart_from_the_others(staging):
    session = staging.allocate_session(context())
    writer = session.writer()
    writer.write_batch(ROWS)
    writer.write_rejected([RejectedRow(code="BAD", field="id", reason="no", row="{}")], run_id="r", batch_id="r:0")
    writer.seal(seal("r:0"))
    rejected = session.reader().rejected()
    assert rejected is not None
    (batch,) = rejected.iter_batches(10)
    assert batch.to_pylist()[0]["code"] == "BAD"
    assert sum(one.num_rows for one in session.reader().iter_batches(10)) == 3


def test_an_aborted_slice_is_not_there(staging):
    session = staging.allocate_session(context())
    writer = session.writer()
    writer.write_batch(ROWS)
    writer.abort()
    assert staging.allocate_session(context()).staged() is None


def test_a_discarded_slice_is_gone(staging):
    session = staging.allocate_session(context())
    seal_slice(session, ROWS, batch_id="r:0")
    session.discard()
    assert session.staged() is None
    assert staging.allocate_session(context()).staged() is None


def test_the_end_of_an_extraction_is_known_to_who_shares_it(staging):
    run = context()
    assert staging.extraction_end(run) is None
    staging.end_extraction(run, ExtractionEnd(slices=4, reached="c4"))
    staging.end_extraction(run, ExtractionEnd(slices=5, reached="c5"))
    assert staging.extraction_end(run) == ExtractionEnd(slices=4, reached="c4")
    assert staging.extraction_end(context(extraction_id=run.extraction_id, source_digest="other start")) is None
    assert staging.extraction_end(context()) is None


def test_sinks_that_start_from_different_cursors_have_one_upper_bound(staging):
    ahead = context(source_digest="later start")
    behind = context(extraction_id=ahead.extraction_id)
    assert staging.fix_upper_bound(ahead, "5") == "5"
    assert staging.fix_upper_bound(behind, "7") == "5"


def test_an_attempt_replaces_what_an_earlier_one_of_its_sink_staged_and_never_what_a_later_one_did(staging):
    earlier, later = (staging.allocate_session(context(fence=fence)) for fence in ((1, 2), (2, 1)))
    seal_slice(earlier, ROWS, batch_id="first:0")
    newest = seal_slice(later, rows(id=[9], note=["x"]), batch_id="second:0")
    later.mark_landed()
    with pytest.raises(StagingError) as caught:
        seal_slice(earlier, ROWS, batch_id="first:0")
    assert caught.value.code == "STAGING_CONFLICT"
    assert staging.allocate_session(context(sink_key="source/unit/other")).staged() == newest


@pytest.mark.parametrize(("starts_after", "takes_part"), [("none", True), ("elsewhere", False)])
def test_what_another_sink_staged_is_replaced_only_where_it_is_of_no_use(staging, starts_after, takes_part):
    other = staging.allocate_session(context(sink_key="source/unit/other", fence=(9, 9)))
    writer = other.writer()
    writer.write_batch(ROWS)
    writer.seal(seal("other:0").model_copy(update={"starts_after": starts_after}))
    mine = staging.allocate_session(context())
    if takes_part:
        with pytest.raises(StagingError) as caught:
            seal_slice(mine, ROWS, batch_id="mine:0")
        assert caught.value.code == "STAGING_CONFLICT"
        mine.mark_landed()
    assert seal_slice(mine, ROWS, batch_id="mine:0").batch_id == "mine:0"


def test_slices_wait_for_every_sink_that_takes_them(staging):
    first, second = (staging.allocate_session(context(sink_key=f"source/unit/{name}")) for name in ("a", "b"))
    seal_slice(first, ROWS, batch_id="r:0")
    first.mark_landed()
    first.close()
    second.close()
    later = datetime.now(UTC) + timedelta(hours=2)
    assert staging.ttl_cleanup(later).removed == []
    second = staging.allocate_session(context(sink_key="source/unit/b"))
    assert second.staged() is not None
    second.mark_landed()
    second.close()
    assert len(staging.ttl_cleanup(later + timedelta(hours=2)).removed) == 1


def test_what_has_expired_is_removed_and_what_is_leased_stays(staging):
    leased, landed, waiting = (
        staging.allocate_session(context(unit_key=f"source/{name}")) for name in ("leased", "landed", "waiting")
    )
    for session in (leased, landed, waiting):
        seal_slice(session, ROWS, batch_id="r:0")
    landed.mark_landed()
    landed.close()
    waiting.close()
    now = datetime.now(UTC)
    report = staging.ttl_cleanup(now)
    assert (report.removed, report.kept_live) == ([], [leased.id.rpartition("/")[0]])
    # Nobody renews the leases of this future.
    assert staging.ttl_cleanup(now + timedelta(hours=2)).removed == [landed.id.rpartition("/")[0]]
    assert len(staging.ttl_cleanup(now + timedelta(days=4)).removed) == 2
    assert staging.allocate_session(context(unit_key="source/waiting")).staged() is None
