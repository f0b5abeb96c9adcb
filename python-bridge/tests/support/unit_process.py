"""Runs units in processes of their own, which may be killed, stopped and continued at any point.

A child is forked from a process that has imported the runtime and started no thread, so that one costs milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from runtime_common.contracts import RunIngestionUnitInput, RunIngestionUnitResult
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import IngestionError
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.spark import SparkEngine
from runtime_common.staging import PROVIDER_ID, LocalDirectoryStaging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_BRIDGE = Path(__file__).resolve().parents[2]
_EXIT_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt.

    Attributes:
        request: The contract's input on the wire.
        staging: Root of the staging area.
        metadata: Root of the metadata files.
        outcome: File that the child writes its result or error to.
        jars: Jars for Spark; None for units without it.
        attempt: Number of the attempt.
        failpoints: As ``NUCLEUS_FAILPOINTS`` takes them.
    """

    request: dict[str, Any]
    staging: str
    metadata: str
    outcome: str
    jars: str | None = None
    attempt: int = 1
    failpoints: str = ""


@dataclass(frozen=True)
class Ended:
    """How a child ended: its result, or the code of its typed error, or neither when it was killed."""

    result: RunIngestionUnitResult | None
    error: str | None


@dataclass(frozen=True)
class Stopped:
    """A child that has stopped itself at a failpoint."""

    pid: int
    outcome: Path


class UnitProcesses:
    """Starts children; use as a context manager. Children that are still stopped at the end are killed."""

    def __enter__(self) -> UnitProcesses:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.unit_process"],
            cwd=_BRIDGE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self._stopped: set[int] = set()
        self._families: list[_Family] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in self._stopped:
            os.kill(pid, signal.SIGKILL)
        self._parent.communicate(timeout=30)
        for family in self._families:
            family.close()

    def run(
        self, job: Job, *, kill_after_seconds: float | None = None, victim: Literal["worker", "engine"] = "worker"
    ) -> Ended | Stopped:
        """Run one attempt until it ends or stops itself.

        Args:
            job: The attempt.
            kill_after_seconds: When to send SIGKILL.
            victim: The child, or the JVM that it has started by then.
        """
        Path(job.outcome).unlink(missing_ok=True)
        pid = self._ask({"start": vars(job)})["pid"]
        family = _Family(pid)
        self._families.append(family)
        if kill_after_seconds is None:
            return self._await(pid, Path(job.outcome))
        timer = threading.Timer(kill_after_seconds, family.kill, (victim,))
        timer.start()
        try:
            return self._await(pid, Path(job.outcome))
        finally:
            timer.cancel()
            timer.join()

    def kill_engine(self, stopped: Stopped) -> None:
        """Send SIGKILL to the JVM of a stopped child."""
        next(family for family in self._families if family.pid == stopped.pid).kill("engine")

    def left_behind(self) -> list[int]:
        """Return the processes that outlive their workers by more than a JVM's shutdown takes."""
        return [pid for family in self._families for pid in family.survivors()]

    def resume(self, stopped: Stopped) -> Ended | Stopped:
        """Continue a stopped child until it ends."""
        self._stopped.discard(stopped.pid)
        os.kill(stopped.pid, signal.SIGCONT)
        return self._await(stopped.pid, stopped.outcome)

    def _await(self, pid: int, outcome: Path) -> Ended | Stopped:
        if self._ask({"wait": pid})["stopped"]:
            self._stopped.add(pid)
            return Stopped(pid, outcome)
        if not outcome.exists():
            return Ended(None, None)
        told = json.loads(outcome.read_text(encoding="utf-8"))
        if "unexpected" in told:
            raise AssertionError(told["unexpected"])
        result = told.get("result")
        return Ended(None if result is None else RunIngestionUnitResult.model_validate(result), told.get("error"))

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(message) + "\n")
        self._parent.stdin.flush()
        answer: dict[str, Any] = json.loads(self._parent.stdout.readline())
        return answer


class _Family:
    """A worker and the processes that it has started when it is looked at."""

    def __init__(self, pid: int) -> None:
        self._worker = os.pidfd_open(pid)
        self.pid = pid
        self._children: dict[int, int] = {}

    def kill(self, victim: str) -> None:
        self._look()
        targets = [self._worker] if victim == "worker" else list(self._children.values())
        for handle in targets:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)

    def survivors(self) -> list[int]:
        return [pid for pid, handle in self._children.items() if not select.select([handle], [], [], _EXIT_SECONDS)[0]]

    def close(self) -> None:
        for handle in [self._worker, *self._children.values()]:
            os.close(handle)

    def _look(self) -> None:
        for listed in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for pid in map(int, listed.read_text().split()):
                    self._children[pid] = os.pidfd_open(pid)


def _serve() -> None:
    for line in _lines():
        message = json.loads(line)
        if "start" in message:
            pid = os.fork()
            if pid == 0:
                _child(Job(**message["start"]))
            answer: dict[str, Any] = {"pid": pid}
        else:
            _, status = os.waitpid(message["wait"], os.WUNTRACED)
            answer = {"stopped": os.WIFSTOPPED(status)}
        os.write(1, (json.dumps(answer) + "\n").encode())


def _lines() -> Iterator[str]:
    """Read unbuffered: what Python had read ahead would be in each child too."""
    pending = b""
    while chunk := os.read(0, 65536):
        pending += chunk
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            yield line.decode()


def _child(job: Job) -> None:
    os.environ |= {"NUCLEUS_TEST_FIXTURES": "1", "NUCLEUS_FAILPOINTS": job.failpoints}
    spark = SparkEngine(jars=None if job.jars is None else Path(job.jars))
    try:
        told = _outcome(job, spark)
        partial = Path(f"{job.outcome}.partial")
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.rename(job.outcome)
        spark.close()
    finally:
        os._exit(0)


def _outcome(job: Job, spark: SparkEngine) -> dict[str, Any]:
    try:
        result = run_ingestion(
            RunIngestionUnitInput.model_validate(job.request),
            RuntimeEnvironment(
                factory=EndpointFactory(secret_key=None, spark=spark),
                staging={PROVIDER_ID: LocalDirectoryStaging(Path(job.staging))},
                metadata=RunMetadataFolder(Path(job.metadata)),
                attempt=job.attempt,
            ),
        )
    except IngestionError as error:
        return {"error": error.code}
    except BaseException:  # noqa: BLE001 - told to the test, which fails
        return {"unexpected": traceback.format_exc()}
    return {"result": result.to_wire()}


if __name__ == "__main__":
    _serve()
