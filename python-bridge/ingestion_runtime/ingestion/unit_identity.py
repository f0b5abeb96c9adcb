"""Names of a unit's slices: in the staging area, in the sink, over attempts and runs."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from runtime_common.protocols import IngestionContext
from runtime_common.sealed_secrets import without_secrets
from runtime_common.state import cursor_digest

if TYPE_CHECKING:
    from runtime_common.contracts import RunIngestionUnitInput


class UnitIdentity:
    """Everything that is fixed for one run of one unit."""

    def __init__(self, request: RunIngestionUnitInput, *, attempt: int) -> None:
        self._request = request
        self._attempt = attempt
        self.run_id = str(request.execution.run_id)
        self.extraction_id = str(request.execution.extraction_id or request.execution.run_id)
        self.unit_key = "/".join([request.endpoint_id, request.unit_id, request.sink_id or ""])
        self._source_digest = _source_digest(request)

    def batch_id(self, slice_index: int) -> str:
        """Name a slice by the run that stages it, never by the attempt (rule R8)."""
        return f"{self.run_id}:{slice_index}"

    def context(self, slice_index: int) -> IngestionContext:
        """Return where a slice belongs in the staging area."""
        request = self._request
        return IngestionContext(
            unit_key=f"{request.endpoint_id}/{request.unit_id}",
            sink_key=self.unit_key,
            run_id=self.run_id,
            extraction_id=self.extraction_id,
            fence=(request.execution.fence, self._attempt),
            generation=request.checkpoint.generation,
            source_digest=self._source_digest,
            shared_between_runs=request.execution.unit.mode == "incremental",
            slice_index=slice_index,
        )

    @property
    def quarantine_key(self) -> str:
        """Key of the commits to the quarantine."""
        return f"{self.unit_key}#quarantine"

    def accepted_context(self, slice_index: int) -> IngestionContext:
        """Return the place of what this sink takes of a slice, where it has refused some of its rows."""
        context = self.context(slice_index)
        digest = sha256(f"{context.source_digest}\x00accepted by {self.unit_key}".encode()).hexdigest()
        return replace(context, source_digest=digest, shared_between_runs=False)


def _source_digest(request: RunIngestionUnitInput) -> str:
    """Hash all that decides which rows are read; a secret sealed anew or a new password changes none of them."""
    execution = request.execution
    unit = execution.unit
    what = {
        "source": [execution.source.template_id, without_secrets(execution.source.config)],
        "unit": [unit.object, unit.mode, unit.cursor_field],
        "policy": request.policy.to_wire(),
        "start": cursor_digest(request.checkpoint.cursor),
    }
    return sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
