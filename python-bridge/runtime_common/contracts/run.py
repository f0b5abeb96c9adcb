"""Argument and result of ``runIngestionUnit``."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from runtime_common.contracts.checkpoint import Checkpoint, Cursor
from runtime_common.contracts.model import ContractModel, Id

WriteMode = Literal["append", "merge", "overwrite"]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=0)]
FaultCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MetadataPath = Annotated[
    str,
    StringConstraints(max_length=400, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"),
]


SchemaChangePolicy = Literal["freeze", "evolve", "discard"]
ReadEngine = Literal["auto", "arrow", "spark"]


class IngestionPolicy(ContractModel):
    """How a unit's rows are read and cut; the meaning of each field is documented in ``ingestion/contracts/run.ts``."""

    slice_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    lag_seconds: Annotated[float, Field(ge=0)] = 0
    lookback_seconds: Annotated[float, Field(ge=0)] = 0
    null_cursor: Literal["fail", "include", "exclude"] = "fail"
    tie_break_field: NonEmpty | None = None
    engine: ReadEngine = "auto"
    schema_change: SchemaChangePolicy = "freeze"
    delete_field: NonEmpty | None = None
    bad_rows: Literal["fail", "quarantine"] = "fail"
    max_bad_rows: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000


class EndpointRef(ContractModel):
    """An endpoint's template and config, its secrets still sealed."""

    endpoint_id: Id
    template_id: Id
    config: dict[str, Any]


class UnitSpec(ContractModel):
    """What is read, and where it goes."""

    object: dict[str, Any]
    mode: Literal["full", "incremental"]
    cursor_field: NonEmpty | None
    primary_key: list[NonEmpty]
    target: NonEmpty
    write_mode: WriteMode


class Execution(ContractModel):
    """What Python needs to work alone."""

    run_id: UUID
    fence: Annotated[int, Field(ge=1)]
    extraction_id: UUID | None = None
    source: EndpointRef
    sink: EndpointRef
    unit: UnitSpec


class RunIngestionUnitInput(ContractModel):
    """Argument of the activity."""

    endpoint_id: Id
    unit_id: Id
    sink_id: Id | None = None
    checkpoint: Checkpoint
    staging_provider_id: Id = "local_directory"
    policy: IngestionPolicy = IngestionPolicy()
    execution: Execution


class DatasetField(ContractModel):
    """One column, with the type as its store names it."""

    name: str
    type: str


class DatasetRef(ContractModel):
    """A data set that a run read or wrote, named the OpenLineage way."""

    namespace: NonEmpty
    name: NonEmpty
    version: NonEmpty | None
    fields: list[DatasetField]


class PhaseDurations(ContractModel):
    """Milliseconds spent in each phase by this attempt."""

    export: Count
    import_: Annotated[Count, Field(alias="import")]
    cleanup: Count


class Provenance(ContractModel):
    """Data sets read and written."""

    inputs: list[DatasetRef]
    outputs: list[DatasetRef]


class QuarantineEntry(ContractModel):
    """Rows of one run that went to quarantine for one reason; the reason never holds their values."""

    code: FaultCode
    field: str | None
    reason: str
    rows: Annotated[int, Field(ge=1)]


class RunStats(ContractModel):
    """Numbers of one run; rows are counted over all its attempts, durations over the last."""

    rows_read: Count
    rows_written: Count
    rows_skipped_at_watermark: Count
    null_cursor_rows: Count
    rows_quarantined: Count = 0
    quarantine: Annotated[list[QuarantineEntry], Field(default_factory=list, max_length=20)]
    bytes_staged: Count
    slices: Count
    slices_reused: Count
    engine: str
    durations_ms: PhaseDurations
    provenance: Provenance


class NewCheckpoint(ContractModel):
    """The cursor to store."""

    cursor: Cursor


MetadataContents = Literal["entities", "links", "linkSets", "deletions"]


class RunMetadataFile(ContractModel):
    """An Arrow stream of normalized metadata that a run has left for the graph."""

    path: MetadataPath
    contents: MetadataContents
    kind: NonEmpty
    rows: Count
    sha256: Sha256


class RunIngestionUnitResult(ContractModel):
    """Result of the activity; ``new_checkpoint`` None keeps the stored one (rule R6)."""

    new_checkpoint: Annotated[NewCheckpoint | None, Field(alias="new_checkpoint")]
    stats: RunStats
    metadata_files: Annotated[list[RunMetadataFile], Field(default_factory=list, max_length=1_000)]
