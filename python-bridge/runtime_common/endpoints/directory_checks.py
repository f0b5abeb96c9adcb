"""Steps of the connection test for sinks that write into a directory of the worker's machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from runtime_common.contracts import CheckStep
from runtime_common.exceptions import SinkError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DIRECTORY_STEPS = (
    CheckStep(name="directory", title="Find the directory, or a place where it can be made"),
    CheckStep(name="write", title="Write and remove a file"),
    CheckStep(name="space", title="Look for free disk space"),
)
# Less than this is gone with the next slice.
_LEAST_FREE_BYTES = 64 * 1024 * 1024
_PROBE = b"probe"


def directory_checks(directory: Path, *, field: str) -> Sequence[Check]:
    """Return ``DIRECTORY_STEPS`` for a directory. Nothing that they make outlasts them; the directory is not made.

    Args:
        directory: Absolute path.
        field: Config field that names it.
    """
    checks = _DirectoryChecks(directory, field)
    return (
        Check(name="directory", run=checks.find),
        Check(name="write", run=checks.write, needs=("directory",)),
        Check(name="space", run=checks.look_for_space, needs=("directory",)),
    )


class _DirectoryChecks:
    def __init__(self, directory: Path, field: str) -> None:
        self._directory = directory
        self._field = field

    def find(self) -> str:
        nearest = self._nearest()
        if not nearest.is_dir():
            raise self._failure(f"{nearest} is a file; choose another directory")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise self._failure(f"the worker's user may not write to {nearest}; grant it the right to")
        if nearest == self._directory:
            return f"{self._directory} exists"
        return f"{self._directory} does not exist and can be made in {nearest}"

    def write(self) -> str:
        nearest = self._nearest()
        try:
            # Without a name where the file system can do that: not even a crash leaves it behind.
            with tempfile.TemporaryFile(dir=nearest) as probe:
                probe.write(_PROBE)
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            raise self._failure(
                f"{nearest} can't be written: {error.strerror}; check its rights and its disk"
            ) from None
        return f"a file was written to {nearest} and removed"

    def look_for_space(self) -> str:
        free = shutil.disk_usage(self._nearest()).free
        if free < _LEAST_FREE_BYTES:
            raise SinkError(
                f"{free // 1024} KiB are free, which the next slice may need alone; free some space",
                code="SINK_DISK_FULL",
                field=self._field,
            )
        return f"{free // 1024**2:,} MiB are free"

    def _nearest(self) -> Path:
        """Return the directory, or the closest of those above it that exists."""
        return next(path for path in (self._directory, *self._directory.parents) if os.path.lexists(path))

    def _failure(self, message: str) -> SinkError:
        return SinkError(message, code="SINK_NOT_WRITABLE", field=self._field, retryable=False)
