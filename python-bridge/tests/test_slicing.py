"""The cutting rules R2, R3 and R5 on plain Arrow batches, without a database."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from runtime_common.contracts.checkpoint import MAX_BOUNDARY_ROWS
from runtime_common.exceptions import DataError, InternalError
from runtime_common.protocols import CursorColumn, Cut, Rows
from runtime_common.row_hash import row_hashes
from runtime_common.slicing import SliceCutter

COLUMN = CursorColumn(field="c", sql_type="bigint", family="integer", precision=0)


def cutter(start=None, slice_rows=3):
    return SliceCutter(column=COLUMN, schema_fingerprint="0" * 64, start=start, slice_rows=slice_rows)


def rows(*pairs):
    return pa.RecordBatch.from_pydict(
        {"c": pa.array([c for c, _ in pairs], pa.int64()), "v": pa.array([v for _, v in pairs])}
    )


def drain(cut, *batches):
    """Return the slices as (values, cursor) and forget how the batches were cut."""
    slices: list[tuple[list[tuple[int, str]], Any]] = []
    present: list[tuple[int, str]] = []
    steps = [step for batch in batches for step in cut.feed(batch)]
    final = cut.end()
    for step in [*steps, *([final] if final else [])]:
        if isinstance(step, Rows):
            present += zip(step.batch["c"].to_pylist(), step.batch["v"].to_pylist(), strict=True)
        else:
            assert isinstance(step, Cut)
            slices.append((present, step.cursor))
            present = []
    assert present == []
    return slices


def test_a_slice_ends_at_the_next_change_never_inside_a_tie():
    slices = drain(cutter(), rows((1, "a"), (2, "b"), (2, "c"), (2, "d")), rows((2, "e"), (3, "f")))
    assert [[v for _, v in part] for part, _ in slices] == [["a", "b", "c", "d", "e"], ["f"]]
    assert [cursor.value for _, cursor in slices] == ["2", "3"]


@pytest.mark.parametrize(
    "batches", [[[(1, "a"), (3, "b"), (2, "c")]], [[(2, "a")], [(1, "b")]], [[(1, "a"), (None, "b")]]]
)
def test_rows_out_of_order_are_refused_before_they_are_cut(batches):
    with pytest.raises(InternalError, match="'c'") as caught:
        drain(cutter(), *(rows(*batch) for batch in batches))
    assert caught.value.code == "READ_NOT_ORDERED"


def test_the_boundary_holds_every_row_of_the_last_tie_over_batches():
    ((_, cursor),) = drain(cutter(), rows((1, "a"), (2, "b")), rows((2, "c")))
    assert cursor.boundary == sorted(row_hashes(rows((2, "b"), (2, "c"))))


def test_committed_rows_at_the_watermark_are_skipped_and_late_and_changed_ones_are_not():
    ((_, first),) = drain(cutter(), rows((1, "a"), (2, "b"), (2, "c")))
    again = cutter(first)
    ((part, second),) = drain(again, rows((2, "b"), (2, "CHANGED"), (2, "late")))
    assert part == [(2, "CHANGED"), (2, "late")]
    assert again.rows_skipped == 1
    assert second.value == "2"
    assert second.boundary == sorted(row_hashes(rows((2, "b"), (2, "CHANGED"), (2, "late"))))


def test_a_late_row_equal_to_a_committed_one_is_new():
    ((_, first),) = drain(cutter(), rows((2, "same")))
    ((part, second),) = drain(cutter(first), rows((2, "same"), (2, "same")))
    assert part == [(2, "same")]
    assert len(second.boundary) == 2


def test_nothing_new_makes_no_slice():
    ((_, first),) = drain(cutter(), rows((1, "a"), (2, "b")))
    assert drain(cutter(first), rows((2, "b"))) == []


def test_a_look_back_neither_lowers_the_watermark_nor_is_cut_below_it():
    ((_, first),) = drain(cutter(slice_rows=100), *[rows((c, str(c))) for c in range(10)])
    below = rows(*[(c, str(c)) for c in range(10)])
    assert [cursor for _, cursor in drain(cutter(first, slice_rows=2), below)] == [first]
    slices = drain(cutter(first, slice_rows=2), below, rows((10, "x"), (11, "y")))
    assert [cursor.value for _, cursor in slices] == ["9", "11"]


def test_rows_without_a_cursor_come_first_and_move_nothing():
    ((part, cursor),) = drain(cutter(slice_rows=1), rows((None, "n1"), (None, "n2")))
    assert (len(part), cursor) == (2, None)
    slices = drain(cutter(slice_rows=1), rows((None, "n1"), (1, "a"), (2, "b")))
    assert [(len(part), cursor.value) for part, cursor in slices] == [(2, "1"), (1, "2")]


def test_a_tie_larger_than_a_checkpoint_can_hold_is_a_typed_error():
    tie = rows(*[(7, str(n)) for n in range(MAX_BOUNDARY_ROWS + 1)])
    with pytest.raises(DataError, match="finer") as caught:
        drain(cutter(), rows((1, "a")), tie)
    assert (caught.value.code, caught.value.field) == ("CURSOR_TOO_COARSE", "c")


def test_a_large_tie_before_the_last_value_is_no_problem():
    tie = rows(*[(7, str(n)) for n in range(MAX_BOUNDARY_ROWS + 1)])
    ((part, cursor),) = drain(cutter(slice_rows=10**6), tie, rows((8, "end")))
    assert (len(part), cursor.value, len(cursor.boundary)) == (MAX_BOUNDARY_ROWS + 2, "8", 1)


def test_a_cut_that_would_fall_behind_a_large_tie_waits_for_the_next_change():
    tie = rows(*[(7, str(n)) for n in range(MAX_BOUNDARY_ROWS + 1)])
    first, second = drain(cutter(slice_rows=100), rows((1, "a")), tie, rows((8, "b"), (8, "c"), (9, "end")))
    assert (len(first[0]), first[1].value, len(first[1].boundary)) == (MAX_BOUNDARY_ROWS + 4, "8", 2)
    assert (second[0], second[1].value) == ([(9, "end")], "9")


def test_a_cut_that_would_fall_behind_the_empty_text_waits_for_the_next_change():
    column = CursorColumn(field="c", sql_type="text", family="text", precision=0)
    batch = pa.RecordBatch.from_pydict({"c": ["", "a", "b"], "v": ["1", "2", "3"]})
    slices = drain(SliceCutter(column=column, schema_fingerprint="0" * 64, start=None, slice_rows=1), batch)
    assert [(len(part), cursor.value) for part, cursor in slices] == [(2, "a"), (1, "b")]


@pytest.mark.parametrize("seed", range(20))
def test_however_batches_fall_nothing_is_lost_doubled_or_torn(seed):
    chance = random.Random(seed)
    data = sorted((chance.randrange(12), f"{n}") for n in range(60))
    batches, rest = [], data
    while rest:
        size = chance.randrange(1, 9)
        batches.append(rows(*rest[:size]))
        rest = rest[size:]
    slices = drain(cutter(slice_rows=chance.randrange(1, 15)), *batches)
    assert [row for part, _ in slices for row in part] == data
    for (part, cursor), (following, _) in pairwise(slices):
        assert cursor.value == str(part[-1][0])
        assert following[0][0] > part[-1][0]
