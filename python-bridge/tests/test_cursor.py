from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from runtime_common.cursor import canonical, canonical_decimal, change_positions, check_canonical, comparable, scalar
from runtime_common.exceptions import CheckpointMismatchError, DataError

ZONED = pa.array([datetime(2013, 1, 1, 5, 0, 0, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))
NAIVE = pa.array([datetime(999, 12, 31, 23, 59, 59, 999999)], pa.timestamp("us"))  # noqa: DTZ001
CASES = [
    ("timestamptz", ZONED, "2013-01-01T05:00:00.000001Z"),
    ("timestamp", NAIVE, "0999-12-31T23:59:59.999999"),
    ("date", pa.array([date(1969, 12, 31)], pa.date32()), "1969-12-31"),
    ("integer", pa.array([-(2**62)], pa.int64()), "-4611686018427387904"),
    ("decimal", pa.array([Decimal("12345678901234567890.10")], pa.decimal128(30, 2)), "12345678901234567890.1"),
    ("text", pa.array(["ä b"]), "ä b"),
]


@pytest.mark.parametrize(("family", "column", "text"), CASES)
def test_a_value_survives_the_way_to_canonical_text_and_back(family, column, text):
    values = comparable(column, family)
    assert canonical(values[0].as_py(), family, column="c") == text
    assert scalar(text, family, values.type) == values[0]


def test_decimals_have_one_form():
    assert [canonical_decimal(Decimal(text)) for text in ("1.50", "1E+3", "-0.0", "-0.10")] == [
        "1.5",
        "1000",
        "0",
        "-0.1",
    ]


@pytest.mark.parametrize("text", ["2013-01-01T05:00:00Z", "2013-01-01 05:00:00.000000Z", "1'; DROP TABLE t; --"])
def test_text_in_another_form_is_refused(text):
    with pytest.raises(CheckpointMismatchError, match="new target"):
        check_canonical("timestamptz", text)


def test_a_year_beyond_9999_is_a_typed_error():
    with pytest.raises(DataError, match=r"'at' .* 1 to 9999") as caught:
        canonical(2**60, "timestamptz", column="at")
    assert (caught.value.code, caught.value.field) == ("CURSOR_OUT_OF_RANGE", "at")


def test_an_empty_text_is_a_typed_error():
    with pytest.raises(DataError, match="empty text") as caught:
        canonical("", "text", column="name")
    assert (caught.value.code, caught.value.field) == ("CURSOR_EMPTY", "name")


def test_change_positions_name_the_first_row_of_each_new_value():
    assert change_positions(pa.array([1, 1, 2, 3, 3])) == [2, 3]
    assert change_positions(pa.array([], pa.int64())) == []
