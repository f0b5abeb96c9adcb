"""Results as plain tables, for people."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.contracts import (
        EndpointRole,
        Preview,
        RunIngestionUnitResult,
        TemplateList,
        TestEndpointResult,
    )

_WIDEST_CELL = 48


def run_text(run_id: str, result: RunIngestionUnitResult) -> str:
    """Return the numbers of a run, and why rows went to quarantine."""
    stats = result.stats
    lines = [
        ("run", run_id),
        ("rows read", f"{stats.rows_read:,}"),
        ("rows written", f"{stats.rows_written:,}"),
        ("rows skipped at the watermark", f"{stats.rows_skipped_at_watermark:,}"),
        ("rows without a cursor value", f"{stats.null_cursor_rows:,}"),
        ("rows in quarantine", f"{stats.rows_quarantined:,}"),
        ("slices", f"{stats.slices:,}"),
        ("cursor", result.new_checkpoint.cursor.value if result.new_checkpoint else "unchanged"),
    ]
    text = table([], lines)
    if stats.quarantine:
        rows = [(entry.code, entry.field or "", f"{entry.rows:,}", entry.reason) for entry in stats.quarantine]
        text += "\n" + table(["quarantine", "field", "rows", "reason"], rows)
    return text


def preview_text(preview: Preview) -> str:
    """Return the rows of a preview."""
    rows = [["NULL" if value is None else value for value in row] for row in preview.rows]
    text = table([column.name for column in preview.columns], rows)
    return text + (f"({len(rows)} rows; there is more)\n" if preview.truncated else f"({len(rows)} rows)\n")


def checks_text(results: Mapping[EndpointRole, TestEndpointResult]) -> str:
    """Return the steps of connection tests by side."""
    return table(
        ["side", "step", "status", "ms", "what was found"],
        [
            (
                side,
                check.name,
                check.status,
                str(check.duration_ms),
                ": ".join(filter(None, [check.code, check.message])),
            )
            for side, result in results.items()
            for check in result.checks
        ],
        last_column_whole=True,
    )


def templates_text(templates: TemplateList) -> str:
    """Return one line for each template."""
    return table(
        ["template", "role", "title", "write modes", "capabilities"],
        [
            (one.id, one.role, one.title, " ".join(one.write_modes), " ".join(one.capabilities))
            for one in templates.templates
        ],
        last_column_whole=True,
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, last_column_whole: bool = False) -> str:
    """Return rows under their headings, each column as wide as its widest cell.

    A cell is one line without control characters, and is cut when it is very long.

    Args:
        head: Headings; empty for none.
        rows: Cells by row, as many in each.
        last_column_whole: Never to cut the last column.
    """
    lines = [[_cell(text) for text in row] for row in [*([head] if head else []), *rows]]
    cut = [
        [text if last_column_whole and index == len(line) - 1 else _cut(text) for index, text in enumerate(line)]
        for line in lines
    ]
    widths = [max(len(text) for text in column) for column in zip(*cut, strict=True)]
    if head:
        cut.insert(1, ["-" * width for width in widths])
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in cut
    )


def _cell(text: str) -> str:
    # What rows hold must not steer the terminal.
    return "".join(
        character if character == " " or unicodedata.category(character)[0] not in "CZ" else " " for character in text
    )


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"
