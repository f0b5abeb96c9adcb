"""Connection test, preview and collection as activities, in the SDK's own activity environment."""

from __future__ import annotations

import threading
import uuid

import pyarrow as pa
import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment

from ingestion_runtime import activity_guard
from ingestion_runtime.activities import IngestionActivities
from ingestion_runtime.events import EventPoster
from runtime_common.exceptions import SourceError
from runtime_common.protocols import MetadataTable
from runtime_common.run_metadata import RunMetadataFolder
from tests.support.scripted_endpoint import ScriptedEndpoint, scripted_ref
from tests.test_contracts import validate

DEADLINE_SECONDS = 10
CANARY = "c4n4ry-of-the-activities"


def activities(root, endpoint):
    return IngestionActivities(
        factory=endpoint.factory(), staging={}, metadata=RunMetadataFolder(root),
        poster=EventPoster(url=None, token=None),
    )  # fmt: skip


def source(**config):
    return scripted_ref(**config).to_wire()


def answered(name, given, activity):
    validate(f"{name}-input", given)
    result = ActivityEnvironment().run(activity, given)
    validate(f"{name}-result", result)
    return result


def test_each_takes_and_returns_what_the_contract_describes(tmp_path):
    piece = MetadataTable(contents="entities", kind="Dataset", table=pa.table({"name": ["a"]}))
    built = activities(tmp_path, ScriptedEndpoint(steps={"a": (lambda: "", ())}, pieces=lambda _: [piece]))
    tested = answered("test-endpoint", {"role": "source", "endpoint": source()}, built.test_metadata_endpoint)
    assert [one["status"] for one in tested["checks"]] == ["passed", "passed"]
    request = {"requestId": str(uuid.uuid4()), "source": source()}
    shown = answered("preview-metadata", request | {"object": {}}, built.preview_metadata)
    assert (tmp_path / shown["path"]).exists()
    assert len(answered("collect-metadata", request, built.collect_metadata)["files"]) == 1


def test_what_somebody_waits_for_has_a_queue_of_its_own(tmp_path):
    built = activities(tmp_path, ScriptedEndpoint())
    work, questions = (
        [getattr(one, "__temporal_activity_definition").name for one in group]
        for group in (built.work(), built.questions())
    )
    assert work == ["listMetadataEndpointTemplates", "runIngestionUnit", "collectMetadata"]
    assert questions == ["testMetadataEndpoint", "previewMetadata"]


def test_a_failure_is_typed_and_holds_no_secret(tmp_path):
    def refuses():
        raise SourceError(f"refused {CANARY}", code="SOURCE_ACCESS_DENIED", field="source.config.user")

    built = activities(tmp_path, ScriptedEndpoint(asked=refuses))
    request = {"requestId": str(uuid.uuid4()), "source": source(password=CANARY), "object": {}}
    with pytest.raises(ApplicationError) as caught:
        ActivityEnvironment().run(built.preview_metadata, request)
    assert (caught.value.type, caught.value.non_retryable) == ("SOURCE_ACCESS_DENIED", True)
    assert caught.value.details[0] == {
        "code": "SOURCE_ACCESS_DENIED", "category": "source", "field": "source.config.user",
        "message": "refused [secret]", "retryable": False,
    }  # fmt: skip
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["test_metadata_endpoint", "preview_metadata", "collect_metadata"])
def test_each_sends_heartbeats_and_ends_when_it_is_cancelled(tmp_path, monkeypatch, name):
    monkeypatch.setattr(activity_guard, "HEARTBEAT_SECONDS", 0.01)
    beats, released = threading.Semaphore(0), threading.Event()
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beats.release()

    def waits_for_beats():
        assert all(beats.acquire(timeout=DEADLINE_SECONDS) for _ in range(3))
        environment.cancel(ActivityCancellationDetails(cancel_requested=True))
        # Deaf to the cancellation.
        released.wait(DEADLINE_SECONDS)
        return ""

    def pieces(_):
        waits_for_beats()
        yield MetadataTable(contents="entities", kind="Dataset", table=pa.table({"name": ["a"]}))

    built = activities(
        tmp_path, ScriptedEndpoint(steps={"a": (waits_for_beats, ())}, asked=waits_for_beats, pieces=pieces)
    )
    request = {
        "test_metadata_endpoint": {"role": "source", "endpoint": source()},
        "preview_metadata": {"requestId": str(uuid.uuid4()), "source": source(), "object": {}},
        "collect_metadata": {"requestId": str(uuid.uuid4()), "source": source()},
    }
    monkeypatch.setattr("ingestion_runtime.operations.patience.PATIENCE_SECONDS", 0.01)
    with pytest.raises(CancelledError):
        environment.run(getattr(built, name), request[name])
    released.set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
