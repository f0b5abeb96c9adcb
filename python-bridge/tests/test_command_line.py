"""The command line, mostly in this process; and that no secret leaves it by any way out."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pytest

from ingestion_runtime import run_cli
from ingestion_runtime.command_line import main
from ingestion_runtime.command_line.checkpoint_file import locked_checkpoint
from ingestion_runtime.command_line.parser import EXIT_BUSY, EXIT_CANCELLED, EXIT_CODES, build_parser
from ingestion_runtime.command_line.plain_text import table
from ingestion_runtime.command_line.progress_bar import ProgressBar
from ingestion_runtime.events import ProgressSnapshot
from runtime_common.failpoints import EXIT_CODE as KILLED
from tests.support.scripted_endpoint import ScriptedEndpoint, scripted_ref
from tests.support.sink_kinds import PARQUET
from tests.support.units import parquet_unit

BRIDGE = Path(__file__).resolve().parents[1]
DOCUMENT = BRIDGE.parent / "docs" / "ingestion-cli.md"
CANARY = "c4n4ry'%s secret/+é"


def process(tmp_path, *arguments, **environment):
    return subprocess.run(
        [sys.executable, BRIDGE / "ingestion.py", *arguments],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ | {"STAGING_ROOT": str(tmp_path / "staging")} | environment,
    )  # fmt: skip


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, database):
    """Carry out a command line in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("STAGING_ROOT", str(tmp_path / "staging"))
    monkeypatch.setenv("METADATA_ROOT", str(tmp_path / "metadata"))
    monkeypatch.setenv("CLI_PASSWORD", database.config()["password"])

    def made(*arguments):
        code = run_cli([str(one) for one in arguments])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return made


@pytest.fixture
def unit_file(database, tmp_path):
    database.execute("DROP TABLE IF EXISTS events; CREATE TABLE events (id int, at timestamptz)")
    database.execute("INSERT INTO events VALUES (1, '2013-01-01 00:00Z'), (2, '2013-01-01 01:00Z')")
    unit = parquet_unit(database, tmp_path)
    request = unit.request().to_wire()
    unit.staging.close()
    execution = request["execution"]
    execution["source"]["config"]["password"] = {"$env": "CLI_PASSWORD"}

    def write(*, unit_id="events", unit=None, sink=None, **source_changes):
        content = {
            "endpointId": "source-1", "unitId": unit_id, "policy": {}, "unit": execution["unit"] | (unit or {}),
            "source": execution["source"] | {"config": execution["source"]["config"] | source_changes},
            "sink": execution["sink"] | {"config": execution["sink"]["config"] | (sink or {})},
        }  # fmt: skip
        path = tmp_path / "unit.json"
        path.write_text(json.dumps(content))
        return path

    return write


def rows_in(folder):
    files = str(folder / "sink/events/*.parquet")
    return duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchall()[0][0]


def test_a_unit_runs_and_its_checkpoint_is_kept(unit_file, database, tmp_path, call):
    checkpoint = tmp_path / "checkpoint.json"
    arguments = ("run", unit_file(), "--checkpoint", checkpoint, "--json")
    first = process(tmp_path, *arguments, CLI_PASSWORD=database.config()["password"])
    assert (first.returncode, json.loads(first.stdout)["stats"]["rowsWritten"]) == (0, 2), first.stderr
    assert "export" in first.stderr
    database.execute("INSERT INTO events VALUES (3, '2013-01-01 01:00Z')")
    code, out, _ = call(*arguments)
    assert (code, json.loads(out)["stats"]["rowsWritten"]) == (0, 1)
    stored = json.loads(checkpoint.read_text())
    assert (stored["version"], stored["unitKey"], stored["run"]) == (2, "source-1/events/", None)
    assert rows_in(tmp_path) == 3


@pytest.mark.parametrize("mode", ["incremental", "full"])
@pytest.mark.parametrize(
    "failpoint",
    ["cli.before-checkpoint", *(pytest.param(name, marks=pytest.mark.soak) for name in PARQUET.failpoints)],
)
def test_a_crashed_run_is_resumed_without_naming_it(unit_file, database, tmp_path, call, mode, failpoint):
    path = unit_file(unit={"mode": mode, "cursorField": "at" if mode == "incremental" else None})
    checkpoint = tmp_path / "checkpoint.json"
    crashed = process(
        tmp_path, "run", path, "--checkpoint", checkpoint, CLI_PASSWORD=database.config()["password"],
        NUCLEUS_FAILPOINTS=failpoint, NUCLEUS_TEST_FIXTURES="1",
    )  # fmt: skip
    assert crashed.returncode == KILLED, crashed.stderr
    left = json.loads(checkpoint.read_text())
    assert (left["version"], left["run"]["attempt"]) == (0, 1)
    if mode == "full":
        code, _, err = call("run", path, "--checkpoint", checkpoint)
        assert (code, f"RUN_UNFINISHED: run {left['run']['runId']}" in err) == (2, True)
    code, out, err = call("resume", path, "--checkpoint", checkpoint)
    assert code == 0, err
    assert left["run"]["runId"] in out
    assert re.search(r"^rows written +2$", out, re.MULTILINE)
    assert (json.loads(checkpoint.read_text())["version"], rows_in(tmp_path)) == (1, 2)
    code, _, err = call("resume", path, "--checkpoint", checkpoint)
    assert (code, "NOTHING_TO_RESUME" in err) == (2, True)


def test_a_run_that_failed_is_resumed_with_a_corrected_unit_file(unit_file, tmp_path, call):
    checkpoint = tmp_path / "checkpoint.json"
    assert call("run", unit_file(port=1), "--checkpoint", checkpoint)[0] == 3
    run_id = json.loads(checkpoint.read_text())["run"]["runId"]
    code, out, err = call("resume", unit_file(), "--checkpoint", checkpoint, "--quiet")
    assert (code, run_id in out, err, rows_in(tmp_path)) == (0, True, "", 2)


def test_two_runs_with_one_checkpoint_file_are_refused(unit_file, tmp_path, call):
    checkpoint = tmp_path / "checkpoint.json"
    with locked_checkpoint(checkpoint, "source-1/events/"):
        code, _, err = call("run", unit_file(), "--checkpoint", checkpoint)
    assert (code, "CHECKPOINT_FILE_BUSY" in err, checkpoint.exists()) == (EXIT_BUSY, True, False)
    assert call("run", unit_file(), "--checkpoint", checkpoint)[0] == 0


def test_the_checkpoint_of_another_unit_is_refused(unit_file, tmp_path, call):
    checkpoint = tmp_path / "checkpoint.json"
    assert call("run", unit_file(), "--checkpoint", checkpoint)[0] == 0
    stored = checkpoint.read_bytes()
    code, _, err = call("run", unit_file(unit_id="others"), "--checkpoint", checkpoint)
    assert (code, "CHECKPOINT_OF_ANOTHER_UNIT" in err, checkpoint.read_bytes()) == (5, True, stored)


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1}'])
def test_a_file_that_holds_no_checkpoint_is_left_alone(unit_file, tmp_path, call, content):
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(content)
    code, _, _ = call("run", unit_file(), "--checkpoint", checkpoint)
    assert (code, checkpoint.read_text()) == (2, content)
    code, _, err = call("run", unit_file(), "--checkpoint", tmp_path / "no" / "folder.json")
    assert (code, "CHECKPOINT_FILE_INVALID" in err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_run_that_waits(unit_file, database, tmp_path, call, number):
    path, checkpoint = unit_file(), tmp_path / "checkpoint.json"
    with psycopg.connect(database.url) as blocker, psycopg.connect(database.url, autocommit=True) as watcher:
        blocker.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")

        def send_once_it_waits():
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass"
            while watcher.execute(waiting).fetchone() == (0,):
                pass
            os.kill(os.getpid(), number)

        sender = threading.Thread(target=send_once_it_waits)
        sender.start()
        code, out, err = call("run", path, "--checkpoint", checkpoint)
        sender.join()
    assert (code, out, "cancelled" in err) == (EXIT_CANCELLED, "", True)
    assert call("resume", path, "--checkpoint", checkpoint)[0] == 0


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"port": 1}, 3, "SOURCE_UNREACHABLE"),
        ({"database": "no_such_database"}, 2, "SOURCE_DATABASE_MISSING"),
        ({"port": "no number"}, 2, "source.config.port"),
        ({}, 3, "SOURCE_AUTHENTICATION_FAILED"),
    ],
)
def test_a_failure_has_its_exit_code_and_shows_no_secret(
    unit_file, database, tmp_path, call, monkeypatch, changes, code, text
):
    password = database.config()["password"] if "database" in changes else CANARY
    monkeypatch.setenv("CLI_PASSWORD", password)
    got, out, err = call("run", unit_file(**changes), "--checkpoint", tmp_path / "c.json")
    assert (got, text in err) == (code, True), err
    assert password not in err + out
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert password.encode() not in path.read_bytes()


def test_an_unset_variable_and_a_missing_file_are_named(unit_file, tmp_path, call, monkeypatch):
    monkeypatch.delenv("CLI_PASSWORD")
    assert call("test", unit_file())[2].startswith("INVALID_CONFIG: the unit file asks for the variable CLI_PASSWORD")
    code, _, err = call("test", tmp_path / "missing.json")
    assert (code, "missing.json can't be read" in err) == (2, True)


def test_a_process_shows_help_and_leaves_with_its_code(tmp_path):
    assert "exit codes" in process(tmp_path, "--help").stdout
    refused = process(tmp_path, "run", "missing.json", "--checkpoint", "c.json")
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


def test_templates_are_a_table_or_json(call):
    code, out, _ = call("templates", "--json")
    listed = [one["id"] for one in json.loads(out)["templates"]]
    assert (code, {"iceberg", "jdbc_postgres", "kafka", "parquet_files"} <= set(listed)) == (0, True)
    lines = call("templates")[1].splitlines()
    assert [line.split()[0] for line in lines[2:]] == listed


def test_both_connections_are_tested_and_a_failed_one_gives_its_code(unit_file, tmp_path, call):
    (tmp_path / "file").write_text("in the way")
    path = unit_file(sink={"directory": str(tmp_path / "file")})
    code, out, _ = call("test", path, "--json")
    sides = json.loads(out)
    assert (code, sides["sink"]["passed"]) == (4, False)
    code, out, _ = call("test", path, "--only", "sink")
    assert code == 4
    assert re.search(r"^sink +directory +failed +\d+ +SINK_NOT_WRITABLE: ", out, re.MULTILINE)
    assert call("test", unit_file(sink={"directory": "relative"}), "--only", "sink")[0] == 2
    assert call("test", unit_file(), "--only", "sink")[0] == 0


def test_a_preview_is_a_table_or_json(unit_file, call, monkeypatch):
    rows = pa.table({"id": [1, 2, None], "email": ["a@b", None, "c@d"]})
    endpoint = ScriptedEndpoint(rows=rows)
    monkeypatch.setattr(main, "EndpointFactory", lambda **_: endpoint.factory())
    path = unit_file()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": scripted_ref().to_wire()}))
    code, out, _ = call("preview", path, "--mask", "email")
    assert (code, [line.split() for line in out.splitlines()]) == (
        0, [["id", "email"], ["----", "-----"], ["1", "***"], ["2", "***"], ["NULL", "***"], ["(3", "rows)"]],
    )  # fmt: skip
    shown = json.loads(call("preview", path, "--limit", "1", "--json")[1])
    assert (shown["rows"], shown["truncated"]) == ([["1", "a@b"]], True)
    with pytest.raises(SystemExit):
        call("preview", path, "--limit", "1001")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def snapshot(phase="export", read=0, written=0):
    return ProgressSnapshot(phase=phase, rows_read=read, rows_written=written, rows_per_second=0)


def test_the_bar_shows_how_much_of_what_was_read_is_committed():
    terminal, now = Terminal(), [0.0]
    bar = ProgressBar(terminal, clock=lambda: now[0])
    bar.show(snapshot(read=100))
    bar.show(snapshot(read=150))  # too soon to be drawn
    now[0] = 1.0
    bar.show(snapshot(read=200, written=100))
    bar.show(snapshot("import", read=200, written=200))
    bar.finish()
    drawn = terminal.getvalue().split("\r\x1b[K")[1:]
    assert [one.split("]")[0].count("#") for one in drawn] == [0, 12, 24, 24]
    assert [int(one.split()[3]) for one in drawn] == [100, 200, 200, 200]
    assert drawn[-1].endswith("\n")


def test_without_a_terminal_there_is_one_line_per_phase():
    stream = io.StringIO()
    bar = ProgressBar(stream)
    for one in (snapshot(), snapshot(read=5), snapshot("import", read=5)):
        bar.show(one)
    bar.finish()
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["export", "import"]


def test_what_rows_hold_neither_breaks_a_table_nor_steers_a_terminal():
    text = table(["a", "b"], [["x\ny", "\x1b[31mred"], ["é" * 100, "-"]])
    lines = text.splitlines()
    assert (len(lines), "\x1b" in text) == (4, False)
    assert lines[2].startswith("x y ")
    assert "…" in lines[3]


def documented():
    """Return the options by command, and the exit codes, as docs/ingestion-cli.md lists them."""
    text = DOCUMENT.read_text("utf-8")
    commands = {}
    for part in text.split("\n### `")[1:]:
        name, _, rest = part.partition("`")
        body = rest.split("\n## ")[0]
        commands[name] = set(re.findall(r"^\| `(\S+)", body.replace("`|", "|"), re.MULTILINE))
    codes = re.findall(r"^\| (\d+) ", text.split("## Exit codes")[1], re.MULTILINE)
    return {name: {one.rstrip("`") for one in options} for name, options in commands.items()}, {
        int(one) for one in codes
    }


def test_the_document_lists_every_command_option_and_exit_code():
    commands, codes = documented()
    subcommands = next(one for one in build_parser()._actions if one.dest == "command").choices
    assert subcommands is not None
    parsed = {
        name: {
            action.option_strings[-1] if action.option_strings else action.metavar
            for action in command._actions
            if action.dest != "help"
        }
        for name, command in dict(subcommands).items()
    }
    assert commands == parsed
    assert codes == {0, EXIT_BUSY, EXIT_CANCELLED, *EXIT_CODES.values()}
    for command in dict(subcommands).values():
        assert all(action.help for action in command._actions)
        assert "exit codes" in command.format_help()
