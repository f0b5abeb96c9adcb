"""The Temporal activities around :func:`run_ingestion`."""

from __future__ import annotations

import contextvars
import logging
import threading
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from ingestion_runtime.events import EventPoster, Progress, ProgressSnapshot
from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import ProgressEvent, RunIngestionUnitInput
from runtime_common.contracts.model import parse
from runtime_common.exceptions import IngestionError, InternalError, RunCancelledError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runtime_common.endpoints import EndpointFactory
    from runtime_common.protocols import StagingProvider
    from runtime_common.run_metadata import RunMetadataFolder

_log = logging.getLogger(__name__)
_HEARTBEAT_SECONDS = 1.0


class IngestionActivities:
    """Activities that share the worker's endpoints, staging and event poster."""

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

    @activity.defn(name="listMetadataEndpointTemplates")
    async def list_metadata_endpoint_templates(self) -> dict[str, Any]:
        """Return the descriptors of this worker's endpoints (``templateListSchema``)."""
        return self._factory.templates().to_wire()

    @activity.defn(name="runIngestionUnit")
    def run_ingestion_unit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Run one unit (``runIngestionUnitInputSchema`` → ``runIngestionUnitResultSchema``).

        Raises:
            ApplicationError: Its type is the failure's code, its first detail ``ingestionFailureSchema``.
            CancelledError: The run was cancelled.
        """
        # The SDK would throw its cancellation into this thread at any bytecode, also inside a commit. The heart-beat
        # thread notices it instead, and the run stops at a place of its own choice.
        with activity.shield_thread_cancel_exception():
            outcome = self._run(payload)
        if isinstance(outcome, dict):
            return outcome
        # Raised here, outside of any except block, so that no cause with foreign text travels along.
        raise outcome

    def _run(self, payload: dict[str, Any]) -> dict[str, Any] | Exception:
        cancellation = Cancellation()
        try:
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
            with _heartbeats(progress, cancellation):
                return run_ingestion(request, environment).to_wire()
        except RunCancelledError:
            return CancelledError("the run was cancelled")
        except IngestionError as error:
            return _failure(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must end with a typed failure
            _log.exception("a run failed by a fault of the data plane")
            return _failure(InternalError(f"unexpected {type(error).__name__}: {error}"))


@contextmanager
def _heartbeats(progress: Progress, cancellation: Cancellation) -> Iterator[None]:
    """Send heartbeats from a side thread and pass a cancellation on to the run.

    They go on after that: the run may still be inside a commit, and an attempt that falls silent there would time out
    and be started a second time beside the first.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.is_set():
            activity.heartbeat(asdict(progress.snapshot()))
            if activity.is_cancelled() and not cancellation.requested:
                details = activity.cancellation_details()
                if details is not None and details.cancel_requested:
                    cancellation.cancel()
                else:
                    # Shutdown of this worker, or the server gave this attempt up: somebody else goes on.
                    cancellation.interrupt()
            done.wait(_HEARTBEAT_SECONDS)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(beat,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


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


def _failure(error: IngestionError) -> ApplicationError:
    detail = error.as_detail() | {"message": redact(error.message)}
    return ApplicationError(str(detail["message"]), detail, type=error.code, non_retryable=not error.retryable)
