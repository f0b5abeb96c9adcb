"""The Temporal activities: runs of units, and what can be asked of one endpoint."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from temporalio import activity

from ingestion_runtime.activity_guard import guarded, heartbeats
from ingestion_runtime.events import EventPoster, Progress, ProgressSnapshot
from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from ingestion_runtime.operations import CollectionProgress, collect_metadata, preview_metadata, run_connection_test
from runtime_common.contracts import (
    CollectMetadataInput,
    PreviewMetadataInput,
    ProgressEvent,
    RunIngestionUnitInput,
    TestEndpointInput,
)
from runtime_common.contracts.model import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import (
        CollectMetadataResult,
        PreviewMetadataResult,
        RunIngestionUnitResult,
        TestEndpointResult,
    )
    from runtime_common.endpoints import EndpointFactory
    from runtime_common.protocols import StagingProvider
    from runtime_common.run_metadata import RunMetadataFolder


class IngestionActivities:
    """Activities that share the worker's endpoints, staging and event poster.

    Each takes and returns the contract's wire form; one that fails raises an ApplicationError whose type is the
    failure's code and whose first detail is ``ingestionFailureSchema``.
    """

    def __init__(
        self,
        *,
        factory: EndpointFactory,
        staging: Mapping[str, StagingProvider],
        metadata: RunMetadataFolder,
        poster: EventPoster,
    ) -> None:
        self._factory = factory
        self._staging = staging
        self._metadata = metadata
        self._poster = poster

    def work(self) -> list[Callable[..., Any]]:
        """Return what may take long, for a worker to register."""
        return [self.list_metadata_endpoint_templates, self.run_ingestion_unit, self.collect_metadata]

    def questions(self) -> list[Callable[..., Any]]:
        """Return what somebody waits for; a worker keeps room for it beside the runs."""
        return [self.test_metadata_endpoint, self.preview_metadata]

    @activity.defn(name="listMetadataEndpointTemplates")
    async def list_metadata_endpoint_templates(self) -> dict[str, Any]:
        """Return the descriptors of this worker's endpoints (``templateListSchema``)."""
        return self._factory.templates().to_wire()

    @activity.defn(name="runIngestionUnit")
    def run_ingestion_unit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Run one unit (``runIngestionUnitInputSchema`` → ``runIngestionUnitResultSchema``)."""

        def work(cancellation: Cancellation) -> RunIngestionUnitResult:
            request = parse(RunIngestionUnitInput, payload, prefix="input")
            progress = Progress(on_change=lambda snapshot: self._poster.progress(_event(request, snapshot)))
            environment = RuntimeEnvironment(
                factory=self._factory,
                staging=self._staging,
                metadata=self._metadata,
                attempt=activity.info().attempt,
                cancellation=cancellation,
                progress=progress,
            )
            with heartbeats(lambda: asdict(progress.snapshot()), cancellation):
                return run_ingestion(request, environment)

        return guarded(work)

    @activity.defn(name="testMetadataEndpoint")
    def test_metadata_endpoint(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Test an endpoint (``testEndpointInputSchema`` → ``testEndpointResultSchema``).

        What it finds is its result, never its failure.
        """

        def work(cancellation: Cancellation) -> TestEndpointResult:
            request = parse(TestEndpointInput, payload, prefix="input")
            with heartbeats(dict, cancellation):
                return run_connection_test(request, factory=self._factory, cancellation=cancellation)

        return guarded(work)

    @activity.defn(name="previewMetadata")
    def preview_metadata(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Leave some rows in a file (``previewMetadataInputSchema`` → ``previewMetadataResultSchema``)."""

        def work(cancellation: Cancellation) -> PreviewMetadataResult:
            request = parse(PreviewMetadataInput, payload, prefix="input")
            with heartbeats(dict, cancellation):
                return preview_metadata(
                    request, factory=self._factory, metadata=self._metadata, cancellation=cancellation
                )

        return guarded(work)

    @activity.defn(name="collectMetadata")
    def collect_metadata(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Leave what a source has in files (``collectMetadataInputSchema`` → ``collectMetadataResultSchema``).

        Its heartbeats tell how many files and rows there are so far.
        """

        def work(cancellation: Cancellation) -> CollectMetadataResult:
            request = parse(CollectMetadataInput, payload, prefix="input")
            progress = CollectionProgress()
            with heartbeats(lambda: asdict(progress), cancellation):
                return collect_metadata(
                    request,
                    factory=self._factory,
                    metadata=self._metadata,
                    cancellation=cancellation,
                    progress=progress,
                )

        return guarded(work)


def _event(request: RunIngestionUnitInput, snapshot: ProgressSnapshot) -> ProgressEvent:
    return ProgressEvent(
        run_id=request.execution.run_id,
        endpoint_id=request.endpoint_id,
        unit_id=request.unit_id,
        sink_id=request.sink_id,
        phase=snapshot.phase,
        rows_read=snapshot.rows_read,
        rows_written=snapshot.rows_written,
        rows_per_second=snapshot.rows_per_second,
        at=datetime.now(UTC),
    )
