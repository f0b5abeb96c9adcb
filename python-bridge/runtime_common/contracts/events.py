"""What a worker posts to the server's internal route; losing one loses nothing."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from runtime_common.contracts.model import ContractModel, Id
from runtime_common.contracts.run import Count

RunPhase = Literal["export", "import", "cleanup"]


class ProgressEvent(ContractModel):
    """Where a run stands now; ``rows_per_second`` is of the present phase over the last seconds."""

    type: Literal["progress"] = "progress"
    run_id: UUID
    endpoint_id: Id
    unit_id: Id
    sink_id: Id | None
    phase: RunPhase
    rows_read: Count
    rows_written: Count
    rows_per_second: Annotated[float, Field(ge=0)]
    at: AwareDatetime


class WorkerReadyEvent(ContractModel):
    """Posted once when a worker is ready."""

    type: Literal["workerReady"] = "workerReady"
    descriptor_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class WorkerEvents(ContractModel):
    """Body of the post."""

    events: Annotated[
        list[Annotated[ProgressEvent | WorkerReadyEvent, Field(discriminator="type")]],
        Field(min_length=1, max_length=1000),
    ]
