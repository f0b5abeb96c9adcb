from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from runtime_common.row_hash import row_hashes


def batch(**columns: object) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_the_hash_of_a_row_never_changes_between_versions():
    rows = batch(
        a=pa.array([1, None], pa.int64()),
        b=pa.array(["x", ""]),
        c=pa.array([datetime(2013, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
        d=pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
        e=pa.array([0.1, float("nan")]),
        f=pa.array([b"\x00", b""]),
    )
    # Stored in checkpoints: another value here means that every stored boundary stops being recognised.
    assert row_hashes(rows) == ["4f4e46ea7adbd669", "855d01a679fde7de"]


def test_neighbouring_values_do_not_run_together():
    assert len({*row_hashes(batch(a=["ab", "a"], b=["c", "bc"]))}) == 2


def test_null_differs_from_empty_and_from_the_word():
    assert len({*row_hashes(batch(a=[None, "", "None"]))}) == 3
