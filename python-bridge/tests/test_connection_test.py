"""Steps of a connection test: their order, what is skipped, and what a failure says."""

from __future__ import annotations

import threading

import pytest

from ingestion_runtime.operations import patience, run_connection_test
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef, TestEndpointInput
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.iceberg_checks import RemoteWarehouse
from runtime_common.exceptions import InternalError, RunCancelledError, SinkError, SourceError
from runtime_common.spark import SparkEngine
from tests.support.scripted_endpoint import ScriptedEndpoint, scripted_ref

CANARY = "c4n4ry-of-the-connection-test"


def says(text, ran=None):
    def run():
        if ran is not None:
            ran.append(text)
        return text

    return run


def fails(message="no", **kwargs):
    def run():
        raise SourceError(message, **kwargs)

    return run


def result_of(endpoint, *, config=None, role="source", cancellation=None):
    request = TestEndpointInput(role=role, endpoint=scripted_ref(**(config or {})))
    return run_connection_test(request, factory=endpoint.factory(), cancellation=cancellation or Cancellation())


def statuses(result):
    return {check.name: check.status for check in result.checks}


def test_all_steps_run_in_order_and_say_what_they_found():
    result = result_of(ScriptedEndpoint(steps={"resolve": (says("found"), ()), "read": (says("read"), ("resolve",))}))
    assert result.passed
    assert [(one.name, one.title, one.message) for one in result.checks] == [
        ("config", "Read the config and open its secrets", "the config is sound"),
        ("resolve", "Step resolve", "found"),
        ("read", "Step read", "read"),
    ]
    assert all(one.code is None and one.field is None for one in result.checks)


def test_what_needs_a_failed_step_is_skipped_and_the_rest_runs():
    ran: list[str] = []
    result = result_of(
        ScriptedEndpoint(
            steps={
                "connect": (fails("refused; start it", code="SOURCE_UNREACHABLE", field="source.config.host"), ()),
                "login": (says("login", ran), ("connect",)),
                "read": (says("read", ran), ("login",)),
                "disk": (says("disk", ran), ()),
            }
        )
    )
    expected = {"config": "passed", "connect": "failed", "login": "skipped", "read": "skipped", "disk": "passed"}
    assert (statuses(result), ran, result.passed) == (expected, ["disk"], False)
    connect, login = result.checks[1], result.checks[2]
    assert (connect.code, connect.field) == ("SOURCE_UNREACHABLE", "source.config.host")
    assert connect.message == "refused; start it"
    assert (login.code, login.message) == (None, "skipped, since it needs 'connect'")


def test_no_secret_leaves_it():
    result = result_of(
        ScriptedEndpoint(
            steps={"connect": (lambda: f"by {CANARY}", ()), "read": (fails(f"refused {CANARY}"), ())},
        ),
        config={"password": CANARY},
    )
    assert CANARY not in str(result.to_wire())
    assert [one.message for one in result.checks[1:]] == ["by [secret]", "refused [secret]"]


@pytest.mark.parametrize(
    ("config", "code", "field"),
    [
        ({"unknown": 1}, "INVALID_CONFIG", "source.config.unknown"),
        ({"password": {"$sealed": "v1.AAAA"}}, "SECRET_KEY_MISSING", "source.config.password"),
    ],
)
def test_a_config_that_can_not_be_used_is_the_first_step_that_fails(config, code, field):
    result = result_of(ScriptedEndpoint(steps={"connect": (says(""), ())}), config=config)
    assert statuses(result) == {"config": "failed", "connect": "skipped"}
    assert (result.passed, result.checks[0].code, result.checks[0].field) == (False, code, field)


@pytest.mark.parametrize("role", ["sink", "staging"])
def test_a_template_that_does_not_exist_in_that_role_fails_the_first_step(role):
    result = result_of(ScriptedEndpoint(), role=role)
    assert [(one.name, one.status, one.code) for one in result.checks] == [("config", "failed", "UNKNOWN_TEMPLATE")]


def test_an_endpoint_without_steps_says_what_is_not_known():
    result = result_of(ScriptedEndpoint())
    assert (statuses(result), result.passed) == ({"config": "passed"}, True)
    assert "whether it answers is not known" in str(result.checks[0].message)


def test_an_unforeseen_fault_is_a_finding_about_the_step_alone():
    def breaks():
        raise KeyError("a fault of the endpoint")

    result = result_of(ScriptedEndpoint(steps={"a": (breaks, ()), "b": (says(""), ())}))
    assert statuses(result) == {"config": "passed", "a": "failed", "b": "passed"}
    assert result.checks[1].code == "INTERNAL"


@pytest.mark.parametrize("offered", [[], ["b", "a"]])
def test_steps_that_the_descriptor_does_not_list_are_a_fault_of_the_endpoint(offered):
    endpoint = ScriptedEndpoint(steps={"a": (says(""), ()), "b": (says(""), ())}, offered=offered)
    with pytest.raises(InternalError, match="not those of its descriptor"):
        result_of(endpoint)


def test_a_cancellation_is_no_finding():
    cancellation = Cancellation()

    def cancelled():
        cancellation.cancel()
        raise SourceError("the driver was cancelled")

    with pytest.raises(RunCancelledError):
        result_of(ScriptedEndpoint(steps={"a": (cancelled, ())}), cancellation=cancellation)


def test_a_step_that_hears_nothing_does_not_hold_a_cancellation_up(monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.01)
    cancellation, released = Cancellation(), threading.Event()

    def waits():
        cancellation.cancel()
        released.wait()
        return ""

    with pytest.raises(RunCancelledError):
        result_of(ScriptedEndpoint(steps={"a": (waits, ())}), cancellation=cancellation)
    released.set()


def built_in(template, **config):
    ref = EndpointRef(endpoint_id="sink-1", template_id=template, config=config)
    return run_connection_test(
        TestEndpointInput(role="sink", endpoint=ref),
        factory=EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)),
        cancellation=Cancellation(),
    )


@pytest.mark.parametrize(
    ("template", "field", "steps"),
    [("parquet_files", "directory", ["directory", "write", "space"]), ("iceberg", "warehouse", ["catalog", "write"])],
)
def test_a_sink_on_the_local_disk_is_tested_without_leaving_anything(tmp_path, template, field, steps):
    for place in (tmp_path, tmp_path / "not" / "yet"):
        result = built_in(template, **{field: str(place)})
        assert statuses(result) == {"config": "passed"} | dict.fromkeys(steps, "passed"), result
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("template", "field", "step"), [("parquet_files", "directory", "directory"), ("iceberg", "warehouse", "catalog")]
)
@pytest.mark.parametrize("place", ["file", "file/below", "link"])
def test_a_place_that_can_not_be_a_folder_is_named(tmp_path, template, field, step, place):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    result = built_in(template, **{field: str(tmp_path / place)})
    failed = next(one for one in result.checks if one.status == "failed")
    assert (failed.name, failed.code, failed.field) == (step, "SINK_NOT_WRITABLE", f"sink.config.{field}")
    assert statuses(result)["write"] == "skipped"


def test_a_warehouse_behind_a_url_is_tested_through_spark(spark, tmp_path):
    warehouse = RemoteWarehouse(f"file://{tmp_path}/warehouse", spark, Cancellation())
    assert warehouse.reach().endswith("can be reached; it will be made")
    assert f"file was written to file:{tmp_path}" in warehouse.write()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "warehouse").mkdir()
    assert warehouse.reach().endswith("can be reached")


@pytest.mark.parametrize("url", ["hdfs://127.0.0.1:1/warehouse", "no-such-scheme://somewhere/warehouse"])
def test_a_warehouse_that_does_not_answer_is_named(spark, url):
    with pytest.raises(SinkError, match=f"{url} can't be reached") as caught:
        RemoteWarehouse(url, spark, Cancellation()).reach()
    assert (caught.value.code, caught.value.field) == ("SINK_UNREACHABLE", "sink.config.warehouse")
