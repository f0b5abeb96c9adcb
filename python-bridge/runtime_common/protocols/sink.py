"""What a sink promises: commits that are whole or absent and that carry who made them (rule R8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field

from runtime_common.contracts import (
    ContractModel,
    Cursor,
    DatasetRef,
    QuarantineEntry,
    RunMetadataFile,
    SchemaChangePolicy,
    WriteMode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols.staging import RecordReader


class ResumeRecord(ContractModel):
    """Where the unit stood after a commit, and on top of which checkpoint that commit was made."""

    generation: int
    checkpoint_version: int
    slice_index: int
    cursor: Cursor | None


class RunTotals(ContractModel):
    """Sums over the slices of one run; ``rows_written`` without the commit that carries the totals."""

    rows_read: int = 0
    rows_written: int = 0
    rows_skipped_at_watermark: int = 0
    null_cursor_rows: int = 0
    rows_quarantined: int = 0
    quarantine: list[QuarantineEntry] = Field(default_factory=list)
    metadata_files: list[RunMetadataFile] = Field(default_factory=list)
    bytes_staged: int = 0
    slices: int = 0
    slices_reused: int = 0
    engine: str = ""


class CommitRecord(ContractModel):
    """What a sink commit carries inside itself (rule R8)."""

    run_id: str
    unit_key: str
    batch_id: str
    resume: ResumeRecord
    totals: RunTotals
    input: DatasetRef


class SinkCommit(ContractModel):
    """A commit found in, or made to, the sink."""

    record: CommitRecord
    rows_written: Annotated[int, Field(ge=0)]
    output: DatasetRef


@dataclass(frozen=True, kw_only=True)
class CommitRequest:
    """One slice to commit.

    Attributes:
        target: Name of the table or sub-folder.
        expected_version: Version of the unit's last commit as this attempt knows it; None when there was none. The
            commit fails if the sink has moved on, so that an attempt that was thought dead can't write.
        schema_change: What to do when the target's columns differ from the slice's.
        delete_field: Column that marks rows as deleted (true, or not NULL for other types): merge removes their keys
            from the target.
    """

    target: str
    write_mode: WriteMode
    primary_key: Sequence[str]
    cursor_field: str | None
    record: CommitRecord
    expected_version: str | None
    schema_change: SchemaChangePolicy = "freeze"
    delete_field: str | None = None


class SinkEndpoint(Protocol):
    """An external store that staged rows are committed to; it never touches the knowledge base."""

    def last_commit(self, unit_key: str, target: str) -> SinkCommit | None:
        """Return the unit's latest commit to ``target``."""
        ...

    def current_output(self, target: str) -> DatasetRef | None:
        """Return the target as it stands; None before it exists."""
        ...

    def may_have_forgotten(self, target: str) -> bool:
        """Return whether records of earlier commits to ``target`` may be gone; False for a target that is missing."""
        ...

    def commit(self, request: CommitRequest, reader: RecordReader, cancellation: Cancellation) -> SinkCommit:
        """Commit the slice atomically, or return the earlier commit of the same batch.

        Raises:
            SupersededError: The unit's last commit is not the expected one.
            RowsRejectedError: The sink can't take some of the rows; nothing was committed.
            SinkError: The sink failed; nothing was committed.
        """
        ...
