"""docs/ingestion-rules.md against the tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ingestion-rules.md").read_text(encoding="utf-8")
RULES = [*(f"R{number}" for number in range(1, 11)), "NULL"]


def section(title):
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(text):
    """Cells of a table's rows, without those of its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def exists(name):
    if "::" in name:
        file, test = name.split("::")
        return re.search(
            rf"^def {re.escape(test)}\(", (ROOT / "python-bridge" / "tests" / file).read_text("utf-8"), re.M
        )
    file, title = name.split(": ", 1)
    return f"it('{title}'" in (ROOT / "test" / file).read_text("utf-8")


def test_each_rule_has_tests():
    assert [rule for rule, _ in rows(PAGE.split("## ")[0])] == RULES
    assert [rule for rule, tests in rows(section("Tests of the rules")) if "`" in tests] == RULES


def test_each_way_to_lose_rows_has_tests():
    losses = rows(section("Known ways to lose or double rows, and the tests against each"))
    assert losses
    assert [loss for loss, tests in losses if "`" not in tests] == []


def test_every_test_that_is_named_is_there():
    named = re.findall(r"`((?:test_|[a-z0-9]+/)[^`]+)`", PAGE)
    assert len(named) > len(RULES)
    assert [name for name in named if not exists(name)] == []
