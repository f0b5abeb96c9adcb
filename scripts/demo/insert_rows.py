"""Inserts rows into the demo's flights and weather: later ones, and new keys on the hour of the watermark.

The watermark is the highest `time_hour` of each table before the insertion. Run it while `npm start` is up;
the next `npm start` then ingests exactly these rows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]

# One row for each number of the series: numbers up to `ties` keep the hour of the watermark with a new key,
# the others follow it hour by hour. Local time columns are New York's, as in the package.
SERIES = sql.SQL("""
WITH mark AS (SELECT max(time_hour) AS hour FROM {table}),
     series AS (SELECT i, hour + (greatest(i - %(ties)s, 0) * interval '1 hour') AS time_hour
                FROM mark, generate_series(1, %(ties)s + %(late)s) AS i),
     slot AS (SELECT i, time_hour, time_hour AT TIME ZONE 'America/New_York' AS local FROM series)
""")

INSERT_FLIGHTS = SERIES.format(table=sql.Identifier("public", "flights")) + sql.SQL("""
INSERT INTO public.flights (year, month, day, sched_dep_time, sched_arr_time, carrier, flight, origin, dest,
                            distance, hour, minute, time_hour)
SELECT extract(year FROM local), extract(month FROM local), extract(day FROM local),
       extract(hour FROM local) * 100 + 30, extract(hour FROM local) * 100 + 59, 'UA',
       (SELECT max(flight) FROM public.flights) + i, 'EWR', 'BOS',
       200, extract(hour FROM local), 30, time_hour
FROM slot
""")

# The three airports all have a row on the last hour, so a new key there needs a station of its own.
INSERT_WEATHER = SERIES.format(table=sql.Identifier("public", "weather")) + sql.SQL("""
INSERT INTO public.weather (origin, year, month, day, hour, temp, precip, visib, time_hour)
SELECT 'X' || (SELECT count(*) + i FROM public.weather WHERE origin LIKE 'X%%'),
       extract(year FROM local), extract(month FROM local), extract(day FROM local),
       extract(hour FROM local), 30 + i, 0, 10, time_hour
FROM slot
""")


def local_url() -> str:
    """Returns the address of the Postgres that `npm start` runs."""
    state = ROOT / (os.environ.get("NUCLEUS_HOME") or ".nucleus")
    try:
        port = json.loads((state / "run" / "ports.json").read_text())["postgres"]
        password = (state / "secrets" / "postgres-password").read_text().strip()
    except FileNotFoundError as error:
        raise SystemExit('run "npm start" first, or name the database in DEMO_POSTGRES_URL') from error
    return f"postgresql://postgres:{quote(password)}@127.0.0.1:{port}/nycflights"


def count(text: str) -> int:
    """Parses a number of rows."""
    value = int(text)
    if not 0 <= value <= 10_000:
        raise argparse.ArgumentTypeError("must lie between 0 and 10000")
    return value


def main() -> None:
    """Inserts the rows of both tables in one transaction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--late", type=count, default=10, metavar="N", help="rows later than the watermark (10)")
    parser.add_argument("--ties", type=count, default=5, metavar="M", help="rows with new keys on the watermark (5)")
    arguments = parser.parse_args()
    parameters = {"late": arguments.late, "ties": arguments.ties}
    url = os.environ.get("DEMO_POSTGRES_URL") or local_url()
    try:
        with psycopg.connect(url) as connection:
            flights = connection.execute(INSERT_FLIGHTS, parameters).rowcount
            weather = connection.execute(INSERT_WEATHER, parameters).rowcount
    except psycopg.OperationalError as error:
        raise SystemExit(f'the demo\'s Postgres does not answer; is "npm start" up? ({error})') from error
    sys.stdout.write(f"inserted: flights {flights}, weather {weather}\n")


if __name__ == "__main__":
    main()
