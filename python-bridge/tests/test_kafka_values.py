"""Declared fields of JSON messages: exact values, or a rule that is broken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from runtime_common.endpoints.json_rows import BadValueError, DeclaredField, FieldReader
from runtime_common.endpoints.kafka.offsets import offsets_text, parse_offsets
from runtime_common.exact_json import json_text, parse_json


def read(text, type_, **more):
    """Return the value as Arrow keeps it."""
    reader = FieldReader(DeclaredField.model_validate({"name": "f", "type": type_} | more))
    return pa.array([reader.read(parse_json(f'{{"f": {text}}}'))], reader.arrow_type)[0].as_py()


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ('"ä"', "text", "ä"),
        ("null", "text", None),
        ("9007199254740993", "integer", 9007199254740993),
        ("-9223372036854775808", "integer", -(2**63)),
        ('"9007199254740993"', "integer", 9007199254740993),
        ("1.0e3", "integer", 1000),
        ("12.30", "decimal(5,2)", Decimal("12.30")),
        ("1e3", "decimal(5,1)", Decimal("1000.0")),
        ("0.000000", "decimal(5,2)", Decimal("0.00")),
        ('"-99999999999999999999999999999999999.999"', "decimal(38,3)", Decimal("-" + "9" * 35 + ".999")),
        ("0.1", "double", 0.1),
        ("false", "boolean", False),
        ('"2026-01-02T03:04:05.123456789Z"', "json", '"2026-01-02T03:04:05.123456789Z"'),
        ('"2026-01-02 03:04:05.120000000-0530"', "timestamptz", datetime(2026, 1, 2, 8, 34, 5, 120000, UTC)),
        ('"2026-01-02T03:04"', "timestamp", datetime(2026, 1, 2, 3, 4)),  # noqa: DTZ001
        ('"0001-01-01"', "date", date(1, 1, 1)),
        ('{"a":[1.10,true,null,"ä"]}', "json", '{"a":[1.10,true,null,"ä"]}'),
    ],
)
def test_a_value_that_fits_is_kept_exactly(text, type_, value):
    assert read(text, type_) == value


@pytest.mark.parametrize(
    ("text", "type_", "rule"),
    [
        ("1", "text", "is not text"),
        ("1.5", "integer", "no whole number"),
        ("true", "integer", "no whole number"),
        ('" 1"', "integer", "no whole number"),
        ("9223372036854775808", "integer", "64 bits"),
        ("1e400000", "integer", "64 bits"),
        ("1.005", "decimal(5,2)", r"decimal\(5,2\)"),
        ("1000", "decimal(5,2)", r"decimal\(5,2\)"),
        ('"1,5"', "decimal(5,2)", "is no number"),
        ("1e400", "double", "beyond the range"),
        ('"true"', "boolean", "neither true nor false"),
        ('"2026-01-02T03:04:05"', "timestamptz", "without a zone"),
        ('"2026-01-02T03:04:05Z"', "timestamp", "with a zone"),
        ('"2026-01-02T03:04:05.1234567Z"', "timestamptz", "finer than microseconds"),
        ('"2026-02-30T03:04:05Z"', "timestamptz", "no time"),
        ('"0001-01-01T00:00:00+02:00"', "timestamptz", "outside the years"),
        ("1767323045", "timestamptz", "no time"),
        ('"2026-02-30"', "date", "no date"),
        ("[" * 900 + "]" * 900, "json", "nested too deeply"),
    ],
)
def test_a_value_that_does_not_fit_breaks_a_rule(text, type_, rule):
    with pytest.raises(BadValueError, match=rule):
        read(text, type_)


@pytest.mark.parametrize(
    ("text", "format_", "value"),
    [
        ("1767323045", "epochSeconds", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("1767323045.123456", "epochSeconds", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("-1", "epochMillis", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
        ("1767323045123456", "epochMicros", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
    ],
)
def test_times_may_be_numbers(text, format_, value):
    assert read(text, "timestamptz", format=format_) == value
    assert read(text, "timestamp", format=format_) == value.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.0000001", "finer than microseconds"),
        ("1.00000000000000000000000000000000000000000000000000000000000000001", "finer than microseconds"),
        ("1e30", "outside the years"),
        ("1e999999", "outside the years"),
        ('"1"', "no number"),
    ],
)
def test_a_number_that_is_no_time_breaks_a_rule(text, rule):
    with pytest.raises(BadValueError, match=rule):
        read(text, "timestamptz", format="epochSeconds")


@pytest.mark.parametrize(
    ("path", "value"),
    [("$.a.b[0]", "first"), ("$.a['b'][-1]", "last"), ("$.a.b[2]", None), ("$.f.b", None), ("$.a.b.c", None)],
)
def test_a_path_leads_to_one_value_or_nowhere(path, value):
    reader = FieldReader(DeclaredField(name="f", type="text", path=path))
    assert reader.read(parse_json('{"a": {"b": ["first", "last"]}, "f": 1}')) == value


def test_a_format_of_times_goes_with_times_alone():
    with pytest.raises(ValueError, match="timestamptz and timestamp"):
        DeclaredField(name="f", type="date", format="epochMillis")


@pytest.mark.parametrize(
    "text", ['{"n": 12345678901234567890.10, "t": "ü\\n", "l": [], "o": {}}', "-0.0", "1E+2", "null"]
)
def test_json_is_written_as_it_was_read(text):
    assert parse_json(json_text(parse_json(text))) == parse_json(text)
    assert "12345678901234567890.10" in json_text(parse_json(text)) or "12345678901234567890" not in text


def test_offsets_are_written_by_partition_in_numeric_order():
    assert offsets_text({10: 1, 2: 9_007_199_254_740_993, 0: 0}) == '{"0":0,"2":9007199254740993,"10":1}'
    assert parse_offsets('{"0":0,"2":9007199254740993}') == {0: 0, 2: 9_007_199_254_740_993}
    assert parse_offsets(offsets_text({})) == {}
