"""Writes Arrow streams with pyarrow, the library that most senders use, to standard output.

Usage: write_arrow.py CASE [PREFIX]; PREFIX begins the name of every entity.
"""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

UTC = datetime.UTC


def types(_: str) -> pa.Table:
    """One column of each type that is taken, seven rows, some of them null."""
    many = 7
    return pa.table(
        {
            "namespace": pa.array(["s3://lake"] * many).dictionary_encode(),
            "name": [f"t{row}-ü" for row in range(many)],
            "if_version": pa.array([0] * many, pa.int32()),
            "large": pa.array([None if row % 2 else "x" * row for row in range(many)], pa.large_string()),
            "view": pa.array(["short", "a text of more than twelve bytes", None, *"abcd"], pa.string_view()),
            "int64": pa.array([1, 2**53 - 1, -(2**53) + 1, 0, 5, None, 7], pa.int64()),
            "uint8": pa.array([0, 255, None, 3, 4, 5, 6], pa.uint8()),
            "half": pa.array([1.5, -2.25, 0.0, 65504, 0.5, 0.125, None], pa.float16()),
            "double": pa.array([1.5, -0.1, None, 4, 5, 6, 7], pa.float64()),
            "flag": pa.array([True, False, None, True, True, False, True]),
            "decimal": pa.array(
                [Decimal("1.50"), Decimal("-12345678901234567890.01"), Decimal("0.00"), None, None, None, None],
                pa.decimal128(38, 2),
            ),
            "wide": pa.array([Decimal(-7), *[None] * 6], pa.decimal256(60, 0)),
            "instant": pa.array(
                [datetime.datetime(1969, 12, 31, 23, 59, 59, 999_500, UTC), *[None] * 6], pa.timestamp("us", "UTC")
            ),
            "seconds": pa.array(
                [datetime.datetime(2026, 1, 31, 8, tzinfo=UTC)] * many, pa.timestamp("s", "Europe/Rome")
            ),
            "day": pa.array([datetime.date(1969, 12, 31)] * many, pa.date32()),
            "day64": pa.array([datetime.date(2026, 2, 1)] * many, pa.date64()),
            "texts": pa.array([["a", "b"], [], None, ["c"], ["d"], ["e"], ["f"]], pa.list_(pa.string())),
            "nested": [{"a": 1, "b": {"c": [1, 2]}}, None, *[{"a": 2, "b": None}] * 5],
            "map": pa.array([[("k", 1)], [], None, *[[("x", 2), ("y", 3)]] * 4], pa.map_(pa.string(), pa.int32())),
            "fixed": pa.array([[1.0, 2.0]] * many, pa.list_(pa.float32(), 2)),
            "days": pa.array([[datetime.date(2026, 1, 1)]] * many, pa.large_list(pa.date32())),
            "nothing": pa.nulls(many),
        }
    )


def column(values: list[object], kind: pa.DataType) -> pa.Table:
    """A column of one type beside the key."""
    names = [f"t{row}" for row in range(len(values))]
    return pa.table({"namespace": ["n"] * len(names), "name": names, "value": pa.array(values, kind)})


def nested(depth: int) -> pa.DataType:
    """A list in a list, as deep as asked for."""
    return pa.int8() if depth == 0 else pa.list_(nested(depth - 1))


def bad_cells(_: str) -> pa.Table:
    """Values that no property can hold."""
    return pa.table(
        {
            "namespace": ["n"] * 5,
            "name": ["a", "b", "c", "d", None],
            "count": pa.array([2**53, 1, 1, 1, 1], pa.int64()),
            "size": pa.array([1, float("nan"), float("inf"), 1, 1], pa.float64()),
            "at": pa.array([0, 0, 0, 2**62, 0], pa.timestamp("s", "UTC")),
        }
    )


def datasets(prefix: str) -> pa.Table:
    """Data sets as a user would send them."""
    many = 6_000
    return pa.table(
        {
            "namespace": pa.array(["s3://lake"] * many).dictionary_encode(),
            "name": [f"{prefix}-{row}" for row in range(many)],
            "format": pa.array(["iceberg", "parquet"] * (many // 2)).dictionary_encode(),
            "rowCount": pa.array(range(many), pa.int64()),
            "attributes": [{"tier": row % 3, "days": [row]} for row in range(many)],
        }
    )


def shared_views(_: str) -> pa.Table:
    """Many texts of a megabyte that all lie on the same bytes."""
    many = 1_000
    _validity, view, text = pa.array(["x" * 1_000_000], pa.string_view()).buffers()
    views = pa.py_buffer(view.to_pybytes() * many)
    column = pa.Array.from_buffers(pa.string_view(), many, [None, views, text])
    return pa.table({"namespace": ["n"] * many, "name": [f"t{row}" for row in range(many)], "value": column})


def shared_entries(_: str) -> pa.Table:
    """A list of many entries of a dictionary that has only one, of almost a megabyte."""
    entries = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int8()), ["x" * 900_000])
    return pa.table({"namespace": ["n"], "name": ["t"], "value": pa.ListArray.from_arrays([0, 50_000], entries)})


def unbacked_items(many: int) -> pa.Table:
    """Four columns of lists whose 100,000 nulls each take no byte."""
    items = pa.FixedSizeListArray.from_arrays(pa.nulls(many * 100_000), 100_000)
    names = {"namespace": ["n"] * many, "name": [f"t{row}" for row in range(many)]}
    return pa.table({**names, **{f"c{column}": items for column in range(4)}})


CASES: dict[str, Callable[[str], pa.Table]] = {
    "types": types,
    "bad-cells": bad_cells,
    "datasets": datasets,
    "shared-views": shared_views,
    "shared-entries": shared_entries,
    "unbacked-items": lambda _: unbacked_items(160),
    "few-unbacked-items": lambda _: unbacked_items(30),
    "naive": lambda _: column([0], pa.timestamp("ms")),
    "binary": lambda _: column([b"x"], pa.binary()),
    "int-dictionary": lambda _: column([1], pa.dictionary(pa.int8(), pa.int32())),
    "deep": lambda _: column([None], nested(9)),
    "wide": lambda _: pa.table({f"c{index}": [1] for index in range(501)}),
    "empty": lambda _: column([], pa.int8()),
}


def main() -> None:
    """Writes one case; `compressed` and `file` are the case `types` in forms that are not taken."""
    case, *rest = sys.argv[1:]
    options = pa.ipc.IpcWriteOptions(compression="zstd" if case == "compressed" else None)
    table = CASES.get(case, types)(*rest or [""])
    sink = sys.stdout.buffer
    opened = pa.ipc.new_file if case == "file" else pa.ipc.new_stream
    with opened(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=max(1, len(table) // 3))


if __name__ == "__main__":
    main()
