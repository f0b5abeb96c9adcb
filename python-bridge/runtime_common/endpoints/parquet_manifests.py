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

from pydantic import Field

from runtime_common.contracts import ContractModel, DatasetField
from runtime_common.exceptions import SinkError
from runtime_common.failpoints import failpoint
from runtime_common.protocols import CommitRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from runtime_common.file_store import FileStore

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
    """One commit and the state after it.

    Attributes:
        fields: Columns of all live files together. A file that lacks one has no value in it; a file's type may be
            narrower.
        left_out: Columns of the slice that the folder does not have, and that were left out by the unit's policy.
    """

    number: int
    record: CommitRecord
    rows_written: int
    fields: list[DatasetField]
    files: list[DataFile]
    arrivals: list[Arrival]
    removed: list[str]
    left_out: list[str] = Field(default_factory=list)


class ManifestLog:
    """The manifests of one folder."""

    def __init__(self, files: FileStore, folder: PurePosixPath) -> None:
        self._files = files
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
        self._files.make_directory(self._manifests)
        failpoint("parquet.before-manifest")
        created = self._files.create(
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
                self._files.rename(self._folder / INCOMING / arrival.folder / arrival.name, self._folder / arrival.name)
            except FileNotFoundError:
                self._check_moved_before(manifest, arrival)
            else:
                moved = True
                failpoint("parquet.mid-roll-forward")
        for name in manifest.removed:
            moved = self._files.remove(self._folder / name) or moved
        if moved:
            self._files.sync(self._folder)
        for folder in {arrival.folder for arrival in manifest.arrivals}:
            with contextlib.suppress(OSError):
                self._files.remove_empty(self._folder / INCOMING / folder)

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
        place = self._folder / arrival.name
        if self._files.entry(place) is not None or self._numbers()[-1] > manifest.number:
            return
        raise SinkError(
            f"{self._files.location(place)}, a file of the newest commit, is gone; restore it, or define a new unit "
            "with a new target",
            code="SINK_FILES_LOST",
            field="unit.target",
            retryable=False,
        )

    def _numbers(self) -> list[int]:
        names = self._files.entries(self._manifests)
        return sorted(int(match.group(1)) for entry in names if (match := _NAME.fullmatch(entry.name)))

    def _read(self, number: int) -> FolderManifest:
        path = self._manifests / f"{number:08d}.json"
        try:
            return FolderManifest.model_validate_json(self._files.read(path))
        except ValueError:
            raise SinkError(
                f"{self._files.location(path)} is not a manifest that this version can read; restore it "
                "before the unit runs again",
                code="SINK_MANIFEST_INVALID",
                retryable=False,
            ) from None
