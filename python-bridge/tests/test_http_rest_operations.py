"""Connection test, preview and collection of a REST API."""

from __future__ import annotations

import base64

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints.http_rest.source import HttpRestSource
from runtime_common.exceptions import ConfigurationError, DataError, IngestionError
from tests.support.http_server import Reply
from tests.support.rest_api import CURSOR, FIELDS, Orders, factory

OBJECT = {"path": "orders/by-cursor", "records": "$.items", "fields": FIELDS, "paging": CURSOR}


@pytest.fixture
def orders(server):
    api = Orders(server)
    for number in range(1, 6):
        api.put(number, f"2026-01-0{number}T00:00:00Z")
    return api


def source(server, **config):
    ref = EndpointRef(endpoint_id="s", template_id="http_rest", config={"baseUrl": server.url} | config)
    built = factory().source(ref)
    assert isinstance(built, HttpRestSource)
    return built


def outcomes(server, **config):
    said = {}
    for check in source(server, **config).checks(Cancellation()):
        try:
            said[check.name] = check.run()
        except IngestionError as error:
            said[check.name] = error.code
            break
    return said


def preview(server, limit=3, **object_):
    return source(server).preview(OBJECT | object_, limit=limit, cancellation=Cancellation())


def test_the_descriptor_says_what_there_is():
    template = {one.id: one for one in factory().templates().templates}["http_rest"]
    assert [check.name for check in template.checks] == ["resolve", "request"]
    properties = template.config_schema["properties"]
    secrets = [name for name, one in properties.items() if "writeOnly" in str(one)]
    assert secrets == ["password", "token", "clientSecret"]
    for schema in (template.config_schema, template.object_schema or {}):
        for one in schema["properties"].values():
            assert {"title", "description", "examples", "x-group"} <= set(one)


def test_a_server_that_answers_passes_whatever_it_has_at_its_root(server):
    assert outcomes(server) == {
        "resolve": "1 address(es)", "request": "the server answers 404 by none authentication",
    }  # fmt: skip
    server.plays(Reply(body="<html>", content_type="text/html"))
    assert outcomes(server)["request"].startswith("the server answers 200")


@pytest.mark.parametrize(
    ("config", "reply", "step", "code"),
    [
        ({"baseUrl": "http://no-such-host.invalid"}, Reply(), "resolve", "SOURCE_NAME_UNKNOWN"),
        ({"baseUrl": "http://127.0.0.1:1"}, Reply(), "request", "SOURCE_UNREACHABLE"),
        ({"authentication": "bearer", "token": "t0ken"}, Reply(status=401), "request", "SOURCE_AUTHENTICATION_FAILED"),
        ({}, Reply(status=500), "request", "SOURCE_FAILED"),
        ({"baseUrl": "http://10.0.0.1/"}, Reply(), "request", "SOURCE_ADDRESS_REFUSED"),
    ],
)
def test_the_step_that_fails_says_why(server, config, reply, step, code):
    server.plays(reply)
    assert list(outcomes(server, **config).items())[-1] == (step, code)


@pytest.mark.parametrize(
    ("config", "header", "query"),
    [
        ({"authentication": "basic", "user": "u", "password": "p4ss:é"},
         ("authorization", f"Basic {base64.b64encode('u:p4ss:é'.encode()).decode()}"), {}),
        ({"authentication": "bearer", "token": "t0ken"}, ("authorization", "Bearer t0ken"), {}),
        ({"authentication": "apiKeyHeader", "apiKeyName": "X-Key", "token": "k3y"}, ("x-key", "k3y"), {}),
        ({"authentication": "apiKeyQuery", "apiKeyName": "key", "token": "k3y"}, ("host", None), {"key": "k3y"}),
        ({"headers": {"Accept-Language": "de"}}, ("accept-language", "de"), {}),
    ],
    ids=str,
)  # fmt: skip
def test_credentials_are_sent_as_the_api_takes_them(server, config, header, query):
    outcomes(server, **config)
    name, value = header
    assert server.asked[0].headers[name] == (value or f"127.0.0.1:{server.port}")
    assert server.asked[0].query == query


def test_a_token_url_gives_the_token(server):
    server.answer = lambda asked: (
        Reply(body={"access_token": "t1"}) if asked.path == "/token" else Reply(status=404, body=asked.headers)
    )
    config = {"authentication": "oauth2ClientCredentials", "tokenUrl": f"{server.url}/token", "clientId": "me",
              "clientSecret": "s3cret", "scope": "read"}  # fmt: skip
    outcomes(server, **config)
    assert server.asked[-1].headers["authorization"] == "Bearer t1"


@pytest.mark.parametrize(
    "config",
    [
        {"authentication": "basic", "user": "u"},
        {"authentication": "oauth2ClientCredentials", "clientId": "me"},
        {"authentication": "apiKeyHeader", "apiKeyName": "no header", "token": "k3y"},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"X": "a\r\nHost: b"}},
        {"requestsPerSecond": 0},
    ],
    ids=str,
)
def test_a_config_that_can_not_work_is_refused(server, config):
    with pytest.raises(ConfigurationError) as caught:
        source(server, **config)
    assert (caught.value.field or "").startswith("source.config")


def test_a_preview_shows_the_first_records(server, orders):
    sample = preview(server)
    assert (sample.table["id"].to_pylist(), sample.truncated) == ([1, 2, 3], True)
    whole = preview(server, limit=10)
    assert (whole.table.num_rows, whole.truncated, whole.dataset.name) == (5, False, "orders/by-cursor")


def test_a_preview_leaves_bad_records_out_unless_there_are_no_others(server, orders):
    orders.rows[0]["id"] = "one"
    assert preview(server).table["id"].to_pylist() == [2, 3, 4]
    for one in orders.rows:
        one["id"] = "bad"
    with pytest.raises(DataError, match="none of the first records can be a row"):
        preview(server)


def test_an_open_api_document_tells_what_can_be_read(server):
    paths = {"/orders": {"get": {"summary": "All orders"}}, "/orders/{id}": {"get": {}}, "/login": {"post": {}},
             "/users/": {"get": {}}}  # fmt: skip
    server.answer = lambda asked: Reply(body={"openapi": "3.1.0", "paths": paths})
    api = source(server, openApiPath="/openapi.json")
    collected = api.collect([], Cancellation())
    (piece,) = collected.tables
    found = [(row["name"], row["type"], row["description"]) for row in piece.table.to_pylist()]
    assert found == [("orders", "rest", "All orders"), ("users", "rest", None)]
    assert collected.counts == {"paths": 2}
    assert [(one.namespace, one.name_prefix) for one in collected.complete_scopes] == [(server.url, "")]
    some = api.collect(["/users"], Cancellation())
    assert ([piece.table["name"].to_pylist() for piece in some.tables], some.complete_scopes) == ([["users"]], [])


def test_without_such_a_document_nothing_can_be_collected(server):
    with pytest.raises(ConfigurationError) as caught:
        source(server).collect([], Cancellation())
    assert caught.value.field == "source.config.openApiPath"
    server.plays(Reply(body={"swagger": "no"}))
    with pytest.raises(DataError):
        source(server, openApiPath="openapi.json").collect([], Cancellation())
