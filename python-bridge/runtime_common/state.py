"""Where a unit continues."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_common.contracts import Checkpoint, Cursor, DatasetRef
    from runtime_common.protocols import CursorColumn, SinkCommit


@dataclass(frozen=True, kw_only=True)
class Start:
    """The cursor to read from and the index of the next slice on top of the checkpoint."""

    cursor: Cursor | None
    slice_index: int


def effective_start(checkpoint: Checkpoint, last: SinkCommit | None) -> Start:
    """Return where to continue.

    The sink's own record wins over the checkpoint if it was made on top of that same checkpoint: then the commit
    happened, and only the checkpoint write after it is missing. A record made on top of a later checkpoint means that
    the checkpoints went back in time: continuing from the older one would deliver rows twice.

    Raises:
        CheckpointMismatchError: The sink knows a later checkpoint than the one given.
    """
    if last is not None:
        resume = last.record.resume
        recorded = (resume.generation, resume.checkpoint_version)
        given = (checkpoint.generation, checkpoint.version)
        if recorded > given:
            raise CheckpointMismatchError(
                f"the sink holds a commit on top of checkpoint version {resume.checkpoint_version} (generation "
                f"{resume.generation}), but the checkpoint given is version {checkpoint.version} (generation "
                f"{checkpoint.generation}): the checkpoint store was lost or an older copy was restored; bring back "
                "the newest one (KV_PATH, or the command line's checkpoint file), or define a new unit id with a new "
                "target",
                code="CHECKPOINT_LOST",
            )
        if recorded == given:
            return Start(cursor=resume.cursor, slice_index=resume.slice_index + 1)
    return Start(cursor=checkpoint.cursor, slice_index=0)


def check_cursor_fits(cursor: Cursor | None, *, column: CursorColumn) -> None:
    """Hold a stored cursor against the cursor column as it is now (rule R7).

    Raises:
        CheckpointMismatchError: The cursor was made for another column, type or precision.
    """
    if cursor is None:
        return
    expected = {
        "field": (cursor.field, column.field),
        "type": (cursor.sql_type, column.sql_type),
        "family": (cursor.family, column.family),
        "precision": (str(cursor.precision), str(column.precision)),
    }
    for what, (stored, found) in expected.items():
        if stored != found:
            raise CheckpointMismatchError(
                f"the checkpoint's cursor {what} is {stored!r} but the source has {found!r}; change the "
                "source or the unit back, or define a new unit id with a new target",
                field=column.field,
            )


def check_target_known(
    cursor: Cursor | None, last: SinkCommit | None, *, target: str, may_have_forgotten: Callable[[], bool]
) -> None:
    """Refuse a cursor whose rows are not in this target: the watermark would skip every older row.

    A cursor only ever comes from a commit, so the sink must hold the record of it, unless it forgets old records.

    Args:
        cursor: The checkpoint's.
        last: The unit's last commit in the target.
        target: Name of the table or folder.
        may_have_forgotten: Asked only when there is no record.

    Raises:
        ConfigurationError: The target is missing or holds no commit of this unit.
    """
    if cursor is None or last is not None or may_have_forgotten():
        return
    raise ConfigurationError(
        f"the checkpoint says that rows were committed to {target!r}, but the sink has no commit of this unit there: "
        "the target, warehouse or directory was changed, or the data was deleted; put the target back, or define a "
        "new unit id with a new target",
        code="SINK_TARGET_MISSING",
        field="unit.target",
    )


def check_same_source(cursor: Cursor | None, last: SinkCommit | None, dataset: DatasetRef) -> None:
    """Refuse to go on with a cursor that was made for another data set.

    Names are compared (database, schema, table), namespaces are not: a namespace holds host and port, and the same
    database may come back on another port after a restart or behind another host name after a fail-over.

    Raises:
        CheckpointMismatchError: The unit's last commit was read from another data set.
    """
    if cursor is None or last is None or last.record.input.name == dataset.name:
        return
    raise CheckpointMismatchError(
        f"the checkpoint was made for {last.record.input.name!r} but the unit now reads {dataset.name!r}; change the "
        "source back, or define a new unit id with a new target",
        code="SOURCE_CHANGED",
        field="unit.object",
    )


def cursor_digest(cursor: Cursor | None) -> str:
    """Return a hash that names a cursor's exact state."""
    text = "none" if cursor is None else json.dumps(cursor.to_wire(), sort_keys=True)
    return sha256(text.encode()).hexdigest()
