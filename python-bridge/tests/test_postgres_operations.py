"""Connection test, preview and collection of a PostgreSQL database."""

from __future__ import annotations

import secrets
from typing import Any

import psycopg
import pytest
from psycopg import sql

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.jdbc_postgres import PostgresSource
from runtime_common.exceptions import DataError, IngestionError
from runtime_common.spark import SparkEngine

STEPS = ["resolve", "connect", "authenticate", "snapshot", "tables", "read"]


@pytest.fixture(scope="module")
def shop(database):
    database.execute(
        """CREATE SCHEMA sales; CREATE SCHEMA "sales.old"; CREATE TABLE "sales.old".gone (id int);
           CREATE TABLE customers (id int PRIMARY KEY, mail text UNIQUE, country char(2) NOT NULL DEFAULT 'de');
           CREATE TABLE sales.orders (id int8, part int, customer int REFERENCES customers, price numeric(10, 2),
             PRIMARY KEY (part, id)) PARTITION BY LIST (part);
           CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES IN (1);
           CREATE VIEW sales.totals AS SELECT customer, sum(price) AS total FROM sales.orders GROUP BY 1;
           COMMENT ON TABLE customers IS 'Who buys'; COMMENT ON COLUMN customers.mail IS 'Where to write';
           INSERT INTO customers SELECT n, n || '@example.com' FROM generate_series(1, 100) n;
           ANALYZE customers"""
    )
    return database


@pytest.fixture
def role(shop):
    """A user without rights of its own, and what grants it some."""
    name = f"reader_{secrets.token_hex(4)}"
    shop.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pass-word-1'")
    yield name
    shop.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def source(database, /, **changes):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config(**changes))
    built = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    assert isinstance(built, PostgresSource)
    return built


def outcomes(database, /, **changes):
    """Return what each step says, up to the first one that fails."""
    said = {}
    for check in source(database, **changes).checks(Cancellation()):
        try:
            said[check.name] = check.run()
        except IngestionError as error:
            said[check.name] = error.code
            break
    return said


def preview(database, selected, limit=3):
    return source(database).preview(selected, limit=limit, cancellation=Cancellation())


def collected(database, *scope):
    found = source(database).collect(scope, Cancellation())
    rows: dict[str, list[dict[str, Any]]] = {}
    for piece in found.tables:
        rows.setdefault(piece.kind, []).extend(piece.table.to_pylist())
    return found, rows


def test_the_descriptor_says_what_there_is(shop):
    templates = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).templates().templates
    template = next(one for one in templates if one.id == "jdbc_postgres")
    checks = source(shop).checks(Cancellation())
    assert [check.name for check in template.checks] == [check.name for check in checks] == STEPS
    assert {"metadata.collect", "metadata.preview"} <= set(template.capabilities)
    for schema in (template.config_schema, template.object_schema or {}):
        for one in schema["properties"].values():
            assert {"title", "description", "examples", "x-group"} <= set(one)


def test_a_database_that_can_be_read_passes_each_step(shop):
    said = outcomes(shop)
    assert list(said) == STEPS
    assert said["tables"] == "5 of 5 table(s) can be read"
    assert said["read"] == "a row of public.customers was read"


@pytest.mark.parametrize(
    ("changes", "step", "code"),
    [
        ({"host": "no-such-host.invalid"}, "resolve", "SOURCE_NAME_UNKNOWN"),
        ({"port": 1}, "connect", "SOURCE_UNREACHABLE"),
        ({"password": "wrong-password"}, "authenticate", "SOURCE_AUTHENTICATION_FAILED"),
        ({"database": "no_such_database"}, "authenticate", "SOURCE_DATABASE_MISSING"),
        ({"sslMode": "require"}, "authenticate", "SOURCE_TLS_FAILED"),
    ],
)
def test_the_step_that_fails_says_why(shop, changes, step, code):
    assert list(outcomes(shop, **changes).items())[-1] == (step, code)


def test_a_user_who_may_read_nothing_is_told_what_to_grant(shop, role):
    login = {"user": role, "password": "pass-word-1"}
    assert list(outcomes(shop, **login).items())[-1] == ("tables", "SOURCE_ACCESS_DENIED")
    shop.execute(f"GRANT SELECT ON sales.totals TO {role}")
    assert list(outcomes(shop, **login).items())[-1] == ("tables", "SOURCE_ACCESS_DENIED")
    shop.execute(f"GRANT USAGE ON SCHEMA sales TO {role}")
    said = outcomes(shop, **login)
    assert (said["tables"], said["read"]) == ("1 of 5 table(s) can be read", "sales.totals can be read; it is empty")


def test_a_preview_shows_a_few_rows_and_says_that_there_are_more(shop):
    sample = preview(shop, {"table": "customers"})
    assert (sample.table.num_rows, sample.truncated) == (3, True)
    assert sample.dataset.name == f"{shop.config()['database']}.public.customers"
    assert preview(shop, {"table": "customers"}, limit=100).truncated is False
    assert preview(shop, {"query": "SELECT 1 AS one"}).table.to_pylist() == [{"one": 1}]
    assert preview(shop, {"schema": "sales", "table": "totals"}).table.column_names == ["customer", "total"]


def test_a_preview_leaves_bad_rows_out_unless_there_are_no_others(shop):
    query = "SELECT n AS id, CASE WHEN n > 1 THEN 'infinity'::date END AS day FROM generate_series(1, 3) n"
    assert preview(shop, {"query": query}).table.to_pylist() == [{"id": 1, "day": None}]
    with pytest.raises(DataError) as caught:
        preview(shop, {"query": "SELECT 'infinity'::date AS day"})
    assert (caught.value.code, caught.value.field) == ("VALUE_NOT_REPRESENTABLE", "day")


def test_a_preview_that_takes_the_server_too_long_ends(shop, monkeypatch):
    monkeypatch.setattr("runtime_common.endpoints.postgres_preview._SECONDS", 1)
    with pytest.raises(IngestionError) as caught:
        preview(shop, {"query": "SELECT pg_sleep(60)::text AS t"})
    assert (caught.value.code, caught.value.retryable) == ("PREVIEW_TOO_SLOW", False)


def test_tables_columns_and_keys_become_entities_and_links(shop):
    found, rows = collected(shop)
    database, namespace = shop.config()["database"], f"postgres://127.0.0.1:{shop.config()['port']}"
    datasets = {row["name"].removeprefix(f"{database}."): row for row in rows["Dataset"]}
    assert {name: row["type"] for name, row in datasets.items()} == {
        "public.customers": "table", "sales.orders": "table", "sales.orders_1": "table", "sales.totals": "view",
        "sales.old.gone": "table",
    }  # fmt: skip
    customers = datasets["public.customers"]
    assert (customers["namespace"], customers["description"], customers["rowCount"]) == (namespace, "Who buys", 100)
    assert customers["attributes"]["uniqueKeys"] == [["mail"]]
    assert datasets["sales.totals"]["rowCount"] is None
    assert datasets["sales.orders"]["attributes"] == {
        "schema": "sales", "primaryKey": ["part", "id"], "uniqueKeys": [], "partitionOf": None,
        "foreignKeys": [
            {"columns": ["customer"], "dataset": f"{database}.public.customers", "referencedColumns": ["id"]}
        ],
    }  # fmt: skip
    assert datasets["sales.orders_1"]["attributes"]["partitionOf"] == f"{database}.sales.orders"
    fields = [row for row in rows["Field"] if row["dataset"] == f"{database}.public.customers"]
    assert [(row["name"], row["type"], row["nullable"], row["ordinal"], row["description"]) for row in fields] == [
        ("id", "integer", False, 1, None), ("mail", "text", True, 2, "Where to write"),
        ("country", "character(2)", False, 3, None),
    ]  # fmt: skip
    encoded = namespace.replace(":", "%3A").replace("/", "%2F")
    assert {
        "from": f"nucleus:dataset:{encoded}:{database}.public.customers",
        "to": f"nucleus:field:{encoded}:{database}.public.customers:mail",
    } in rows["HAS_FIELD"]
    assert found.counts == {"schemas": 3, "tables": 5, "columns": len(rows["Field"])}
    assert len(rows["HAS_FIELD"]) == len(rows["Field"])
    assert [(one.namespace, one.name_prefix) for one in found.complete_scopes] == [(namespace, f"{database}.")]


def test_a_scope_is_complete_for_its_schemas_unless_names_could_be_mistaken(shop):
    database = shop.config()["database"]
    found, rows = collected(shop, "public", "sales")
    assert {row["attributes"]["schema"] for row in rows["Dataset"]} == {"public", "sales"}
    # Tables of "sales.old" begin with "sales." too.
    assert [one.name_prefix for one in found.complete_scopes] == [f"{database}.public."]


def test_a_schema_that_is_missing_is_no_reason_to_take_its_tables_for_gone(shop):
    found = source(shop).collect(["public", "nowhere"], Cancellation())
    with pytest.raises(IngestionError, match="nowhere") as caught:
        list(found.tables)
    assert (caught.value.code, caught.value.field, found.complete_scopes) == ("SOURCE_SCHEMA_MISSING", "scope", [])


def test_many_tables_come_in_pieces(shop, monkeypatch):
    monkeypatch.setattr("runtime_common.endpoints.postgres_collect._PIECE", 2)
    found, rows = collected(shop)
    assert len(rows["Dataset"]) == found.counts["tables"] == 5
    assert len({row["name"] for row in rows["Dataset"]}) == 5


def test_strange_names_are_told_exactly(shop):
    table, column = 'a "b"/ü:%', "c:1 %d"
    with psycopg.connect(shop.url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE TABLE {} ({} int)").format(sql.Identifier(table), sql.Identifier(column)))
        try:
            _, rows = collected(shop, "public")
            assert preview(shop, {"table": table}).table.column_names == [column]
        finally:
            server.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))
    (link,) = [row for row in rows["HAS_FIELD"] if row["to"].endswith(":c%3A1%20%25d")]
    assert link["from"].endswith("public.a%20%22b%22%2F%C3%BC%3A%25")
