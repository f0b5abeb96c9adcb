"""An endpoint of another package: found by its entry point, and all that a worker does with it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory, parquet_files
from runtime_common.endpoints.factory import BUILT_IN
from runtime_common.endpoints.plugin import ENTRY_POINT_GROUP, installed_plugins
from runtime_common.exceptions import ConfigurationError
from runtime_common.protocols import Collectable, Previewable, Testable
from runtime_common.spark import SparkEngine
from tests.example_plugin import example_lines
from tests.support.installed_package import install, write_metadata

BRIDGE = Path(__file__).resolve().parents[1]
PACKAGE = Path(__file__).parent / "example_plugin"
DOCUMENT = BRIDGE.parent / "docs" / "adding-an-endpoint.md"


@pytest.fixture
def unit_file(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "orders.txt").write_bytes(b"first\nsecond\n\xff\nunfinished")
    install(PACKAGE, tmp_path / "site")
    content = {
        "endpointId": "lines-1", "unitId": "orders",
        "source": {
            "endpointId": "lines-1", "templateId": "example_lines", "config": {"directory": str(tmp_path / "files")},
        },
        "sink": {
            "endpointId": "sink-1", "templateId": "parquet_files", "config": {"directory": str(tmp_path / "sink")},
        },
        "unit": {
            "object": {"file": "orders.txt"}, "mode": "incremental", "cursorField": "number", "primaryKey": [],
            "target": "orders", "writeMode": "append",
        },
        "policy": {"badRows": "quarantine"},
    }  # fmt: skip
    path = tmp_path / "unit.json"
    path.write_text(json.dumps(content))
    return path


def command_line(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, BRIDGE / "ingestion.py", *arguments, "--json"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site"), "STAGING_ROOT": str(tmp_path / "staging")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_installed_package_moves_rows_without_a_change_of_the_worker(unit_file, tmp_path):
    run = ("run", unit_file, "--checkpoint", tmp_path / "checkpoint.json")
    first = command_line(tmp_path, *run)["stats"]
    assert (first["rowsWritten"], first["rowsQuarantined"], first["engine"]) == (2, 1, "example_lines")
    with (tmp_path / "files" / "orders.txt").open("ab") as file:
        file.write(b" no more\n")
    assert command_line(tmp_path, *run)["stats"]["rowsWritten"] == 1
    files = str(tmp_path / "sink/orders/*.parquet")
    rows = duckdb.connect().execute("SELECT number, line FROM read_parquet(?) ORDER BY number", [files]).fetchall()
    assert rows == [(1, "first"), (2, "second"), (4, "unfinished no more")]


def test_an_installed_package_is_tested_and_previewed(unit_file, tmp_path):
    sides = command_line(tmp_path, "test", unit_file)
    steps = ["config", *(step.name for step in example_lines.DESCRIPTOR.checks)]
    assert ([one["name"] for one in sides["source"]["checks"]], sides["source"]["passed"]) == (steps, True)
    assert command_line(tmp_path, "preview", unit_file, "--limit", "1")["rows"] == [["1", "first"]]


def test_the_factory_of_this_process_finds_it_too(unit_file, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "site")
    factory = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None))
    config = {"directory": str(tmp_path / "files")}
    source = factory.source(EndpointRef(endpoint_id="e", template_id="example_lines", config=config))
    assert isinstance(source, Collectable)
    assert isinstance(source, Previewable)
    assert isinstance(source, Testable)
    collected = source.collect([], Cancellation())
    assert [name for piece in collected.tables for name in piece.table["name"].to_pylist()] == [
        str(tmp_path / "files" / "orders.txt")
    ]
    assert collected.counts == {"files": 1}


@pytest.mark.parametrize(
    ("module", "reason"),
    [("raise RuntimeError('broken')", "RuntimeError: broken"), ("ENDPOINT = 1", "int, neither SourcePlugin nor")],
)
def test_a_plugin_that_can_not_be_loaded_is_told_and_left_out(tmp_path, monkeypatch, caplog, module, reason):
    (tmp_path / "broken_endpoint.py").write_text(module)
    write_metadata(
        tmp_path, name="broken", version="1", entry_points={ENTRY_POINT_GROUP: {"broken": "broken_endpoint:ENDPOINT"}}
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_endpoint", raising=False)
    with caplog.at_level(logging.ERROR):
        assert installed_plugins() == []
    (record,) = caplog.records
    assert reason in record.__dict__["data"]["reason"]


def test_two_endpoints_of_one_id_are_refused():
    with pytest.raises(ConfigurationError) as caught:
        EndpointFactory(secret_key=None, spark=SparkEngine(jars=None), plugins=[*BUILT_IN, parquet_files.ENDPOINT])
    assert caught.value.code == "DUPLICATE_TEMPLATE"


def test_the_documents_code_is_the_packages():
    text = DOCUMENT.read_text("utf-8")
    blocks = re.findall(r"```(python|toml)\n(.*?)```", text, re.DOTALL)
    assert {language for language, _ in blocks} == {"python", "toml"}
    for language, block in blocks:
        code = (PACKAGE / ("pyproject.toml" if language == "toml" else "example_lines.py")).read_text("utf-8")
        # "…" stands for lines that the document leaves out.
        for part in block.split("…"):
            assert part.strip() in code, f"{DOCUMENT.name} shows code that the example does not have:\n{part}"


def test_the_document_names_every_part_of_the_seams():
    text = DOCUMENT.read_text("utf-8")
    for name in ("SourceEndpoint", "SourceRead", "SinkEndpoint", "Testable", "Previewable", "Collectable", "BadRows",
                 "Cancellation", "EndpointServices", "SliceCutter", "WholeReadCutter", "earlier_commit"):  # fmt: skip
        assert f"`{name}`" in text, f"{DOCUMENT.name} does not speak of {name}"
