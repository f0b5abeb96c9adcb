"""Python's models of the payloads that cross to TypeScript.

The zod schemas in ``ingestion/contracts`` are the source of truth; the JSON Schemas beside this file are generated
from them, and the tests hold these models against those.
"""

from runtime_common.contracts.checkpoint import Checkpoint, Cursor, CursorFamily
from runtime_common.contracts.events import ProgressEvent, RunPhase, WorkerEvents, WorkerReadyEvent
from runtime_common.contracts.model import ContractModel
from runtime_common.contracts.run import (
    DatasetField,
    DatasetRef,
    EndpointRef,
    Execution,
    IngestionPolicy,
    NewCheckpoint,
    PhaseDurations,
    Provenance,
    RunIngestionUnitInput,
    RunIngestionUnitResult,
    RunMetadataFile,
    RunStats,
    UnitSpec,
    WriteMode,
)
from runtime_common.contracts.template import Capability, EndpointRole, EndpointTemplate, TemplateList

__all__ = [
    "Capability",
    "Checkpoint",
    "ContractModel",
    "Cursor",
    "CursorFamily",
    "DatasetField",
    "DatasetRef",
    "EndpointRef",
    "EndpointRole",
    "EndpointTemplate",
    "Execution",
    "IngestionPolicy",
    "NewCheckpoint",
    "PhaseDurations",
    "ProgressEvent",
    "Provenance",
    "RunIngestionUnitInput",
    "RunIngestionUnitResult",
    "RunMetadataFile",
    "RunPhase",
    "RunStats",
    "TemplateList",
    "UnitSpec",
    "WorkerEvents",
    "WorkerReadyEvent",
    "WriteMode",
]
