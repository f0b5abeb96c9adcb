"""Reads a sink's table with a reader that shares no code with Nucleus, and prints what it holds as JSON.

Usage: read_sink.py parquet FOLDER KEY_COLUMNS SUM_COLUMN | read_sink.py iceberg TABLE_FOLDER KEY_COLUMNS SUM_COLUMN
Prints {"rows", "keys" (distinct), "total" (sum of the column), "snapshots" (Iceberg only: properties of each)}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from pyiceberg.table import StaticTable


def read_parquet(folder: str) -> pa.Table:
    """Reads every Parquet file of a folder, as a user of duckdb would."""
    return duckdb.sql(f"SELECT * FROM read_parquet('{folder}/*.parquet')").to_arrow_table()


def open_iceberg(folder: str) -> StaticTable:
    """Opens the current version of a table in a Hadoop catalog."""
    metadata = Path(folder) / "metadata"
    version = (metadata / "version-hint.text").read_text().strip()
    return StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))


def main() -> None:
    """Prints the facts of one table."""
    kind, folder, keys, total = sys.argv[1:]
    facts: dict[str, object] = {}
    if kind == "iceberg":
        table = open_iceberg(folder)
        rows = table.scan().to_arrow()
        facts["snapshots"] = [
            dict(snapshot.summary.additional_properties) for snapshot in table.snapshots() if snapshot.summary
        ]
    else:
        rows = read_parquet(folder)
    row = duckdb.sql(f"SELECT count(*), count(DISTINCT ({keys})), sum({total}) FROM rows").fetchone()
    assert row is not None
    facts |= {"rows": row[0], "keys": row[1], "total": None if row[2] is None else str(row[2])}
    json.dump(facts, sys.stdout, default=str)


if __name__ == "__main__":
    main()
