"""Takes a command line and carries it out."""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from ingestion_runtime.command_line import checkpoint_file
from ingestion_runtime.command_line.checkpoint_file import RunUnderWay, locked_checkpoint
from ingestion_runtime.command_line.parser import EXIT_BUSY, EXIT_CANCELLED, EXIT_CODES, build_parser
from ingestion_runtime.command_line.plain_text import checks_text, preview_text, run_text, templates_text
from ingestion_runtime.command_line.progress_bar import ProgressBar
from ingestion_runtime.command_line.unit_file import read_unit_file
from ingestion_runtime.events import Progress
from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from ingestion_runtime.operations import CONFIG_STEP, preview_of, run_connection_test
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import (
    Execution,
    PreviewMetadataInput,
    RunIngestionUnitInput,
    RunIngestionUnitResult,
    TestEndpointInput,
)
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import ConfigurationError, IngestionError, RunCancelledError
from runtime_common.failpoints import refuse_in_production
from runtime_common.redaction import redact
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.settings import Settings, load_settings
from runtime_common.spark import SparkEngine
from runtime_common.staging_providers import staging_providers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ingestion_runtime.command_line.checkpoint_file import CheckpointState
    from ingestion_runtime.command_line.unit_file import UnitFile
    from runtime_common.contracts import EndpointRole, TestEndpointResult


def run_cli(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; the result goes to stdout, everything else to stderr."""
    options = build_parser().parse_args(arguments)
    try:
        refuse_in_production()
        settings = load_settings(os.environ, needs_secret_key=False)
        with closing(SparkEngine(jars=settings.spark_jars_dir)) as spark, _stopped_by_signals() as cancellation:
            factory = EndpointFactory(
                secret_key=settings.secret_key, spark=spark, http_addresses=settings.http_addresses
            )
            return _Commands(options, settings, factory, spark, cancellation).execute()
    except RunCancelledError:
        sys.stderr.write("cancelled; what was committed stays, and resume continues from there\n")
        return EXIT_CANCELLED
    except IngestionError as error:
        sys.stderr.write(f"{error.code}: {redact(error.message)}\n")
        return EXIT_BUSY if error.code == checkpoint_file.BUSY else EXIT_CODES[error.category]


class _Commands:
    def __init__(
        self,
        options: argparse.Namespace,
        settings: Settings,
        factory: EndpointFactory,
        spark: SparkEngine,
        cancellation: Cancellation,
    ) -> None:
        self._options = options
        self._settings = settings
        self._factory = factory
        self._spark = spark
        self._cancellation = cancellation

    def execute(self) -> int:
        match self._options.command:
            case "templates":
                templates = self._factory.templates()
                return self._print(templates.to_wire(), templates_text(templates))
            case "preview":
                return self._preview(read_unit_file(self._options.unit_file))
            case "test":
                return self._test(read_unit_file(self._options.unit_file))
            case _:
                return self._move(read_unit_file(self._options.unit_file))

    def _print(self, wire: object, text: str) -> int:
        sys.stdout.write(json.dumps(wire, indent=2) + "\n" if self._options.json else text)
        return 0

    def _move(self, unit: UnitFile) -> int:
        with locked_checkpoint(self._options.checkpoint, unit.unit_key) as file:
            state = file.load()
            run = self._resumed(state) if self._options.command == "resume" else _new_run(state, unit)
            file.begin(state, run)
            result = self._run(unit, state, run)
            file.advance(state, result.new_checkpoint.cursor if result.new_checkpoint else None)
        return self._print(result.to_wire(), run_text(str(run.run_id), result))

    def _resumed(self, state: CheckpointState) -> RunUnderWay:
        if state.run is None:
            raise ConfigurationError(
                f"{self._options.checkpoint} remembers no unfinished run; begin a new one by the command run",
                code="NOTHING_TO_RESUME",
            )
        return state.run.model_copy(update={"attempt": state.run.attempt + 1})

    def _run(self, unit: UnitFile, state: CheckpointState, run: RunUnderWay) -> RunIngestionUnitResult:
        with ExitStack() as opened:
            bar = None
            if not self._options.quiet:
                bar = ProgressBar(sys.stderr)
                opened.callback(bar.finish)
            environment = RuntimeEnvironment(
                factory=self._factory,
                staging=opened.enter_context(staging_providers(self._settings, self._spark)),
                metadata=RunMetadataFolder(self._settings.metadata_root),
                attempt=run.attempt,
                cancellation=self._cancellation,
                progress=Progress(on_change=None if bar is None else bar.show),
            )
            return run_ingestion(_request(unit, state, run), environment)

    def _preview(self, unit: UnitFile) -> int:
        request = PreviewMetadataInput(
            request_id=uuid.uuid4(),
            source=unit.source,
            object=unit.unit.object,
            limit=self._options.limit,
            masked_columns=self._options.mask,
        )
        preview = preview_of(request, factory=self._factory, cancellation=self._cancellation)
        return self._print(preview.to_wire(), preview_text(preview))

    def _test(self, unit: UnitFile) -> int:
        sides: dict[EndpointRole, TestEndpointInput] = {
            "source": TestEndpointInput(role="source", endpoint=unit.source),
            "sink": TestEndpointInput(role="sink", endpoint=unit.sink),
        }
        results = {
            side: run_connection_test(request, factory=self._factory, cancellation=self._cancellation)
            for side, request in sides.items()
            if self._options.only in {None, side}
        }
        self._print({side: result.to_wire() for side, result in results.items()}, checks_text(results))
        return next((_exit_code(side, result) for side, result in results.items() if not result.passed), 0)


def _exit_code(side: EndpointRole, result: TestEndpointResult) -> int:
    failed = next(check for check in result.checks if check.status == "failed")
    return EXIT_CODES["config" if failed.name == CONFIG_STEP.name else side]


def _new_run(state: CheckpointState, unit: UnitFile) -> RunUnderWay:
    """Return a new run, unless an unfinished one may have added a copy already that the new one would add again.

    Raises:
        ConfigurationError: Only its repetition recognises that copy.
    """
    if state.run is not None and (unit.unit.mode, unit.unit.write_mode) == ("full", "append"):
        raise ConfigurationError(
            f"run {state.run.run_id} did not end well and may have added its copy; repeat it by the command resume, "
            "which adds none twice",
            code="RUN_UNFINISHED",
        )
    return RunUnderWay(run_id=uuid.uuid4(), attempt=1)


def _request(unit: UnitFile, state: CheckpointState, run: RunUnderWay) -> RunIngestionUnitInput:
    return RunIngestionUnitInput(
        endpoint_id=unit.endpoint_id,
        unit_id=unit.unit_id,
        sink_id=unit.sink_id,
        checkpoint=state.checkpoint,
        policy=unit.policy,
        staging_provider_id=unit.staging_provider_id,
        execution=Execution(run_id=run.run_id, fence=1, source=unit.source, sink=unit.sink, unit=unit.unit),
    )


@contextmanager
def _stopped_by_signals() -> Iterator[Cancellation]:
    """Cancel what the block does by Ctrl-C, or by what ends a service."""
    cancellation = Cancellation()
    before = {
        number: signal.signal(number, lambda *_: cancellation.cancel()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield cancellation
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
