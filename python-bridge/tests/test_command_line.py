"""The command line as a process, and that no secret leaves it by any way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.support.units import parquet_unit

BRIDGE = Path(__file__).resolve().parents[1]
CANARY = "c4n4ry'%s secret/+é"


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, BRIDGE / "ingestion.py", *arguments],
        capture_output=True, text=True, check=False, env=os.environ | environment, cwd=environment["STAGING_ROOT"],
    )  # fmt: skip


@pytest.fixture
def unit_file(database, tmp_path):
    database.execute("DROP TABLE IF EXISTS events; CREATE TABLE events (id int, at timestamptz)")
    database.execute("INSERT INTO events VALUES (1, '2013-01-01 00:00Z'), (2, '2013-01-01 01:00Z')")
    unit = parquet_unit(database, tmp_path)
    request = unit.request().to_wire()
    unit.staging.close()
    execution = request["execution"]
    execution["source"]["config"]["password"] = {"$env": "CLI_PASSWORD"}

    def write(**source_changes):
        execution["source"]["config"].update(source_changes)
        content = {
            "endpointId": "source-1", "unitId": "events", "source": execution["source"],
            "sink": execution["sink"], "unit": execution["unit"], "policy": {},
        }  # fmt: skip
        path = tmp_path / "unit.json"
        path.write_text(json.dumps(content))
        return path

    return write


def test_a_unit_runs_and_its_checkpoint_is_kept(unit_file, database, tmp_path):
    environment = {"STAGING_ROOT": str(tmp_path), "CLI_PASSWORD": database.config()["password"]}
    checkpoint = tmp_path / "checkpoint.json"
    arguments = ("run", unit_file(), "--checkpoint", checkpoint)
    first = run(*arguments, **environment)
    assert (first.returncode, json.loads(first.stdout)["stats"]["rowsWritten"]) == (0, 2), first.stderr
    database.execute("INSERT INTO events VALUES (3, '2013-01-01 01:00Z')")
    second = run(*arguments, **environment)
    assert (second.returncode, json.loads(second.stdout)["stats"]["rowsWritten"]) == (0, 1), second.stderr
    assert json.loads(checkpoint.read_text())["version"] == 2
    count = duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [str(tmp_path / "sink/events/*.parquet")])
    assert count.fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"port": 1}, 3, "SOURCE_UNREACHABLE"),
        ({"database": "no_such_database"}, 2, "SOURCE_DATABASE_MISSING"),
        ({"port": "no number"}, 2, "source.config.port"),
        ({}, 3, "SOURCE_AUTHENTICATION_FAILED"),
    ],
)
def test_a_failure_has_its_exit_code_and_shows_no_secret(unit_file, database, tmp_path, changes, code, text):
    password = database.config()["password"] if "database" in changes else CANARY
    failed = run(
        "run",
        unit_file(**changes),
        "--checkpoint",
        tmp_path / "c.json",
        STAGING_ROOT=str(tmp_path),
        CLI_PASSWORD=password,
    )
    assert (failed.returncode, text in failed.stderr) == (code, True), failed.stderr
    assert password not in failed.stderr + failed.stdout
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "c.json").exists()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert password.encode() not in path.read_bytes()


def test_help_and_templates_need_no_server(tmp_path):
    assert "exit codes" in run("--help", STAGING_ROOT=str(tmp_path)).stdout
    templates = json.loads(run("templates", STAGING_ROOT=str(tmp_path)).stdout)
    known = ["iceberg", "jdbc_postgres", "jdbc_postgres_tables", "kafka", "parquet_files"]
    assert [one["id"] for one in templates["templates"]] == known
