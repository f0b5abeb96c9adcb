"""Loads TPC-H's ``lineitem`` into a new database of PostgreSQL: ``… SERVER_URL DATABASE ROWS FOLDER``.

6,001,215 rows are scale factor 1, as the TPC defines it; fewer are the first ones of it.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.waiting import await_word, tell_result

_COLUMNS = """
    l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
    l_quantity numeric(15, 2) NOT NULL, l_extendedprice numeric(15, 2) NOT NULL, l_discount numeric(15, 2) NOT NULL,
    l_tax numeric(15, 2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL,
    l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL
"""
_CHUNK_BYTES = 1024 * 1024


def load(server: str, database: str, rows: int, folder: Path) -> int:
    """Make the table ``lineitem`` with so many rows and return their number."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    url = make_conninfo(server, dbname=database)
    command = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    scale = "1" if rows > 600_000 else "0.1"
    subprocess.run(  # noqa: S603 - our own arguments
        [command, "csv", "-s", scale, "--tables=lineitem", f"--output-dir={folder}"], check=True, capture_output=True
    )
    path = folder / "lineitem.csv"
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE lineitem ({_COLUMNS})")
        with path.open("rb") as file, connection.cursor().copy("COPY lineitem FROM STDIN (FORMAT csv, HEADER)") as copy:
            left = rows + 1
            while left > 0 and (chunk := file.read(_CHUNK_BYTES)):
                lines = chunk.count(b"\n")
                if lines > left:
                    chunk = b"".join(chunk.splitlines(keepends=True)[:left])
                left -= lines
                copy.write(chunk)
    path.unlink()
    with psycopg.connect(url, autocommit=True) as connection:
        # Otherwise the first reader would write the visibility of all rows, and pay for it.
        connection.execute("VACUUM (FREEZE, ANALYZE) lineitem")
        found = connection.execute("SELECT count(*) FROM lineitem").fetchone()
    return 0 if found is None else int(found[0])


if __name__ == "__main__":
    await_word()
    given = int(sys.argv[3])
    loaded = load(sys.argv[1], sys.argv[2], given, Path(sys.argv[4]))
    if loaded != given:
        raise SystemExit(f"{loaded} rows of lineitem, not {given}")
    tell_result(rows=loaded)
