"""Python's models against the JSON Schemas that are generated from the zod contracts."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runtime_common.contracts import (
    ProgressEvent,
    RunIngestionUnitInput,
    RunMetadataFile,
    WorkerEvents,
    WorkerReadyEvent,
)
from runtime_common.contracts.model import parse
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import ConfigurationError
from runtime_common.spark import SparkEngine
from tests.support.units import parquet_unit

SCHEMAS = Path(__file__).resolve().parents[1] / "runtime_common" / "contracts"


def validate(name, payload):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(payload)


def schema_properties(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))["properties"]


@pytest.fixture
def unit(database, tmp_path):
    database.execute("DROP TABLE IF EXISTS events; CREATE TABLE events (id int, at timestamptz)")
    database.execute("INSERT INTO events VALUES (1, now())")
    built = parquet_unit(database, tmp_path)
    yield built
    built.staging.close()


def test_what_python_reads_is_what_the_contract_allows(unit):
    wire = unit.request().model_dump(mode="json", by_alias=True)
    validate("run-ingestion-unit-input", wire)
    assert RunIngestionUnitInput.model_validate(wire).model_dump(mode="json", by_alias=True) == wire
    assert set(wire) == set(schema_properties("run-ingestion-unit-input"))


def test_optional_parts_may_be_left_out(unit):
    wire = unit.request().to_wire()
    for name in ("sinkId", "policy", "stagingProviderId"):
        del wire[name]
    validate("run-ingestion-unit-input", wire)
    read = RunIngestionUnitInput.model_validate(wire)
    assert (read.sink_id, read.staging_provider_id, read.policy.slice_rows) == (None, "local_directory", 200_000)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("endpointId",), "a::b", "input.endpointId"),
        (("extra",), 1, "input.extra"),
        (("execution", "runId"), "no-uuid", "input.execution.runId"),
        (("policy", "sliceRows"), 0, "input.policy.sliceRows"),
    ],
)
def test_what_the_contract_refuses_python_refuses_by_name(unit, path, value, field):
    wire = unit.request().to_wire()
    holder = wire
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    with pytest.raises(ConfigurationError) as caught:
        parse(RunIngestionUnitInput, wire, prefix="input")
    assert caught.value.field == field


def test_results_are_what_the_contract_describes(unit):
    first, second = unit.run(), unit.run()
    for result in (first, second):
        validate("run-ingestion-unit-result", result.to_wire())
    assert first.to_wire()["new_checkpoint"] is not None
    assert second.to_wire()["new_checkpoint"] is None


def test_metadata_files_are_what_the_contract_describes(unit):
    left = RunMetadataFile(path="run/a.arrows", contents="links", kind="TAGGED", rows=2, sha256="0" * 64)
    validate("run-ingestion-unit-result", unit.run().model_copy(update={"metadata_files": [left]}).to_wire())
    with pytest.raises(ConfigurationError):
        parse(RunMetadataFile, left.to_wire() | {"path": "../a.arrows"})


def test_the_templates_are_what_the_contract_describes():
    templates = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).templates()
    validate("template-list", templates.to_wire())
    by_id = {template.id: template for template in templates.templates}
    assert sorted(by_id) == [
        "cdm_postgres",
        "confluence",
        "hdfs_parquet",
        "http_rest",
        "iceberg",
        "jdbc_postgres",
        "jdbc_postgres_tables",
        "jira",
        "kafka",
        "onedrive",
        "parquet_files",
        "warehouse",
    ]
    for template in by_id.values():
        Draft202012Validator.check_schema(template.config_schema)
    password = by_id["jdbc_postgres"].config_schema["properties"]["password"]
    assert password["writeOnly"] is True
    assert by_id["jdbc_postgres"].config_schema["additionalProperties"] is False
    object_schema = by_id["jdbc_postgres"].object_schema
    assert object_schema is not None
    assert sorted(object_schema["properties"]) == ["query", "schema", "table"]


def test_events_are_what_the_contract_describes():
    progress = ProgressEvent(
        run_id=uuid.uuid4(), endpoint_id="e", unit_id="u", sink_id=None, phase="import",
        rows_read=1, rows_written=0, rows_per_second=0.5, at=datetime.now(UTC),
    )  # fmt: skip
    validate("worker-events", WorkerEvents(events=[progress, WorkerReadyEvent(descriptor_hash="0" * 64)]).to_wire())
