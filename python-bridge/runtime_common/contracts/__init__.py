"""Python's models of the payloads that cross to TypeScript.

The zod schemas in ``ingestion/contracts`` are the source of truth; the JSON Schemas beside this file are generated
from them, and the tests hold these models against those.
"""

from runtime_common.contracts.checkpoint import Checkpoint, Cursor, CursorFamily, CursorTie
from runtime_common.contracts.events import ProgressEvent, RunPhase, WorkerEvents, WorkerReadyEvent
from runtime_common.contracts.model import ContractModel
from runtime_common.contracts.operations import (
    CheckOutcome,
    CheckStatus,
    CollectMetadataInput,
    CollectMetadataResult,
    CompleteScope,
    Preview,
    PreviewColumn,
    PreviewMetadataInput,
    PreviewMetadataResult,
    TestEndpointInput,
    TestEndpointResult,
)
from runtime_common.contracts.run import (
    DatasetField,
    DatasetRef,
    EndpointRef,
    Execution,
    IngestionPolicy,
    MetadataContents,
    NewCheckpoint,
    PhaseDurations,
    Provenance,
    QuarantineEntry,
    ReadEngine,
    RunIngestionUnitInput,
    RunIngestionUnitResult,
    RunMetadataFile,
    RunStats,
    SchemaChangePolicy,
    UnitSpec,
    WriteMode,
)
from runtime_common.contracts.template import Capability, CheckStep, EndpointRole, EndpointTemplate, TemplateList

__all__ = [
    "Capability",
    "CheckOutcome",
    "CheckStatus",
    "CheckStep",
    "Checkpoint",
    "CollectMetadataInput",
    "CollectMetadataResult",
    "CompleteScope",
    "ContractModel",
    "Cursor",
    "CursorFamily",
    "CursorTie",
    "DatasetField",
    "DatasetRef",
    "EndpointRef",
    "EndpointRole",
    "EndpointTemplate",
    "Execution",
    "IngestionPolicy",
    "MetadataContents",
    "NewCheckpoint",
    "PhaseDurations",
    "Preview",
    "PreviewColumn",
    "PreviewMetadataInput",
    "PreviewMetadataResult",
    "ProgressEvent",
    "Provenance",
    "QuarantineEntry",
    "ReadEngine",
    "RunIngestionUnitInput",
    "RunIngestionUnitResult",
    "RunMetadataFile",
    "RunPhase",
    "RunStats",
    "SchemaChangePolicy",
    "TemplateList",
    "TestEndpointInput",
    "TestEndpointResult",
    "UnitSpec",
    "WorkerEvents",
    "WorkerReadyEvent",
    "WriteMode",
]
