"""Which combinations of unit, policy and sink make sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from runtime_common.contracts import RunIngestionUnitInput, WriteMode


def check_unit(request: RunIngestionUnitInput, *, sink_title: str, write_modes: tuple[WriteMode, ...]) -> None:
    """Refuse a unit that could lose, double or hide rows.

    Raises:
        ConfigurationError: Names the field and the rule.
    """
    unit = request.execution.unit
    policy = request.policy
    if unit.write_mode not in write_modes:
        raise ConfigurationError(
            f"{sink_title} can't {unit.write_mode}; it offers {', '.join(write_modes)}", field="unit.writeMode"
        )
    if unit.write_mode == "merge" and not unit.primary_key:
        raise ConfigurationError("merge needs a primary key", field="unit.primaryKey")
    if unit.mode == "full":
        if unit.cursor_field is not None:
            raise ConfigurationError(
                "a full unit has no cursor field; remove it or make the unit incremental", field="unit.cursorField"
            )
        return
    if unit.cursor_field is None:
        raise ConfigurationError("an incremental unit needs a cursor field", field="unit.cursorField")
    if unit.write_mode == "overwrite":
        raise ConfigurationError(
            "an incremental unit can't overwrite: each slice would replace the ones before; use append or merge",
            field="unit.writeMode",
        )
    if unit.write_mode == "append" and policy.null_cursor == "include":
        raise ConfigurationError(
            "rows without a cursor value are read again by every run, so including them needs merge",
            field="policy.nullCursor",
        )
    if unit.write_mode == "append" and policy.lookback_seconds:
        raise ConfigurationError(
            "a look-back reads committed rows again, so it needs merge", field="policy.lookbackSeconds"
        )
