"""Staging in a local directory.

    <root>/<unit>/<group>/                      group: checkpoint, generation and source digest
        lease-<token>.json                      kept fresh while somebody works here
        plan-<extraction>.json                  its upper bound, fixed by the first attempt
        end-<extraction>.json                   how many slices it has, once the source was read to its end
        attempt-<fence>-<attempt>-<token>/      a slice being written, by one attempt only
        slice-00000/                            a sealed slice: parts, manifest.json, _SUCCESS, later _LANDED.<sink>

Every name is made here from hashes and numbers; nothing that a user typed becomes a path.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from runtime_common.durable_files import create_exclusively
from runtime_common.exceptions import StagingError
from runtime_common.protocols import CleanupReport, IngestionContext
from runtime_common.staging_lease import LeaseKeeper, has_fresh_lease
from runtime_common.staging_session import LocalDirectorySession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_log = logging.getLogger(__name__)
_TRASH_PREFIX = ".trash-"
PROVIDER_ID = "local_directory"


def _digest(*parts: object) -> str:
    return sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()[:24]


class LocalDirectoryStaging:
    """Staging provider ``local_directory``.

    Args:
        root: Directory of this worker's staging; made when missing.
        landed_ttl: How long a group whose slices all landed is kept, for a late retry of the same run.
        abandoned_ttl: How long slices that no sink has taken are kept for another attempt.
    """

    def __init__(
        self, root: Path, *, landed_ttl: timedelta = timedelta(hours=1), abandoned_ttl: timedelta = timedelta(days=3)
    ) -> None:
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._root = root.resolve(strict=True)
        except OSError as error:
            raise StagingError(f"the staging root can't be used: {error.strerror}; check STAGING_ROOT") from None
        self._landed_ttl = landed_ttl
        self._abandoned_ttl = abandoned_ttl
        self._leases = LeaseKeeper()

    def allocate_session(self, context: IngestionContext) -> LocalDirectorySession:
        """Return the slice's session, leased until it is closed.

        Raises:
            StagingError: The directory can't be made.
        """
        group = self._group(context)
        lease = self._leases.acquire(group)
        return LocalDirectorySession(
            group, context=context, release=lambda: self._leases.release(lease), unit_label=group.parent.name
        )

    def fix_upper_bound(self, context: IngestionContext, proposed: str | None) -> str | None:
        """Return the bound of the extraction's first attempt, which is ``proposed`` for that one itself (rule R4)."""
        plan = self._plan(context, "plan")
        with _plan_errors():
            create_exclusively(plan, json.dumps({"upperBound": proposed}).encode())
            bound = json.loads(plan.read_text(encoding="utf-8"))["upperBound"]
        return bound if bound is None else str(bound)

    def extraction_slices(self, context: IngestionContext) -> int | None:
        """Return how many slices the extraction has; None unless the source was read to its end."""
        with _plan_errors():
            try:
                return int(json.loads(self._plan(context, "end").read_text(encoding="utf-8"))["slices"])
            except FileNotFoundError:
                return None

    def end_extraction(self, context: IngestionContext, *, slices: int) -> None:
        """Record that the source was read to its end."""
        with _plan_errors():
            create_exclusively(self._plan(context, "end"), json.dumps({"slices": slices}).encode())

    def _plan(self, context: IngestionContext, name: str) -> Path:
        return self._group(context) / f"{name}-{_digest(context.extraction_id)}.json"

    def ttl_cleanup(self, now: datetime) -> CleanupReport:
        """Remove expired groups. A group with a fresh lease stays, however old its files are.

        A group that can't be read or renamed is logged and left for the next sweep.

        Raises:
            OSError: The staging root itself can't be listed.
        """
        report = CleanupReport()
        for unit in self._directories(self._root):
            with _logging_failure(unit.name):
                for group in self._directories(unit):
                    label = f"{unit.name}/{group.name}"
                    with _logging_failure(label):
                        self._clean_group(group, label, now, report)
            with contextlib.suppress(OSError):
                unit.rmdir()
        if report.removed:
            _log.info("removed expired staging groups", extra={"data": {"removed": len(report.removed)}})
        return report

    def _clean_group(self, group: Path, label: str, now: datetime, report: CleanupReport) -> None:
        if group.name.startswith(_TRASH_PREFIX):
            shutil.rmtree(group, ignore_errors=True)
        elif has_fresh_lease(group, now):
            report.kept_live.append(label)
        elif self._expired(group, now) and self._sweep(group, now):
            report.removed.append(label)

    def close(self) -> None:
        """Stop keeping leases fresh."""
        self._leases.close()

    def _group(self, context: IngestionContext) -> Path:
        owner = "" if context.shared_between_runs else context.extraction_id
        name = f"g{context.generation}-v{context.checkpoint_version}-{_digest(context.source_digest, owner)}"
        group = self._root / _digest(context.unit_key) / name
        try:
            group.mkdir(parents=True, exist_ok=True)
            resolved = group.resolve(strict=True)
        except OSError as error:
            raise StagingError(f"a staging directory can't be made: {error.strerror}; check STAGING_ROOT") from None
        if not resolved.is_relative_to(self._root):
            raise StagingError(
                "a staging directory leads outside the staging root by a symbolic link; remove that link",
                code="STAGING_PATH_ESCAPES",
                retryable=False,
            )
        return resolved

    def _directories(self, parent: Path) -> list[Path]:
        try:
            return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
        except FileNotFoundError:
            return []

    def _expired(self, group: Path, now: datetime) -> bool:
        slices = [path for path in self._directories(group) if path.name.startswith("slice-")]
        landed = all(any(path.glob("_LANDED.*")) for path in slices)
        ttl = self._landed_ttl if landed else self._abandoned_ttl
        newest = max((_mtime(path) for path in [group, *group.iterdir(), *slices]), default=0.0)
        return now.timestamp() - newest > ttl.total_seconds()

    def _sweep(self, group: Path, now: datetime) -> bool:
        """Rename first: a session that was leased in between is found in the renamed directory and given back."""
        trash = group.with_name(f"{_TRASH_PREFIX}{secrets.token_hex(8)}")
        try:
            group.rename(trash)
        except FileNotFoundError:
            return False
        if has_fresh_lease(trash, now):
            with contextlib.suppress(OSError):
                trash.rename(group)
            return False
        shutil.rmtree(trash, ignore_errors=True)
        return True


@contextlib.contextmanager
def _plan_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError):
        raise StagingError("a run's plan can't be kept in the staging area; check its disk and rights") from None


@contextlib.contextmanager
def _logging_failure(label: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.warning(
            "a staging directory can't be swept", extra={"data": {"directory": label, "reason": error.strerror}}
        )


def _mtime(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return 0.0
