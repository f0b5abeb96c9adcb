"""Every type from the server through staging into Parquet, read back by DuckDB: exact, or a bad row by policy."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime_common.exceptions import DataError
from tests.support.units import parquet_unit

# Declared type, value as SQL, what DuckDB reads.
EDGES = [
    ("numeric(38,10)", "1234567890123456789012345678.0123456789", Decimal("1234567890123456789012345678.0123456789")),
    ("numeric(5,5)", "-0.00001", Decimal("-0.00001")),
    ("numeric(38,0)", "-" + "9" * 38, Decimal("-" + "9" * 38)),
    ("numeric(39,1)", "9" * 38 + ".9", "9" * 38 + ".9"),
    ("numeric(3,-2)", "12300", "12300"),
    ("numeric", "0.1000000000000000000000000000000000000000000001", "0.1000000000000000000000000000000000000000000001"),
    ("numeric", "'NaN'", "NaN"),
    ("money", "1234.5", "1234.50"),
    ("int2", "-32768", -32768),
    ("int4", "2147483647", 2147483647),
    ("int8", "-9223372036854775808", -9223372036854775808),
    ("bool", "false", False),
    ("float8", "'-0'", -0.0),
    ("float8", "'NaN'", math.nan),
    ("float8", "'-Infinity'", -math.inf),
    ("float8", "5e-324", 5e-324),
    ("float4", "3.4028235e38", 3.4028234663852886e38),
    ("timestamptz", "'2013-01-01 00:00:00.123456-05:30'", datetime(2013, 1, 1, 5, 30, 0, 123456, tzinfo=UTC)),
    ("timestamptz", "'0001-01-01 00:00:00Z'", datetime(1, 1, 1, tzinfo=UTC)),
    ("timestamp", "'1969-12-31 23:59:59.999999'", datetime(1969, 12, 31, 23, 59, 59, 999999)),  # noqa: DTZ001
    ("timestamp(3)", "'2013-01-01 00:00:00.9995'", datetime(2013, 1, 1, 0, 0, 1)),  # noqa: DTZ001
    ("date", "'9999-12-31'", date(9999, 12, 31)),
    ("time", "'24:00:00'", "24:00:00"),
    ("time(6)", "'23:59:59.999999'", "23:59:59.999999"),
    ("timetz", "'12:00:00.000001+05:30'", "12:00:00.000001+05:30"),
    ("interval", "'-1 mon +2 days 03:04:05.000006'", "P-1M2DT3H4M5.000006S"),
    ("json", """'{"b": 1.10, "a": 9007199254740993,  "a": null}'""", '{"b": 1.10, "a": 9007199254740993,  "a": null}'),
    ("jsonb", """'{"b": 1.10,"a": 9007199254740993}'""", '{"a": 9007199254740993, "b": 1.10}'),
    ("int[]", "'{1,NULL,3}'", "{1,NULL,3}"),
    ("int[]", "'[0:1]={1,2}'", "[0:1]={1,2}"),
    ("text[]", """'{{"a,b",NULL},{"NULL",""}}'""", '{{"a,b",NULL},{"NULL",""}}'),
    ("float8[]", "'{0.1,NaN}'", "{0.1,NaN}"),
    ("bytea[]", "ARRAY['\\x00ff'::bytea]", '{"\\\\x00ff"}'),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("bytea", "'\\x00ff80'", b"\x00\xff\x80"),
    ("text", "E'\\t\\n\\u00e4\\U0001F600'", "\t\n\u00e4\U0001f600"),
    ("text", "''", ""),
    ("varchar(3)", "'a  '", "a  "),
    ("char(4)", "'ab'", "ab  "),
    ('"char"', "'x'", "x"),
    ("inet", "'192.168.0.1/24'", "192.168.0.1/24"),
    ("cidr", "'2001:db8::/32'", "2001:db8::/32"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    ("int4range", "'(1,5]'", "[2,6)"),
    ("tstzmultirange", "'{[2013-01-01Z,2013-01-02Z)}'", '{["2013-01-01 00:00:00+00","2013-01-02 00:00:00+00")}'),
    ("bit varying", "B'0101'", "0101"),
    ("oid", "4294967295", "4294967295"),
    ("point", "'(0.1,2)'", "(0.1,2)"),
    ("xml", "'<a b=\"1\"/>'", '<a b="1"/>'),
    ("tsvector", "'a:1 b:2'", "'a':1 'b':2"),
    ("mood", "'so so'", "so so"),
    ("price", "12.5", Decimal("12.50")),
    ("small_price", "1.25", Decimal("1.25")),
    ("pair", "ROW(1,'a b')", '(1,"a b")'),
    ("numeric(10,2)", "NULL", None),
]


@pytest.fixture(scope="module")
def typed(database):
    database.execute(
        """CREATE TYPE mood AS ENUM ('so so'); CREATE DOMAIN price AS numeric(10, 2);
           CREATE DOMAIN small_price AS price CHECK (value < 100); CREATE TYPE pair AS (a int, b text)"""
    )
    return database


def landed(unit, target="events", columns="*"):
    """Return the rows of the target's files, times with a zone as microseconds since 1970."""
    files = f"read_parquet('{unit.sink_config['directory']}/{target}/*.parquet')"
    with duckdb.connect() as reader:
        described = reader.execute(f"DESCRIBE SELECT {columns} FROM {files}").fetchall()
        zoned = [f'epoch_us("{name}") AS "{name}"' for name, type_, *_ in described if type_.endswith("TIME ZONE")]
        replacing = f"SELECT * REPLACE ({', '.join(zoned)})" if zoned else "SELECT *"
        return reader.execute(f"{replacing} FROM (SELECT {columns} FROM {files})").fetchall()


def bits(value):
    """Tell -0 from 0, let one NaN be like another, and count times with a zone in microseconds."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if not isinstance(value, float):
        return value
    return "NaN" if math.isnan(value) else struct.pack(">d", value)


def full(database, tmp_path, table, **policy):
    return parquet_unit(
        database, tmp_path, table, mode="full", cursor_field=None, write_mode="overwrite", primary_key=(), policy=policy
    )


def test_edge_values_arrive_as_they_are(typed, tmp_path):
    declared = ", ".join(f"c{index} {type_}" for index, (type_, _, _) in enumerate(EDGES))
    typed.execute(f"CREATE TABLE edges ({declared})")
    typed.execute(f"INSERT INTO edges VALUES ({', '.join(value for _, value, _ in EDGES)})")
    unit = full(typed, tmp_path, "edges")
    fields = unit.run().stats.provenance.inputs[0].fields
    (row,) = landed(unit)
    found = {f"{type_} {value}": bits(got) for (type_, value, _), got in zip(EDGES, row, strict=True)}
    assert found == {f"{type_} {value}": bits(expected) for type_, value, expected in EDGES}
    assert [one.type for one in fields[-4:-1]] == ["price", "small_price", "pair"]
    unit.staging.close()


def test_years_before_one_and_after_9999_arrive(typed, tmp_path):
    typed.execute("CREATE TABLE ages (a date, b timestamp, c timestamptz)")
    typed.execute(
        """INSERT INTO ages VALUES ('4713-01-01 BC', '4713-01-01 00:00:00.000001 BC', '0044-03-15 12:00Z BC'),
           ('5874897-12-31', '294246-12-31 23:59:59.999999', '12013-01-01Z')"""
    )
    unit = full(typed, tmp_path, "ages")
    unit.run()
    columns = "date_diff('day', DATE '1970-01-01', a), epoch_us(b), epoch_us(c)"
    with psycopg.connect(typed.url) as server:
        expected = server.execute(
            "SELECT a - '1970-01-01'::date, (extract(epoch FROM b) * 1000000)::int8, "
            "(extract(epoch FROM c) * 1000000)::int8 FROM ages ORDER BY 1"
        ).fetchall()
    assert sorted(landed(unit, columns=columns)) == expected
    unit.staging.close()


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("timestamptz", "infinity"),
        ("timestamp", "-infinity"),
        ("timestamp", "294276-12-31"),
        ("date", "infinity"),
        ("date", "-infinity"),
        ("numeric(10, 2)", "NaN"),
    ],
)
def test_a_value_without_an_exact_form_stops_the_run_and_names_its_column(typed, tmp_path, declared, value):
    typed.execute(f"DROP TABLE IF EXISTS bad; CREATE TABLE bad (id int, v {declared})")
    typed.execute("INSERT INTO bad VALUES (1, NULL), (2, %s)", value)
    unit = full(typed, tmp_path, "bad")
    with pytest.raises(DataError, match="'v'") as caught:
        unit.run()
    assert (caught.value.code, caught.value.field) == ("VALUE_NOT_REPRESENTABLE", "v")
    unit.staging.close()


def test_bad_rows_go_to_quarantine_with_their_content_and_the_others_arrive(typed, tmp_path):
    typed.execute(
        """CREATE TABLE mixed (id int, at timestamptz, v timestamp, n numeric(10, 2), b bytea, f bool);
           INSERT INTO mixed VALUES (1, '2013-01-01Z', now(), 1, NULL, NULL),
             (2, '2013-01-01Z', 'infinity', 'NaN', '\\x00', true),
             (3, '2013-01-02Z', '294276-12-31', 2.5, NULL, false)"""
    )
    unit = full(typed, tmp_path, "mixed", badRows="quarantine")
    stats = unit.run().stats
    assert (stats.rows_read, stats.rows_written, stats.rows_quarantined) == (3, 1, 2)
    assert landed(unit, columns="id") == [(1,)]
    found = landed(unit, "events_quarantine", "code, field, row")
    assert [(code, field) for code, field, _ in found] == [("VALUE_NOT_REPRESENTABLE", "v")] * 2
    assert [json.loads(row) for _, _, row in found] == [
        {"id": "2", "at": "2013-01-01 00:00:00.000000Z", "v": "infinity", "n": "NaN", "b": "\\x00", "f": True},
        {
            "id": "3", "at": "2013-01-02 00:00:00.000000Z", "v": "9223371244800000000 microseconds after 2000-01-01",
            "n": "2.50", "b": None, "f": False,
        },
    ]  # fmt: skip
    unit.staging.close()


def test_a_bad_row_at_the_watermark_goes_to_quarantine_once(typed, tmp_path):
    typed.execute(
        """CREATE TABLE events (id int, at int, v date);
           INSERT INTO events VALUES (1, 1, '2013-01-01'), (2, 2, '2013-01-01'), (3, 2, 'infinity')"""
    )
    unit = parquet_unit(typed, tmp_path, policy={"badRows": "quarantine"})
    first = unit.run()
    assert (first.stats.rows_written, first.stats.rows_quarantined) == (2, 1)
    assert first.new_checkpoint is not None
    assert (first.new_checkpoint.cursor.value, len(first.new_checkpoint.cursor.boundary)) == ("2", 2)
    assert (unit.run().stats.rows_quarantined, unit.run().stats.rows_skipped_at_watermark) == (0, 2)
    typed.execute("INSERT INTO events VALUES (4, 2, '-infinity'), (5, 2, '2013-01-02'), (6, 3, 'infinity')")
    last = unit.run()
    assert (last.stats.rows_written, last.stats.rows_quarantined) == (1, 2)
    assert last.new_checkpoint is not None
    assert last.new_checkpoint.cursor.value == "3"
    assert len(landed(unit, "events_quarantine")) == 3
    assert sorted(landed(unit, columns="id")) == [(1,), (2,), (5,)]
    unit.staging.close()


def test_more_bad_rows_than_allowed_stop_the_run(typed, tmp_path):
    typed.execute("CREATE TABLE spoilt AS SELECT n AS id, 'infinity'::date AS v FROM generate_series(1, 3) n")
    unit = full(typed, tmp_path, "spoilt", badRows="quarantine", maxBadRows=2)
    with pytest.raises(DataError) as caught:
        unit.run()
    assert caught.value.code == "TOO_MANY_BAD_ROWS"
    unit.staging.close()


NUMBERS = st.decimals(-(10**18), 10**18, allow_nan=False, allow_infinity=False, places=6)
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001
COLUMNS = {
    "numeric(25, 6)": NUMBERS,
    "timestamptz": MOMENTS,
    "date": st.dates(),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "float8": st.floats(),
    "text": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    "bytea": st.binary(),
    "interval": st.timedeltas(timedelta(days=-9), timedelta(days=9)),
}
ROWS = st.lists(st.tuples(*(st.none() | values for values in COLUMNS.values())), min_size=1, max_size=20)


@settings(max_examples=8, deadline=None)
@given(rows=ROWS)
def test_whatever_is_inserted_comes_out_of_the_files(typed, tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("property")
    columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(COLUMNS))
    with psycopg.connect(typed.url, autocommit=True) as server:
        server.execute(f"DROP TABLE IF EXISTS any_row; CREATE TABLE any_row (id int, {columns})")
        with server.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO any_row VALUES ({', '.join(['%s'] * (1 + len(COLUMNS)))})",
                [(number, *row) for number, row in enumerate(rows)],
            )
        unit = full(typed, folder, "any_row")
        unit.run()
        unit.staging.close()
        found = []
        for _, *values, interval in sorted(landed(unit), key=lambda row: row[0]):
            # An interval is text, which the server reads back.
            (span,) = server.execute("SELECT %s::interval", [interval]).fetchone() or ()
            found.append([bits(value) for value in (*values, span)])
    assert found == [[bits(value) for value in row] for row in rows]
