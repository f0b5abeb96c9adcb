"""Commits through a real REST catalog, read back by pyiceberg through that catalog; its connection test."""

from __future__ import annotations

import uuid
from dataclasses import replace

import httpx
import pytest
from pyspark.errors import PySparkException

from runtime_common.cancellation import Cancellation
from runtime_common.contracts.model import parse
from runtime_common.endpoints.iceberg_catalog import hadoop_catalog
from runtime_common.endpoints.iceberg_history import TableState
from runtime_common.endpoints.warehouse import WarehouseConfig, WarehouseSink
from runtime_common.exceptions import ConfigurationError, SinkError, SupersededError
from runtime_common.spark import SparkEngine
from runtime_common.staging import LocalDirectoryStaging
from tests.support.rest_catalog import running_catalog
from tests.support.slices import commit_request, rows, staged_slice

UNIT = "source/unit/sink"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with running_catalog(tmp_path_factory.mktemp("catalog") / "warehouse") as server:
        yield server


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


def config_of(catalog, **changes):
    payload = {"catalog": "rest", "uri": catalog.uri, "token": catalog.token} | changes
    given = {name: value for name, value in payload.items() if value is not None}
    return parse(WarehouseConfig, given, prefix="sink.config")


def commit(sink, staging, batch_id, batch, last, mode="merge", **changes):
    session = staged_slice(staging, batch, batch_id=batch_id)
    request = replace(commit_request(batch_id, last, write_mode=mode), **changes)
    return sink.commit(request, session.reader(), Cancellation())


def test_slices_are_committed_once_and_in_turn_through_a_catalog_server(catalog, staging, spark):
    sink = WarehouseSink(config_of(catalog, token=None, credential=catalog.credential), spark)
    assert (sink.last_commit(UNIT, "events"), sink.current_output("events")) == (None, None)
    first = commit(sink, staging, "a:0", rows(id=[1, 2], v=["a", "b"]), None)
    assert commit(sink, staging, "a:0", rows(id=[1, 2], v=["a", "b"]), None) == first
    batch = rows(id=[2, 3, 1], v=["B", "c", "a"], gone=[False, False, True])
    second = commit(sink, staging, "b:0", batch, first, schema_change="evolve", delete_field="gone")
    with pytest.raises(SupersededError):
        commit(sink, staging, "z:0", rows(id=[9], v=["z"]), first)
    after = [{"id": 2, "v": "B", "gone": False}, {"id": 3, "v": "c", "gone": False}]
    assert catalog.rows("nucleus", "events") == after
    assert (sink.last_commit(UNIT, "events"), sink.current_output("events")) == (second, second.output)
    assert (second.output.namespace, second.output.name) == (catalog.uri, "nucleus.events")
    assert not sink.may_have_forgotten("events")


@pytest.mark.soak
def test_a_commit_that_another_attempt_overtakes_before_the_catalog_publishes_it_writes_nothing(
    catalog, staging, spark, monkeypatch
):
    sink = WarehouseSink(config_of(catalog, namespace="overtaken"), spark)
    first = commit(sink, staging, "a:0", rows(id=[1]), None, "append")
    publish = WarehouseSink._publish
    overtaken: list[object] = []

    def overtake_first(self, history, request, staged_id):
        if not overtaken:
            overtaken.append(None)
            overtaken.append(commit(sink, staging, "b:0", rows(id=[2]), first, "append"))
        return publish(self, history, request, staged_id)

    monkeypatch.setattr(WarehouseSink, "_publish", overtake_first)
    loser = commit(sink, staging, "b:0", rows(id=[2]), first, "append")
    assert overtaken == [None, loser]
    assert catalog.rows("overtaken", "events") == [{"id": 1}, {"id": 2}]


def test_the_catalog_refuses_a_snapshot_that_was_prepared_on_a_state_that_is_gone(catalog, staging, spark, monkeypatch):
    sink = WarehouseSink(config_of(catalog, namespace="raced"), spark)
    first = commit(sink, staging, "a:0", rows(id=[1]), None, "append")
    publish = TableState.publish
    others: list[object] = []

    def after_another_unit(self, wap_id):
        # The state is read, and found to be this attempt's turn; now the table moves on.
        if not others:
            others.append(None)
            request = commit_request("b:0", None, unit_key="source/other/sink")
            sink.commit(request, staged_slice(staging, rows(id=[2]), batch_id="b:0").reader(), Cancellation())
        return publish(self, wap_id)

    monkeypatch.setattr(TableState, "publish", after_another_unit)
    with pytest.raises(SinkError) as caught:
        commit(sink, staging, "a:1", rows(id=[3]), first, "append")
    assert (caught.value.code, caught.value.retryable) == ("SINK_CONFLICT", True)
    assert catalog.rows("raced", "events") == [{"id": 1}, {"id": 2}]


def test_a_catalog_that_refuses_the_token_or_is_away_is_told_so(catalog, staging, spark):
    refused = WarehouseSink(config_of(catalog, token="wrong token"), spark)
    with pytest.raises(SinkError) as caught:
        refused.last_commit(UNIT, "events")
    assert (caught.value.code, caught.value.retryable) == ("SINK_AUTHENTICATION_FAILED", False)
    assert "wrong token" not in str(caught.value)
    away = WarehouseSink(config_of(catalog, uri="http://127.0.0.1:1"), spark)
    with pytest.raises(SinkError) as caught:
        away.last_commit(UNIT, "events")
    assert (caught.value.code, caught.value.retryable) == ("SINK_UNREACHABLE", True)


@pytest.mark.parametrize(
    ("said", "code", "is_retryable"),
    [
        ("NotAuthorizedException", "SINK_AUTHENTICATION_FAILED", False),
        ("ForbiddenException", "SINK_ACCESS_DENIED", False),
        ("CommitFailedException", "SINK_CONFLICT", True),
        ("ServiceUnavailableException", "SINK_UNREACHABLE", True),
    ],
)
def test_what_a_catalog_answers_in_the_midst_of_a_commit_is_typed(said, code, is_retryable):
    with pytest.raises(SinkError) as caught, hadoop_catalog("/warehouse", "nucleus").refusals():
        raise PySparkException(f"org.apache.iceberg.exceptions.{said}: it said so")
    assert (caught.value.code, caught.value.retryable) == (code, is_retryable)


def outcomes(config):
    found: dict[str, object] = {}
    for check in WarehouseSink(config, SparkEngine(jars=None)).checks(Cancellation()):
        if not all(found.get(name) == "passed" for name in check.needs):
            found[check.name] = "skipped"
            continue
        try:
            check.run()
        except SinkError as error:
            found[check.name] = (error.code, error.field)
        else:
            found[check.name] = "passed"
    return list(found.values())


@pytest.mark.parametrize("login", ["token", "credential"])
def test_a_connection_test_passes_and_leaves_nothing_behind(catalog, login):
    namespace = f"n{uuid.uuid4().hex}"
    changes = {"token": None, "credential": catalog.credential} if login == "credential" else {}
    assert outcomes(config_of(catalog, namespace=namespace, **changes)) == ["passed"] * 3
    headers = {"Authorization": f"Bearer {catalog.token}"}
    url = f"{catalog.uri}/v1/namespaces"
    assert httpx.get(f"{url}/{namespace}", headers=headers).status_code == 404
    httpx.post(url, headers=headers, json={"namespace": [namespace], "properties": {}}).raise_for_status()
    assert outcomes(config_of(catalog, namespace=namespace, **changes)) == ["passed"] * 3
    assert httpx.get(f"{url}/{namespace}/tables", headers=headers).json()["identifiers"] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"uri": "http://no-such-host.invalid"}, [("SINK_NAME_UNKNOWN", "sink.config.uri"), "skipped", "skipped"]),
        ({"uri": "http://127.0.0.1:1"}, [("SINK_UNREACHABLE", "sink.config.uri"), "skipped", "skipped"]),
        ({"token": "wrong"}, ["passed", ("SINK_AUTHENTICATION_FAILED", "sink.config.token"), "skipped"]),
        (
            {"token": None, "credential": "nucleus:wrong"},
            ["passed", ("SINK_AUTHENTICATION_FAILED", "sink.config.credential"), "skipped"],
        ),
        ({"namespace": "forbidden"}, ["passed", "passed", ("SINK_ACCESS_DENIED", "sink.config.namespace")]),
    ],
)
def test_a_connection_test_names_the_first_step_that_fails(catalog, changes, expected):
    assert outcomes(config_of(catalog, **changes)) == expected


def test_a_directory_is_tested_without_a_login(tmp_path):
    config = parse(WarehouseConfig, {"catalog": "hadoop", "warehouse": str(tmp_path / "warehouse")})
    assert outcomes(config) == ["passed"] * 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "payload",
    [
        {"catalog": "hadoop"},
        {"catalog": "hadoop", "warehouse": "not absolute"},
        {"catalog": "hadoop", "warehouse": "/w", "token": "t"},
        {"catalog": "rest"},
        {"catalog": "rest", "uri": "https://user@catalog.example.com"},
        {"catalog": "rest", "uri": "https://catalog.example.com", "scope": "s"},
    ],
)
def test_a_config_that_names_no_one_catalog_is_refused(payload):
    with pytest.raises(ConfigurationError):
        parse(WarehouseConfig, payload, prefix="sink.config")
