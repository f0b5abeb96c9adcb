"""What changed between two lists of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.contracts import DatasetField


@dataclass(frozen=True, kw_only=True)
class SchemaDrift:
    """Column names by what became of them; ``unchanged`` in the order of before, in which row hashes were made."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    retyped: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def is_none(self) -> bool:
        """Whether the columns are the same; their order counts for nothing."""
        return not (self.added or self.dropped or self.retyped)

    @property
    def only_adds(self) -> bool:
        """Whether every column of before is still there as it was."""
        return not (self.dropped or self.retyped)

    def __str__(self) -> str:
        parts = [
            f"{label} {', '.join(names)}"
            for label, names in (("new:", self.added), ("gone:", self.dropped), ("of another type:", self.retyped))
            if names
        ]
        return "; ".join(parts)


def compare_fields(before: Sequence[DatasetField], now: Sequence[DatasetField]) -> SchemaDrift:
    """Return what changed between two lists of columns."""
    old = {one.name: one.type for one in before}
    new = {one.name: one.type for one in now}
    return SchemaDrift(
        added=tuple(name for name in new if name not in old),
        dropped=tuple(name for name in old if name not in new),
        retyped=tuple(name for name in new if name in old and new[name] != old[name]),
        unchanged=tuple(name for name in old if new.get(name) == old[name]),
    )
