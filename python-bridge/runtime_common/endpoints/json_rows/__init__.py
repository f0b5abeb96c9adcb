"""Columns over JSON: where each is found, its exact type, and reads that are made of records.

DeclaredField      one column, as a user writes it
FieldReader        takes its value out of a parsed document, exactly or not at all
BadValueError      why a document can be no row
RecordDecoder      turns records into rows
WindowRead         a read of records that keeps to a window of the cursor
"""

from runtime_common.endpoints.json_rows.fields import (
    BadValueError,
    DeclaredField,
    FieldReader,
    Path,
    steps_of,
    value_at,
)
from runtime_common.endpoints.json_rows.records import RecordDecoder
from runtime_common.endpoints.json_rows.window import WindowRead, canonical_time

__all__ = [
    "BadValueError",
    "DeclaredField",
    "FieldReader",
    "Path",
    "RecordDecoder",
    "WindowRead",
    "canonical_time",
    "steps_of",
    "value_at",
]
