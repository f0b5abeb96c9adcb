"""Rows that can't be moved exactly: they stop the run, or they go to quarantine and are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtime_common.exceptions import DataError


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """One row that can't be moved exactly.

    Attributes:
        code: Name of the fault, as failures have it.
        field: Column at fault.
        reason: The rule that the row breaks; never its values, since it goes into errors and stats.
        row: The row as JSON text, as far as it could be read; for the quarantine alone.
    """

    code: str
    field: str | None
    reason: str
    row: str


class BadRows:
    """Where a source puts the rows that it can't deliver.

    Args:
        policy: ``fail`` stops at the first one.
        limit: Rows of one run that may go to quarantine.
        before: Rows of this run that earlier attempts have put there.
    """

    def __init__(self, *, policy: Literal["fail", "quarantine"] = "fail", limit: int = 0, before: int = 0) -> None:
        self._policy = policy
        self._limit = limit
        self._count = before
        self._waiting: list[RejectedRow] = []

    def reject(self, row: RejectedRow) -> None:
        """Take a row out of what is delivered.

        Raises:
            DataError: The policy is to fail, or too many rows went to quarantine.
        """
        if self._policy == "fail":
            raise DataError(
                f"{row.reason}; correct the row in the source, or set the policy badRows to quarantine",
                code=row.code,
                field=row.field,
            )
        self._count += 1
        if self._count > self._limit:
            raise DataError(
                f"more than {self._limit} row(s) can't be moved exactly (policy maxBadRows), the last one because: "
                f"{row.reason}; correct the source, or allow more",
                code="TOO_MANY_BAD_ROWS",
                field=row.field,
            )
        self._waiting.append(row)

    @property
    def waiting(self) -> bool:
        """Whether there are rows that :meth:`take` would return."""
        return bool(self._waiting)

    def take(self) -> list[RejectedRow]:
        """Return the rows since the last call."""
        taken, self._waiting = self._waiting, []
        return taken
