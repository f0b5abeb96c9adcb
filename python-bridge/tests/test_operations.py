"""Connection test, preview and collection of real sources, by what the worker does for the control plane."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ingestion_runtime.operations import CollectionProgress, collect_metadata, preview_metadata, run_connection_test
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import CollectMetadataInput, EndpointRef, PreviewMetadataInput, TestEndpointInput
from runtime_common.endpoints import EndpointFactory
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.spark import SparkEngine
from tests.support.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A real source: one object of it, a column and its values, and the name of its data set."""

    ref: EndpointRef
    object: Mapping[str, Any]
    column: str
    values: list[str]
    name: str


@pytest.fixture
def kafka(kafka_broker):
    topic = Topic.create(kafka_broker)
    topic.write("a", "b")
    ref = EndpointRef(endpoint_id="source-1", template_id="kafka", config=topic.config())
    return Subject(
        ref=ref, object={"topic": topic.name, "valueFormat": "text"}, column="value", values=["a", "b"], name=topic.name
    )


@pytest.fixture
def jdbc_postgres(database):
    database.execute("DROP TABLE IF EXISTS asked; CREATE TABLE asked (v text); INSERT INTO asked VALUES ('a'), ('b')")
    ref = EndpointRef(endpoint_id="source-1", template_id="jdbc_postgres", config=database.config())
    name = f"{database.config()['database']}.public.asked"
    return Subject(ref=ref, object={"schema": "public", "table": "asked"}, column="v", values=["a", "b"], name=name)


@pytest.fixture(params=["kafka", "jdbc_postgres"])
def subject(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def factory():
    return EndpointFactory(secret_key=None, spark=SparkEngine(jars=None))


def test_its_connection_test_passes_each_step_of_the_template(subject, factory):
    result = run_connection_test(
        TestEndpointInput(role="source", endpoint=subject.ref), factory=factory, cancellation=Cancellation()
    )
    steps = [step.name for step in factory.descriptor(subject.ref, "source").checks]
    assert [(check.name, check.status) for check in result.checks] == [(name, "passed") for name in ["config", *steps]]


def test_its_preview_is_in_the_file_with_masked_columns_hidden(subject, factory, tmp_path):
    def shown(**changes):
        request = PreviewMetadataInput(
            request_id=uuid.uuid4(), source=subject.ref, object=dict(subject.object), **changes
        )
        result = preview_metadata(
            request, factory=factory, metadata=RunMetadataFolder(tmp_path), cancellation=Cancellation()
        )
        preview = json.loads((tmp_path / result.path).read_bytes())
        index = [column["name"] for column in preview["columns"]].index(subject.column)
        return preview, sorted(row[index] for row in preview["rows"])

    preview, values = shown()
    assert (values, preview["truncated"], preview["dataset"]["name"]) == (subject.values, False, subject.name)
    _, values = shown(masked_columns=[subject.column])
    assert values == ["***", "***"]


def test_its_collection_holds_the_object_and_says_what_it_has_seen(subject, factory, tmp_path):
    result = collect_metadata(
        CollectMetadataInput(request_id=uuid.uuid4(), source=subject.ref, scope=[]),
        factory=factory,
        metadata=RunMetadataFolder(tmp_path),
        cancellation=Cancellation(),
        progress=CollectionProgress(),
    )
    names = [
        name
        for file in result.files
        if file.kind == "Dataset"
        for name in pa.ipc.open_stream((tmp_path / file.path).read_bytes()).read_all()["name"].to_pylist()
    ]
    assert subject.name in names
    assert any(subject.name.startswith(scope.name_prefix) for scope in result.complete_scopes)
