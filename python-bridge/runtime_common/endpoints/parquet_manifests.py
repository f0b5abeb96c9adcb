"""Numbered manifests: the commit log of one folder of Parquet files.

    <target>/_manifests/00000001.json     created exclusively with its full content: the commit point
    <target>/_incoming/<token>/…          files of a commit that is under way
    <target>/<name>.parquet               live files

A manifest lists every live file, so the newest one alone is the state. After it exists its files are moved into place
and replaced files are removed; whoever opens the folder next finishes that if the committer died ("roll forward").
The newest manifest is always rolled forward before the next one is created, so one step at most is ever open.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from runtime_common.contracts import ContractModel, DatasetField
from runtime_common.durable_files import create_exclusively, sync_directory
from runtime_common.exceptions import SinkError
from runtime_common.failpoints import failpoint
from runtime_common.protocols import CommitRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFESTS = "_manifests"
INCOMING = "_incoming"
_NAME = re.compile(r"(\d{8})\.json")


class DataFile(ContractModel):
    """One live Parquet file."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Arrival(ContractModel):
    """A file of this commit and the folder below ``_incoming`` that it comes from."""

    folder: str
    name: str


class FolderManifest(ContractModel):
    """One commit and the state after it."""

    number: int
    record: CommitRecord
    rows_written: int
    fields: list[DatasetField]
    files: list[DataFile]
    arrivals: list[Arrival]
    removed: list[str]


class ManifestLog:
    """The manifests of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifests = folder / MANIFESTS

    def newest(self) -> FolderManifest | None:
        """Return the current state, rolled forward."""
        numbers = self._numbers()
        if not numbers:
            return None
        manifest = self._read(numbers[-1])
        self.roll_forward(manifest)
        return manifest

    def backwards(self, newest: FolderManifest | None) -> Iterator[FolderManifest]:
        """Yield ``newest`` and all manifests before it."""
        if newest is None:
            return
        yield newest
        for number in reversed(self._numbers()):
            if number < newest.number:
                yield self._read(number)

    def append(self, manifest: FolderManifest) -> bool:
        """Create the next manifest; False when another writer was faster."""
        self._manifests.mkdir(parents=True, exist_ok=True)
        failpoint("parquet.before-manifest")
        created = create_exclusively(
            self._manifests / f"{manifest.number:08d}.json", manifest.model_dump_json(by_alias=True).encode()
        )
        if created:
            failpoint("parquet.after-manifest")
            self.roll_forward(manifest)
            failpoint("parquet.after-roll-forward")
        return created

    def roll_forward(self, manifest: FolderManifest) -> None:
        """Move the commit's files into place and remove replaced ones; safe to repeat and to run twice at once."""
        moved = False
        for arrival in manifest.arrivals:
            try:
                (self._folder / INCOMING / arrival.folder / arrival.name).rename(self._folder / arrival.name)
            except FileNotFoundError:
                self._check_moved_before(manifest, arrival)
            else:
                moved = True
                failpoint("parquet.mid-roll-forward")
        for name in manifest.removed:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / name).unlink()
                moved = True
        if moved:
            sync_directory(self._folder)
        for folder in {arrival.folder for arrival in manifest.arrivals}:
            with contextlib.suppress(OSError):
                (self._folder / INCOMING / folder).rmdir()

    def newest_arrival_folders(self) -> set[str]:
        """Return the folders below ``_incoming`` that the newest manifest names, as it is, not rolled forward.

        Raises:
            OSError: The manifests can't be listed or read.
            SinkError: The newest one is damaged.
        """
        numbers = self._numbers()
        return {arrival.folder for arrival in self._read(numbers[-1]).arrivals} if numbers else set()

    def _check_moved_before(self, manifest: FolderManifest, arrival: Arrival) -> None:
        """Accept a file that is gone from ``_incoming`` only if it is in place, or was replaced by a later commit.

        The order matters: a later manifest exists before it removes files, so it is looked for after the file.
        """
        if (self._folder / arrival.name).exists() or self._numbers()[-1] > manifest.number:
            return
        raise SinkError(
            f"{self._folder / arrival.name}, a file of the newest commit, is gone; restore it, or define a new unit "
            "with a new target",
            code="SINK_FILES_LOST",
            field="unit.target",
            retryable=False,
        )

    def _numbers(self) -> list[int]:
        try:
            names = [path.name for path in self._manifests.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(match.group(1)) for name in names if (match := _NAME.fullmatch(name)))

    def _read(self, number: int) -> FolderManifest:
        path = self._manifests / f"{number:08d}.json"
        try:
            return FolderManifest.model_validate_json(path.read_bytes())
        except ValueError:
            raise SinkError(
                f"{path} is not a manifest that this version can read; restore it before the unit runs again",
                code="SINK_MANIFEST_INVALID",
                retryable=False,
            ) from None
