"""Whether the policy lets a run go on when a source's columns have changed since the unit's last commit (R7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.exceptions import CheckpointMismatchError

if TYPE_CHECKING:
    from runtime_common.contracts import Cursor, SchemaChangePolicy, WriteMode
    from runtime_common.schema_drift import SchemaDrift


def check_drift(
    drift: SchemaDrift | None, cursor: Cursor | None, *, fingerprint: str, policy: SchemaChangePolicy, mode: WriteMode
) -> None:
    """Hold what changed against the policy.

    Rows at the watermark are recognised by a hash over the columns that were there when they were committed. Where such
    a column is gone or has another type they can't be, so only a merge, which may deliver them again, can go on.

    Args:
        drift: None when the sink no longer knows the columns of before.
        cursor: The checkpoint's; None when nothing was committed yet.
        fingerprint: Of the source's schema as it is.
        policy: The unit's.
        mode: How the sink writes.

    Raises:
        CheckpointMismatchError: The run can't go on; says what changed and what to do.
    """
    if cursor is None or cursor.schema_fingerprint == fingerprint or (drift is not None and drift.is_none):
        return
    what = "the columns of the source changed since the checkpoint was made"
    if drift is not None:
        what = f"{what} ({drift})"
    if policy == "evolve" and (mode == "merge" or (drift is not None and drift.only_adds)):
        return
    if policy == "discard" and drift is not None and drift.only_adds:
        return
    advice = {
        "freeze": "set the policy schemaChange to evolve or discard, change the source back",
        "evolve": "an append can only take new columns: use merge, change the source back",
        "discard": "the policy discard can only leave out new columns: set it to evolve, change the source back",
    }[policy]
    raise CheckpointMismatchError(
        f"{what}; {advice}, or define a new unit id with a new target to read it from the start",
        code="SCHEMA_CHANGED",
        field=cursor.field,
    )
