"""The seams of the data plane: what a source, a staging provider and a sink promise to the runtime.

    SourceEndpoint.open() -> SourceRead.batches() -> RecordWriter   (export)
    RecordReader -> SinkEndpoint.commit()                          (import)

An endpoint implements one of these protocols and has a descriptor; the runtime knows no endpoint by name.
"""

from runtime_common.protocols.operations import Check, Collectable, Collected, Previewable, Sample, Testable
from runtime_common.protocols.sink import (
    CommitRecord,
    CommitRequest,
    ResumeRecord,
    RunTotals,
    SinkCommit,
    SinkEndpoint,
)
from runtime_common.protocols.source import (
    CursorColumn,
    Cut,
    Cutter,
    MetadataTable,
    ReadRequest,
    Rows,
    SourceEndpoint,
    SourceRead,
)
from runtime_common.protocols.staging import (
    CleanupReport,
    ExtractionEnd,
    IngestionContext,
    RecordReader,
    RecordWriter,
    SliceCounts,
    SliceManifest,
    SliceSeal,
    StagedPart,
    StagingProvider,
    StagingSession,
)

__all__ = [
    "Check",
    "CleanupReport",
    "Collectable",
    "Collected",
    "CommitRecord",
    "CommitRequest",
    "CursorColumn",
    "Cut",
    "Cutter",
    "ExtractionEnd",
    "IngestionContext",
    "MetadataTable",
    "Previewable",
    "ReadRequest",
    "RecordReader",
    "RecordWriter",
    "ResumeRecord",
    "Rows",
    "RunTotals",
    "Sample",
    "SinkCommit",
    "SinkEndpoint",
    "SliceCounts",
    "SliceManifest",
    "SliceSeal",
    "SourceEndpoint",
    "SourceRead",
    "StagedPart",
    "StagingProvider",
    "StagingSession",
    "Testable",
]
