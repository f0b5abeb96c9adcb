"""Command line: the same run without a control plane."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import Field

from ingestion_runtime.events import Progress, ProgressSnapshot
from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import (
    Checkpoint,
    ContractModel,
    EndpointRef,
    Execution,
    IngestionPolicy,
    RunIngestionUnitInput,
    UnitSpec,
)
from runtime_common.contracts.model import Id, parse
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import ConfigurationError, IngestionError, RunCancelledError
from runtime_common.failpoints import refuse_in_production
from runtime_common.redaction import redact
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.settings import (
    DEFAULT_SPARK_JARS_DIR,
    DEFAULT_STAGING_MEMORY_BYTES,
    DEFAULT_STAGING_ROOT,
    Settings,
    load_settings,
)
from runtime_common.spark import SparkEngine
from runtime_common.staging import PROVIDER_ID
from runtime_common.staging_providers import staging_providers
from runtime_common.state import CheckpointFile

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODES = {"internal": 1, "config": 2, "source": 3, "sink": 4, "data": 5, "transient": 6}
_EXIT_CANCELLED = 130

_EPILOG = f"""\
The unit file is JSON:

  {{ "endpointId": "demo-postgres", "unitId": "flights", "sinkId": "demo-iceberg",
    "source": {{ "endpointId": "demo-postgres", "templateId": "jdbc_postgres", "config": {{ … }} }},
    "sink":   {{ "endpointId": "demo-iceberg",  "templateId": "iceberg",       "config": {{ … }} }},
    "unit":   {{ "object": {{ "schema": "public", "table": "flights" }},
                "mode": "incremental", "cursorField": "time_hour",
                "primaryKey": ["time_hour", "carrier", "flight"], "target": "flights", "writeMode": "merge" }},
    "policy": {{ "sliceRows": 200000 }},
    "stagingProviderId": "local_directory" }}

A config value {{"$env": "NAME"}} is taken from that environment variable; a {{"$sealed": …}} one is opened with the
server's key.

environment:
  HTTP_ALLOWED_NETWORKS    networks that HTTP sources may reach beside public addresses
  STAGING_ROOT             directory of staged slices (default {DEFAULT_STAGING_ROOT})
  STAGING_MEMORY_BYTES     what "in_memory" staging may hold (default {DEFAULT_STAGING_MEMORY_BYTES})
  SPARK_JARS_DIR           folder of the Iceberg runtime jar (default {DEFAULT_SPARK_JARS_DIR})
  NUCLEUS_SECRET_KEY_FILE  file with the base64 key that opens sealed secrets (or NUCLEUS_SECRET_KEY)

exit codes:
  0 done · 1 internal fault · 2 config or unit · 3 source · 4 sink · 5 data · 6 transient, run again · 130 cancelled
"""


class _UnitFile(ContractModel):
    endpoint_id: Id
    unit_id: Id
    sink_id: Id | None = None
    source: EndpointRef
    sink: EndpointRef
    unit: UnitSpec
    policy: IngestionPolicy = Field(default_factory=IngestionPolicy)
    staging_provider_id: Id = PROVIDER_ID


def run_cli(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; the result goes to stdout, everything else to stderr."""
    options = _parser().parse_args(arguments)
    try:
        refuse_in_production()
        settings = load_settings(os.environ, needs_secret_key=False)
        spark = SparkEngine(jars=settings.spark_jars_dir)
        factory = EndpointFactory(secret_key=settings.secret_key, spark=spark, http_addresses=settings.http_addresses)
        if options.command == "templates":
            result = factory.templates().to_wire()
        else:
            with closing(spark):
                result = _run(options, settings, factory)
    except RunCancelledError:
        sys.stderr.write("cancelled; what was committed stays, and the next run continues from there\n")
        return _EXIT_CANCELLED
    except IngestionError as error:
        sys.stderr.write(f"{error.code}: {redact(error.message)}\n")
        return EXIT_CODES[error.category]
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ingestion.py",
        description="Runs ingestion units of Nucleus without Temporal and server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="run one unit and keep its checkpoint in a local file",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("unit_file", type=Path, metavar="UNIT.json", help="what to read and where to write it")
    run.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="FILE",
        help="checkpoint of this unit and sink; made by the first run",
    )
    run.add_argument(
        "--run-id", type=uuid.UUID, default=None, help="repeat the run of this id after a crash (default: a new run)"
    )
    run.add_argument("--quiet", action="store_true", help="show no progress")
    commands.add_parser("templates", help="print the endpoint templates as JSON")
    return parser


def _run(options: argparse.Namespace, settings: Settings, factory: EndpointFactory) -> dict[str, Any]:
    unit = _read_unit(options.unit_file)
    checkpoints = CheckpointFile(options.checkpoint)
    checkpoint = checkpoints.load()
    cancellation = Cancellation()
    previous = signal.signal(signal.SIGINT, lambda *_: cancellation.cancel())
    bar = None if options.quiet else _ProgressLine(sys.stderr)
    try:
        with staging_providers(settings) as staging:
            environment = RuntimeEnvironment(
                factory=factory,
                staging=staging,
                metadata=RunMetadataFolder(settings.metadata_root),
                cancellation=cancellation,
                progress=Progress(on_change=bar.show if bar is not None else None),
            )
            result = run_ingestion(_request(unit, checkpoint, options.run_id or uuid.uuid4()), environment)
    finally:
        signal.signal(signal.SIGINT, previous)
        if bar is not None:
            bar.finish()
    checkpoints.advance(checkpoint, result.new_checkpoint.cursor if result.new_checkpoint else None)
    return result.to_wire()


def _request(unit: _UnitFile, checkpoint: Checkpoint, run_id: uuid.UUID) -> RunIngestionUnitInput:
    return RunIngestionUnitInput(
        endpoint_id=unit.endpoint_id,
        unit_id=unit.unit_id,
        sink_id=unit.sink_id,
        checkpoint=checkpoint,
        policy=unit.policy,
        staging_provider_id=unit.staging_provider_id,
        execution=Execution(run_id=run_id, fence=1, source=unit.source, sink=unit.sink, unit=unit.unit),
    )


def _read_unit(path: Path) -> _UnitFile:
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from None
    return parse(_UnitFile, _with_environment(payload), prefix="unit file")


def _with_environment(value: object) -> object:
    if isinstance(value, dict):
        if set(value) == {"$env"} and isinstance(value["$env"], str):
            try:
                return os.environ[value["$env"]]
            except KeyError:
                raise ConfigurationError(
                    f"the unit file asks for the variable {value['$env']}, which is not set"
                ) from None
        return {name: _with_environment(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_environment(inner) for inner in value]
    return value


class _ProgressLine:
    """One line that is redrawn on a terminal; elsewhere one line per phase."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._phase: str | None = None

    def show(self, snapshot: ProgressSnapshot) -> None:
        text = (
            f"{snapshot.phase:<8} read {snapshot.rows_read:>12,}  written {snapshot.rows_written:>12,}"
            f"  {snapshot.rows_per_second:>10,.0f} rows/s"
        )
        if self._live:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
        elif snapshot.phase != self._phase:
            self._stream.write(text + "\n")
        self._phase = snapshot.phase

    def finish(self) -> None:
        if self._live:
            self._stream.write("\n")
