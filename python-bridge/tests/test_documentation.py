"""docs/ingestion-errors.md against the code: every error code is listed, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.error_codes import OTHER_WORDS, codes_in_use

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "ingestion-errors.md"
_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| ([^|]+) \| (yes|no|some) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_RETRIED = {"yes": {True}, "no": {False}, "some": {True, False}}


def rows():
    """Return the cells of each row by code."""
    return {match[1]: match.groups()[1:] for match in _ROW.finditer(DOCUMENT.read_text("utf-8"))}


def test_every_code_of_the_data_plane_is_documented():
    listed = rows()
    missing = [
        f"| `{code}` | `category` | yes, no or some | what it means | what to do |   <- {', '.join(sorted(use.places))}"
        for code, use in sorted(codes_in_use().items())
        if code not in listed
    ]
    assert not missing, (
        f"add these rows to {DOCUMENT}, in alphabetical order (a literal that is no error code goes to OTHER_WORDS of "
        "tests/support/error_codes.py):\n" + "\n".join(missing)
    )


def test_no_documented_code_is_gone():
    gone = sorted(set(rows()) - set(codes_in_use()))
    assert not gone, f"remove these rows from {DOCUMENT}, or name the codes by literals: {', '.join(gone)}"


def test_category_and_retries_are_those_of_the_code():
    listed, wrong = rows(), []
    for code, use in codes_in_use().items():
        if code not in listed:
            continue
        categories, retried, _, _ = listed[code]
        if not use.categories <= set(re.findall(r"`([a-z]+)`", categories)):
            wrong.append(f"{code}: the code raises it in category {', '.join(sorted(use.categories))}")
        if not use.retryable <= _RETRIED[retried]:
            wrong.append(f"{code}: the code says retryable {', '.join(map(str, sorted(use.retryable)))}")
    assert not wrong, f"correct {DOCUMENT}:\n" + "\n".join(wrong)


def test_the_table_is_in_order_and_whole():
    text = DOCUMENT.read_text("utf-8")
    codes = re.findall(r"^\| `([A-Z][A-Z0-9_]*)`", text, re.MULTILINE)
    assert codes == sorted(set(codes))
    assert set(codes) == set(rows()), "a row lacks a cell"
    assert not OTHER_WORDS & set(codes)
