"""Units that read a query: one statement, described before it runs, with the bounds of a table's read."""

from __future__ import annotations

import duckdb
import psycopg
import pytest
from jsonschema import Draft202012Validator
from psycopg import sql

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.jdbc_postgres import DESCRIPTOR
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, IngestionError
from runtime_common.protocols import ReadRequest
from runtime_common.spark import SparkEngine
from tests.support.units import Database, parquet_unit


@pytest.fixture(scope="module")
def orders(database):
    database.execute(
        """CREATE TABLE orders (id int PRIMARY KEY, amount numeric(10, 2), at timestamptz, customer int);
           CREATE TABLE customers (id int PRIMARY KEY, country text);
           INSERT INTO customers VALUES (1, 'Ö'), (2, 'b');
           INSERT INTO orders SELECT n, n / 4.0, '2013-01-01Z'::timestamptz + n * interval '1 h', 1 + n % 2
             FROM generate_series(1, 9) n"""
    )
    return database


JOINED = "SELECT o.id, o.amount, o.at, c.country FROM orders o JOIN customers c ON c.id = o.customer"


def opened(database, query, cursor=None, **more):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config())
    built = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    return built.open(ReadRequest(object={"query": query}, cursor_field=cursor, **more), Cancellation())


def rows(database, query, cursor=None, lower=None, **more):
    with opened(database, query, cursor, **more) as read:
        return [row for one in read.batches(lower=lower, upper=read.upper_bound) for row in one.to_pylist()]


def test_a_query_has_columns_bounds_and_an_order_like_a_table(orders):
    with opened(orders, JOINED, "at") as read:
        assert [(one.name, one.type) for one in read.dataset.fields] == [
            ("id", "integer"), ("amount", "numeric(10,2)"), ("at", "timestamp with time zone"), ("country", "text"),
        ]  # fmt: skip
        assert read.upper_bound == "2013-01-01T09:00:00.000000Z"
    found = rows(orders, JOINED, "at", lower="2013-01-01T07:00:00.000000Z")
    assert [(row["id"], row["country"]) for row in found] == [(7, "b"), (8, "Ö"), (9, "b")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS a;",
        "  SELECT 1 AS a -- and no more",
        "WITH b AS (SELECT 1 AS a) TABLE b",
        "VALUES (1)",
        "SELECT '{}%s{0}' AS a /* } */",
        'SELECT 1 AS "söurce.a"',
    ],
)
def test_whatever_is_one_select_is_read(orders, query):
    assert len(rows(orders, query)) == 1


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT id FRM orders", r"\(line 1, column 15\): syntax error"),
        ("SELECT id\n  FROM nowhere", r'\(line 2, column 8\): relation "nowhere" does not exist'),
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("SELECT 1) AS source; DROP TABLE orders; --", "syntax error"),
        ("DROP TABLE orders", "no rows"),
        ("DELETE FROM orders RETURNING id", "syntax error.*give a SELECT"),
        ("WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone", "top level"),
        ("SELECT $1::int AS a", "parameters"),
        ("SELECT 1 AS a, 2 AS a", "two columns are called 'a'"),
        ("", "at least 1 character"),
        ("SELECT '\x00'", "zero character"),
    ],
)
def test_a_query_that_is_no_single_select_is_refused_with_the_position(orders, query, reason):
    with pytest.raises(IngestionError, match=reason) as caught:
        rows(orders, query)
    assert (caught.value.category, caught.value.retryable) == ("config", False)
    assert str(caught.value.field).startswith("source.object")
    assert len(rows(orders, "SELECT id FROM orders")) == 9


def test_a_query_can_write_nothing(orders):
    orders.execute("CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1'")
    with pytest.raises(IngestionError, match="read-only transaction"):
        rows(orders, "SELECT spoil() AS a")
    assert len(rows(orders, "SELECT id FROM orders")) == 9


def test_a_cursor_is_a_column_that_the_query_returns(orders):
    with pytest.raises(IngestionError) as caught:
        rows(orders, "SELECT id FROM orders", "at")
    assert (caught.value.code, caught.value.field) == ("SOURCE_COLUMN_MISSING", "unit.cursorField")


@pytest.mark.parametrize(
    "object_", [{}, {"table": "orders", "query": "SELECT 1"}, {"schema": "public", "query": "SELECT 1 AS a"}]
)
def test_an_object_names_a_table_or_a_query(orders, object_):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=orders.config())
    built = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    with pytest.raises(ConfigurationError) as caught:
        built.open(ReadRequest(object=object_, cursor_field=None), Cancellation())
    assert caught.value.field == "source.object"
    assert not Draft202012Validator(DESCRIPTOR.template().object_schema).is_valid(object_)


@pytest.mark.parametrize("object_", [{"table": "orders"}, {"schema": "x", "table": "y"}, {"query": "SELECT 1"}])
def test_the_descriptors_schema_takes_each_form(object_):
    Draft202012Validator(DESCRIPTOR.template().object_schema).validate(object_)


def test_a_failure_inside_the_query_is_typed(orders):
    with pytest.raises(IngestionError, match="division by zero") as caught:
        rows(orders, "SELECT 1 / (id - 5) AS a FROM orders")
    assert (caught.value.code, caught.value.field, caught.value.retryable) == (
        "SOURCE_FAILED", "source.object.query", False,
    )  # fmt: skip


def test_a_unit_reads_a_query_incrementally_and_another_query_is_another_source(orders, tmp_path):
    unit = parquet_unit(orders, tmp_path, object={"query": f"{JOINED} WHERE o.id < 100"})
    assert unit.run().stats.rows_written == 9
    orders.execute("INSERT INTO orders VALUES (10, 1, '2013-01-01 09:00Z', 1)")
    second = unit.run()
    assert (second.stats.rows_written, second.stats.rows_skipped_at_watermark) == (1, 1)
    (source,) = second.stats.provenance.inputs
    assert source.name.startswith(f"{orders.config()['database']}?query=")
    files = f"{tmp_path}/sink/events/*.parquet"
    assert duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet('{files}')").fetchall() == [(10, 10)]
    with pytest.raises(CheckpointMismatchError) as caught:
        unit.changed(object={"query": JOINED}).run()
    assert caught.value.code == "SOURCE_CHANGED"
    unit.staging.close()


def test_a_database_in_another_encoding_delivers_unicode(postgres_url):
    name = "bridge_latin1"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        # Its locale fits every encoding, whatever that of the server is.
        made = sql.SQL("CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        admin.execute(made.format(sql.Identifier(name)))
        try:
            database = Database(postgres_url.rpartition("/")[0] + f"/{name}")
            assert rows(database, "SELECT 'Größe' AS \"Maß\"") == [{"Maß": "Größe"}]
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
