"""Commits one slice to a parquet_files sink and may die at a failpoint: ``sink staging batch_id ids mode``."""

from __future__ import annotations

import sys
from pathlib import Path

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.parquet_files import ParquetFilesSink
from runtime_common.staging import LocalDirectoryStaging
from tests.support.slices import commit_request, rows, staged_slice

if __name__ == "__main__":
    sink_folder, staging_folder, batch_id, ids, mode = sys.argv[1:]
    sink = ParquetFilesSink(Path(sink_folder))
    staging = LocalDirectoryStaging(Path(staging_folder))
    session = staged_slice(staging, rows(id=[int(one) for one in ids.split(",")]), batch_id=batch_id)
    last = sink.last_commit("source/unit/sink", "events")
    sink.commit(commit_request(batch_id, last, write_mode=mode), session.reader(), Cancellation())  # type: ignore[arg-type]
