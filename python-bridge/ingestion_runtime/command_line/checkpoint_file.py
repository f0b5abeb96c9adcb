"""The checkpoint of one unit and sink in a local file, with the run that is under way.

<file>          JSON, replaced in one step
<file>.lock     held by the one process that may use it; it stays, since removing it would let two hold it
"""

from __future__ import annotations

import fcntl
import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from runtime_common.contracts import Checkpoint, ContractModel, Cursor
from runtime_common.contracts.model import parse
from runtime_common.durable_files import replace_file
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError
from runtime_common.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY = "CHECKPOINT_FILE_BUSY"


class RunUnderWay(ContractModel):
    """A run that has begun and is not known to have ended well; ``attempt`` counts from 1."""

    run_id: uuid.UUID
    attempt: Annotated[int, Field(ge=1)]


class CheckpointState(Checkpoint):
    """What the file holds: the checkpoint, whose it is, and the run under way."""

    unit_key: str | None = None
    run: RunUnderWay | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint alone, as a run takes it."""
        return Checkpoint(version=self.version, generation=self.generation, cursor=self.cursor)


class CheckpointFile:
    """A file that this process holds; see :func:`locked_checkpoint`."""

    def __init__(self, path: Path, unit_key: str) -> None:
        self._path = path
        self._unit_key = unit_key

    def load(self) -> CheckpointState:
        """Return what is stored, or the empty checkpoint of generation 1.

        Raises:
            ConfigurationError: The file holds something else.
            CheckpointMismatchError: It is the checkpoint of another unit or sink.
        """
        try:
            payload = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return CheckpointState(version=0, generation=1, cursor=None)
        except (OSError, ValueError):
            raise ConfigurationError(
                f"{self._path} is not a readable checkpoint file; restore it, or define a new unit id with a new "
                "target and another checkpoint path",
                code="CHECKPOINT_FILE_INVALID",
            ) from None
        state = parse(CheckpointState, payload, prefix="checkpoint")
        if state.unit_key not in {None, self._unit_key}:
            raise CheckpointMismatchError(
                f"{self._path} is the checkpoint of {state.unit_key}, not of {self._unit_key}; name a file of this "
                "unit and sink",
                code="CHECKPOINT_OF_ANOTHER_UNIT",
            )
        return state

    def begin(self, state: CheckpointState, run: RunUnderWay) -> None:
        """Remember the run before anything of it happens."""
        self._store(state.model_copy(update={"unit_key": self._unit_key, "run": run}))

    def advance(self, state: CheckpointState, cursor: Cursor | None) -> None:
        """Store the state after a run that succeeded; ``cursor`` None keeps the old one (rule R6)."""
        failpoint("cli.before-checkpoint")
        self._store(
            CheckpointState(
                version=state.version + 1,
                generation=state.generation,
                cursor=cursor or state.cursor,
                unit_key=self._unit_key,
            )
        )

    def _store(self, state: CheckpointState) -> None:
        try:
            replace_file(self._path, json.dumps(state.to_wire(), indent=2).encode())
        except OSError as error:
            raise _unusable(self._path, error) from None


@contextmanager
def locked_checkpoint(path: Path, unit_key: str) -> Iterator[CheckpointFile]:
    """Hold a checkpoint file while the block runs; a process that dies lets go of it.

    Raises:
        ConfigurationError: Another process holds it (code ``CHECKPOINT_FILE_BUSY``), or it can't be written.
    """
    lock_path = path.with_name(f"{path.name}.lock")
    try:
        lock = lock_path.open("ab")
    except OSError as error:
        raise _unusable(path, error) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"another run uses {path}; wait for its end, or name another file for another unit or sink", code=BUSY
            ) from None
        yield CheckpointFile(path, unit_key)


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} can't be written: {error.strerror}; check its folder and rights", code="CHECKPOINT_FILE_INVALID"
    )
