"""Reads a sink's table with a reader that shares no code with Nucleus, and prints what it holds as JSON.

Usage: read_sink.py parquet FOLDER KEY_COLUMNS SUM_COLUMN | read_sink.py iceberg TABLE_FOLDER KEY_COLUMNS SUM_COLUMN
Prints {"rows", "keys" (distinct), "total" (sum of the column), "snapshots" (Iceberg only: properties of each)}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
from pyiceberg.table import StaticTable


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
        relation = duckdb.from_arrow(table.scan().to_arrow())
        facts["snapshots"] = [
            dict(snapshot.summary.additional_properties) for snapshot in table.snapshots() if snapshot.summary
        ]
    else:
        # Every Parquet file of the folder, as a user of duckdb would read it.
        relation = duckdb.read_parquet(f"{folder}/*.parquet")
    row = relation.aggregate(f"count(*), count(DISTINCT ({keys})), sum({total})").fetchall()[0]
    facts |= {"rows": row[0], "keys": row[1], "total": None if row[2] is None else str(row[2])}
    json.dump(facts, sys.stdout, default=str)


if __name__ == "__main__":
    main()
