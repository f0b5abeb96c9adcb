"""Looks through a source and leaves what it has as files for the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion_runtime.operations.capabilities import check_capability, lacks
from ingestion_runtime.operations.patience import call_with_patience
from runtime_common.contracts import CollectMetadataResult
from runtime_common.exceptions import ConfigurationError
from runtime_common.protocols import Collectable

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import CollectMetadataInput, RunMetadataFile
    from runtime_common.endpoints import EndpointFactory
    from runtime_common.run_metadata import RunMetadataFolder

MAX_FILES = 1_000


@dataclass
class CollectionProgress:
    """How much has been collected so far; read by the heartbeats."""

    files: int = 0
    rows: int = 0


def collect_metadata(
    request: CollectMetadataInput,
    *,
    factory: EndpointFactory,
    metadata: RunMetadataFolder,
    cancellation: Cancellation,
    progress: CollectionProgress,
) -> CollectMetadataResult:
    """Collect the entities and links of a source.

    Scopes are complete only if the whole collection succeeds: a failure half-way returns nothing, so that nobody takes
    what is missing for deleted. A repetition writes the same files again.

    Raises:
        ConfigurationError: The source does not offer it, or has too much for one collection.
        IngestionError: As the source's ``open`` does.
        StagingError: A file can't be written.
        RunCancelledError: The collection was cancelled.
    """
    check_capability(request.source, "metadata.collect", factory=factory)
    source = factory.source(request.source)
    if not isinstance(source, Collectable):
        raise lacks(request.source, "metadata.collect")
    return call_with_patience(lambda: _write(source, request, metadata, cancellation, progress), cancellation)


def _write(
    source: Collectable,
    request: CollectMetadataInput,
    metadata: RunMetadataFolder,
    cancellation: Cancellation,
    progress: CollectionProgress,
) -> CollectMetadataResult:
    collected = source.collect(request.scope, cancellation)
    # By path: a table that the source delivers twice is one file.
    files: dict[str, RunMetadataFile] = {}
    for piece in collected.tables:
        cancellation.check()
        if piece.table.num_rows == 0:
            continue
        file = metadata.write(request.request_id, contents=piece.contents, kind=piece.kind, table=piece.table)
        files[file.path] = file
        progress.files = len(files)
        progress.rows += file.rows
        if len(files) > MAX_FILES:
            raise ConfigurationError(
                f"the source has more than fits into {MAX_FILES} files; collect it in parts, by scopes",
                code="COLLECTION_TOO_LARGE",
                field="scope",
            )
    cancellation.check()
    return CollectMetadataResult(
        files=list(files.values()), complete_scopes=collected.complete_scopes, counts=collected.counts
    )
