"""Sealed slices without a source, for the tests of staging and sinks."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runtime_common.contracts import DatasetRef
from runtime_common.protocols import (
    CommitRecord,
    CommitRequest,
    IngestionContext,
    ResumeRecord,
    RunTotals,
    SliceCounts,
    SliceSeal,
)

if TYPE_CHECKING:
    from runtime_common.contracts import WriteMode
    from runtime_common.protocols import SinkCommit, SliceManifest
    from runtime_common.staging import DirectoryStaging
    from runtime_common.staging_session import DirectorySession

DATASET = DatasetRef(namespace="postgres://host:1", name="db.public.t", version="1:1:", fields=[])


def context(**changes: Any) -> IngestionContext:
    run_id = changes.get("run_id", str(uuid.uuid4()))
    values: dict[str, Any] = {
        "unit_key": "source/unit",
        "sink_key": "source/unit/sink",
        "run_id": run_id,
        "extraction_id": run_id,
        "fence": (1, 1),
        "generation": 1,
        "source_digest": "digest",
        "shared_between_runs": True,
        "slice_index": 0,
    }
    return IngestionContext(**(values | changes))


def rows(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def seal_slice(session: DirectorySession, batch: pa.RecordBatch, *, batch_id: str, index: int = 0) -> SliceManifest:
    writer = session.writer()
    writer.write_batch(batch)
    return writer.seal(seal(batch_id, index=index, rows_read=batch.num_rows))


def seal(batch_id: str, *, index: int = 0, rows_read: int = 0) -> SliceSeal:
    return SliceSeal(
        batch_id=batch_id,
        slice_index=index,
        starts_after="none",
        cursor=None,
        counts=SliceCounts(rows_read=rows_read, rows_skipped_at_watermark=0),
        input=DATASET,
    )


def staged_slice(
    staging: DirectoryStaging, batch: pa.RecordBatch, *, batch_id: str, index: int = 0
) -> DirectorySession:
    """Return a session that holds the batch, in a group of its own."""
    session = staging.allocate_session(context(slice_index=index, source_digest=uuid.uuid4().hex))
    seal_slice(session, batch, batch_id=batch_id, index=index)
    return session


def commit_request(
    batch_id: str,
    last: SinkCommit | None,
    *,
    write_mode: WriteMode = "append",
    unit_key: str = "source/unit/sink",
    target: str = "events",
    index: int = 0,
) -> CommitRequest:
    return CommitRequest(
        target=target,
        write_mode=write_mode,
        primary_key=["id"],
        cursor_field=None,
        record=CommitRecord(
            run_id=batch_id.split(":")[0],
            unit_key=unit_key,
            batch_id=batch_id,
            resume=ResumeRecord(generation=1, checkpoint_version=0, slice_index=index, cursor=None),
            totals=RunTotals(),
            input=DATASET,
        ),
        expected_version=None if last is None else last.output.version,
    )
