"""Arguments and results of the activities beside ``runIngestionUnit``, as ``ingestion/contracts/operations.ts``."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from runtime_common.contracts.model import ContractModel
from runtime_common.contracts.run import (
    Count,
    DatasetRef,
    EndpointRef,
    FaultCode,
    MetadataPath,
    NonEmpty,
    RunMetadataFile,
    Sha256,
)
from runtime_common.contracts.template import EndpointRole

CheckStatus = Literal["passed", "failed", "skipped"]


class TestEndpointInput(ContractModel):
    """Which endpoint to test, with its secrets still sealed."""

    role: EndpointRole
    endpoint: EndpointRef


class CheckOutcome(ContractModel):
    """One step of a connection test; the message never holds a secret."""

    name: NonEmpty
    title: NonEmpty
    status: CheckStatus
    code: FaultCode | None
    message: str | None
    field: str | None
    duration_ms: Count


class TestEndpointResult(ContractModel):
    """All steps in order."""

    passed: bool
    checks: Annotated[list[CheckOutcome], Field(min_length=1)]


class PreviewMetadataInput(ContractModel):
    """What to show of which object."""

    request_id: UUID
    source: EndpointRef
    object: dict[str, Any]
    limit: Annotated[int, Field(ge=1, le=1_000)] = 50
    masked_columns: list[NonEmpty] = Field(default_factory=list)


class PreviewMetadataResult(ContractModel):
    """Where the preview's file is, relative to the metadata root."""

    path: MetadataPath
    sha256: Sha256


class PreviewColumn(ContractModel):
    """One column with its type as the source names it."""

    name: str
    type: str
    masked: bool


class Preview(ContractModel):
    """Content of a preview's file; values are text in the order of the columns."""

    dataset: DatasetRef
    columns: list[PreviewColumn]
    rows: list[list[str | None]]
    truncated: bool


class CollectMetadataInput(ContractModel):
    """Which source to look through, and which parts of it."""

    request_id: UUID
    source: EndpointRef
    scope: Annotated[list[NonEmpty], Field(default_factory=list, max_length=1_000)]


class CompleteScope(ContractModel):
    """Names that were looked through to their end: what the files do not hold below them is gone from the source."""

    namespace: NonEmpty
    name_prefix: str


class CollectMetadataResult(ContractModel):
    """The files, the complete scopes and what was found."""

    files: Annotated[list[RunMetadataFile], Field(max_length=1_000)]
    complete_scopes: list[CompleteScope]
    counts: dict[str, Count]
