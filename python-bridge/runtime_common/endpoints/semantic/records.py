"""Values out of records of which nothing is certain: metadata is told as far as it can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runtime_common.endpoints.json_rows import value_at


def text(record: Any, *steps: str | int) -> str | None:
    """Return a text or a whole number as text; None for anything else."""
    value = value_at(record, steps)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)


def moment(record: Any, *steps: str | int) -> datetime | None:
    """Return a time by ISO 8601 with a zone; None for anything else."""
    value = value_at(record, steps)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def members(record: Any, *steps: str | int) -> list[Any]:
    """Return the items of a list; none for anything else."""
    value = value_at(record, steps)
    return value if isinstance(value, list) else []
