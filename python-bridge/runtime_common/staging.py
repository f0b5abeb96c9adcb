"""Staging in a tree of files; see docs/staging.md for what each provider is for.

    <root>/<unit>/extraction-<id>/              upper-bound.json, fixed by whoever reads the extraction first
    <root>/<unit>/<group>/                      group: generation, and what decides the rows, the start included
        lease-<token>.json                      kept fresh while somebody works here
        sink-<sink>                             a sink that takes slices from here
        end-<extraction>.json                   where it ends, once the source was read to its end
        attempt-<fence>-<attempt>-<token>/      a slice being written, by one attempt only
        slice-00000/                            a sealed slice: parts, manifest.json, _SUCCESS, later _LANDED.<sink>
    <root>/scratch/<token>/                     files that a process keeps for itself alone, leased until it closes

Every name is made here from hashes and numbers; nothing that a user typed becomes a path.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from datetime import timedelta
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from runtime_common.exceptions import IngestionError, StagingError
from runtime_common.local_files import LocalFiles
from runtime_common.memory_files import MemoryFiles
from runtime_common.protocols import CleanupReport, ExtractionEnd, IngestionContext
from runtime_common.staging_lease import LeaseKeeper, has_fresh_lease
from runtime_common.staging_parts import staging_disk_errors
from runtime_common.staging_session import LANDED_PREFIX, DirectorySession, sink_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from runtime_common.file_store import FileStore

_log = logging.getLogger(__name__)
_TRASH_PREFIX = ".trash-"
_SLICE_PREFIX = "slice-"
_SINK_PREFIX = "sink-"
_EXTRACTION_PREFIX = "extraction-"
_UPPER_BOUND = "upper-bound.json"
_ROOT = PurePosixPath()
LANDED_TTL = timedelta(hours=1)
ABANDONED_TTL = timedelta(days=3)
PROVIDER_ID = "local_directory"
IN_MEMORY_PROVIDER_ID = "in_memory"


def _digest(*parts: object) -> str:
    return sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()[:24]


class DirectoryStaging:
    """A staging provider over any store of files.

    Args:
        files: The store.
        landed_ttl: How long a group whose slices all sinks have taken is kept, for a late retry of the same run.
        abandoned_ttl: How long slices that no sink has taken are kept for another attempt.
    """

    def __init__(
        self, files: FileStore, *, landed_ttl: timedelta = LANDED_TTL, abandoned_ttl: timedelta = ABANDONED_TTL
    ) -> None:
        self._files = files
        self._landed_ttl = landed_ttl
        self._abandoned_ttl = abandoned_ttl
        self._leases = LeaseKeeper(files)

    def allocate_session(self, context: IngestionContext) -> DirectorySession:
        """Return the slice's session, leased until it is closed.

        Raises:
            StagingError: The directory can't be made.
        """
        group = self._group(context)
        lease = self._leases.acquire(group)
        sink = group / f"{_SINK_PREFIX}{sink_name(context.sink_key)}"
        with staging_disk_errors():
            if self._files.entry(sink) is None:
                self._files.touch(sink)
        return DirectorySession(self._files, group, context=context, release=lambda: self._leases.release(lease))

    def fix_upper_bound(self, context: IngestionContext, proposed: str | None) -> str | None:
        """Return the bound of the extraction's first reader, which is ``proposed`` for that one itself (rule R4).

        It is kept beside the groups: sinks that start from different cursors read up to the same bound.
        """
        directory = self._unit(context) / f"{_EXTRACTION_PREFIX}{_digest(context.extraction_id)}"
        self._make_directory(directory)
        with _plan_errors():
            self._files.create(directory / _UPPER_BOUND, json.dumps({"upperBound": proposed}).encode())
            bound = json.loads(self._files.read(directory / _UPPER_BOUND))["upperBound"]
        return bound if bound is None else str(bound)

    def extraction_end(self, context: IngestionContext) -> ExtractionEnd | None:
        """Return where the extraction ends from this starting cursor; None unless the source was read to its end."""
        with _plan_errors():
            try:
                return ExtractionEnd.model_validate_json(self._files.read(self._end(context)))
            except (FileNotFoundError, ValueError):
                # Whoever does not know the end asks the source.
                return None

    def end_extraction(self, context: IngestionContext, end: ExtractionEnd) -> None:
        """Record that the source was read to its end."""
        with _plan_errors():
            self._files.create(self._end(context), end.model_dump_json(by_alias=True).encode())

    def _end(self, context: IngestionContext) -> PurePosixPath:
        return self._group(context) / f"end-{_digest(context.extraction_id)}.json"

    def ttl_cleanup(self, now: datetime) -> CleanupReport:
        """Remove expired groups. A group with a fresh lease stays, however old its files are.

        A group that can't be read or renamed is logged and left for the next sweep.

        Raises:
            OSError: The staging root itself can't be listed.
        """
        report = CleanupReport()
        for unit in self._directories(_ROOT):
            with _logging_failure(unit):
                for group in self._directories(unit):
                    with _logging_failure(group):
                        self._clean_group(group, now, report)
            with contextlib.suppress(OSError, IngestionError):
                self._files.remove_empty(unit)
        if report.removed:
            _log.info("removed expired staging groups", extra={"data": {"removed": len(report.removed)}})
        return report

    def _clean_group(self, group: PurePosixPath, now: datetime, report: CleanupReport) -> None:
        if group.name.startswith(_TRASH_PREFIX):
            self._files.remove(group)
        elif has_fresh_lease(self._files, group, now):
            report.kept_live.append(str(group))
        elif self._expired(group, now) and self._sweep(group, now):
            report.removed.append(str(group))

    def close(self) -> None:
        """Stop keeping leases fresh."""
        self._leases.close()

    def _group(self, context: IngestionContext) -> PurePosixPath:
        owner = "" if context.shared_between_runs else context.extraction_id
        group = self._unit(context) / f"g{context.generation}-{_digest(context.source_digest, owner)}"
        self._make_directory(group)
        return group

    def _unit(self, context: IngestionContext) -> PurePosixPath:
        return PurePosixPath(_digest(context.unit_key))

    def _make_directory(self, path: PurePosixPath) -> None:
        try:
            self._files.make_directory(path)
        except OSError as error:
            raise StagingError(
                f"a staging directory can't be made: {error.strerror}; check the staging area's place and rights"
            ) from None

    def _directories(self, parent: PurePosixPath) -> list[PurePosixPath]:
        return [parent / entry.name for entry in self._files.entries(parent) if entry.is_directory]

    def _expired(self, group: PurePosixPath, now: datetime) -> bool:
        is_kept = group.name.startswith(_EXTRACTION_PREFIX) or not self._has_landed(group)
        ttl = self._abandoned_ttl if is_kept else self._landed_ttl
        return now.timestamp() - self._modified_at(group) > ttl.total_seconds()

    def _has_landed(self, group: PurePosixPath) -> bool:
        """Return whether every sink that takes slices from here has taken all of them."""
        entries = self._files.entries(group)
        sinks = {one.name.removeprefix(_SINK_PREFIX) for one in entries if one.name.startswith(_SINK_PREFIX)}
        return all(
            sinks <= {mark.name.removeprefix(LANDED_PREFIX) for mark in self._files.entries(group / one.name)}
            for one in entries
            if one.is_directory and one.name.startswith(_SLICE_PREFIX)
        )

    def _modified_at(self, group: PurePosixPath) -> float:
        itself = self._files.entry(group)
        entries = self._files.entries(group) if itself is None else [itself, *self._files.entries(group)]
        return max((entry.modified_at for entry in entries), default=0.0)

    def _sweep(self, group: PurePosixPath, now: datetime) -> bool:
        """Rename first: a session that was leased in between is found in the renamed directory and given back."""
        trash = group.with_name(f"{_TRASH_PREFIX}{secrets.token_hex(8)}")
        try:
            self._files.rename(group, trash)
        except FileNotFoundError:
            return False
        if has_fresh_lease(self._files, trash, now):
            with contextlib.suppress(OSError):
                self._files.rename(trash, group)
            return False
        self._files.remove(trash)
        return True


class _ConfinedFiles(LocalFiles):
    """A directory that no symbolic link leads out of."""

    def make_directory(self, path: PurePosixPath) -> None:
        super().make_directory(path)
        if not (self.root / path).resolve(strict=True).is_relative_to(self.root):
            raise StagingError(
                "a staging directory leads outside the staging root by a symbolic link; remove that link",
                code="STAGING_PATH_ESCAPES",
                retryable=False,
            )


class LocalDirectoryStaging(DirectoryStaging):
    """Staging provider ``local_directory``.

    Args:
        root: Directory of this worker's staging; made when missing.
        landed_ttl: As for any :class:`DirectoryStaging`.
        abandoned_ttl: Likewise.
    """

    def __init__(
        self, root: Path, *, landed_ttl: timedelta = LANDED_TTL, abandoned_ttl: timedelta = ABANDONED_TTL
    ) -> None:
        try:
            root.mkdir(parents=True, exist_ok=True)
            self.root = root.resolve(strict=True)
        except OSError as error:
            raise StagingError(f"the staging root can't be used: {error.strerror}; check STAGING_ROOT") from None
        super().__init__(_ConfinedFiles(self.root), landed_ttl=landed_ttl, abandoned_ttl=abandoned_ttl)
        self._scratch: list[PurePosixPath] = []

    def scratch(self) -> Path:
        """Return an empty directory for files of this process alone.

        It is leased and removed by :meth:`close`; what a killed process leaves is swept like a group.

        Raises:
            StagingError: It can't be made.
        """
        directory = PurePosixPath("scratch", secrets.token_hex(8))
        self._make_directory(directory)
        self._leases.acquire(directory)
        self._scratch.append(directory)
        return self.root / directory

    def close(self) -> None:
        """Stop keeping leases fresh and remove what this process kept for itself."""
        super().close()
        while self._scratch:
            self._files.remove(self._scratch.pop())


class InMemoryStaging(DirectoryStaging):
    """Staging provider ``in_memory``: slices are bytes of this process and vanish with it.

    Args:
        limit_bytes: Of all slices together. What is beyond it goes to files in ``overflow``, so nothing is refused.
        overflow: Takes those files, and the copies of slices whose reader wants files.
    """

    def __init__(
        self,
        *,
        limit_bytes: int,
        overflow: LocalDirectoryStaging,
        landed_ttl: timedelta = LANDED_TTL,
        abandoned_ttl: timedelta = ABANDONED_TTL,
    ) -> None:
        self.memory = MemoryFiles(limit_bytes=limit_bytes, scratch=overflow.scratch, make_room=self._make_room)
        super().__init__(self.memory, landed_ttl=landed_ttl, abandoned_ttl=abandoned_ttl)

    def _make_room(self, now: datetime) -> bool:
        """Give up the group that has rested longest of those that sinks have taken and nobody works on."""
        idle = [
            group
            for unit in self._directories(_ROOT)
            for group in self._directories(unit)
            if not group.name.startswith(_EXTRACTION_PREFIX)
            and self._has_landed(group)
            and not has_fresh_lease(self._files, group, now)
        ]
        return bool(idle) and self._sweep(min(idle, key=self._modified_at), now)


@contextlib.contextmanager
def _plan_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError):
        raise StagingError("a run's plan can't be kept in the staging area; check its disk and rights") from None


@contextlib.contextmanager
def _logging_failure(path: PurePosixPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.warning(
            "a staging directory can't be swept", extra={"data": {"directory": str(path), "reason": error.strerror}}
        )
