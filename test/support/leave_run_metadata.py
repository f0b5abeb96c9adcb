"""Leaves a metadata file as the data plane does, and prints its entry in the run's result.

Usage: leave_run_metadata.py ROOT RUN_ID NAMESPACE NAME
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from uuid import UUID

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python-bridge"))

from runtime_common.run_metadata import RunMetadataFolder


def main() -> None:
    """Writes one data set."""
    root, run_id, namespace, name = sys.argv[1:]
    table = pa.table({"namespace": [namespace], "name": [name], "format": ["parquet"]})
    entry = RunMetadataFolder(Path(root)).write(UUID(run_id), contents="entities", kind="Dataset", table=table)
    json.dump(entry.to_wire(), sys.stdout)


if __name__ == "__main__":
    main()
