"""Which columns a folder of Parquet files has after a slice was added to it, by the unit's policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_common.contracts import DatasetField
from runtime_common.exceptions import SinkSchemaError
from runtime_common.schema_drift import compare_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.contracts import SchemaChangePolicy
    from runtime_common.schema_drift import SchemaDrift

# Every value of a type on the left is exactly a value of the types on the right. Timestamps are left out: a finer unit
# reaches less far back.
_WIDER = {
    "int8": {"int16", "int32", "int64"},
    "int16": {"int32", "int64"},
    "int32": {"int64", "double"},
    "uint8": {"uint16", "uint32", "uint64", "int16", "int32", "int64"},
    "uint16": {"uint32", "uint64", "int32", "int64"},
    "uint32": {"uint64", "int64"},
    "float": {"double"},
    "string": {"large_string"},
    "binary": {"large_binary"},
}
_DECIMAL = re.compile(r"decimal(?:128|256)\((\d+), (\d+)\)")


@dataclass(frozen=True, kw_only=True)
class FolderColumns:
    """Columns after the commit, and those of the slice that are left out of its files."""

    fields: list[DatasetField]
    left_out: tuple[str, ...] = ()


def columns_after(
    folder: Sequence[DatasetField], added: Sequence[DatasetField], *, policy: SchemaChangePolicy, where: str
) -> FolderColumns:
    """Return the columns that a folder has with the slice's files beside its own.

    Args:
        folder: Columns of the folder.
        added: Columns of the slice.
        policy: ``freeze`` takes the same columns only; ``evolve`` takes new columns, columns that have vanished and
            types that hold all values of the others; ``discard`` leaves new columns out and takes vanished ones.
        where: Name of the folder for people.

    Raises:
        SinkSchemaError: The policy does not allow what differs.
    """
    drift = compare_fields(folder, added)
    if drift.is_none:
        return FolderColumns(fields=list(folder))
    if policy == "discard" and not drift.retyped:
        return FolderColumns(fields=list(folder), left_out=drift.added)
    if policy == "evolve":
        types = {one.name: one.type for one in added}
        wider = {one.name: _common(one.type, types.get(one.name, one.type)) for one in folder}
        unfit = [name for name, found in wider.items() if found is None]
        if not unfit:
            grown = [DatasetField(name=name, type=found) for name, found in wider.items() if found is not None]
            return FolderColumns(fields=[*grown, *(one for one in added if one.name in drift.added)])
        raise _refusal(drift, where, f"no type holds both kinds of values of {', '.join(unfit)}")
    advice = {
        "freeze": "set the policy schemaChange to evolve or discard",
        "discard": "the policy discard takes no other types: set it to evolve",
    }[policy]
    raise _refusal(drift, where, advice)


def _common(one: str, other: str) -> str | None:
    """Return the one of two types that holds all values of both."""
    if one == other or _holds(one, other):
        return one
    return other if _holds(other, one) else None


def _holds(wide: str, narrow: str) -> bool:
    if wide in _WIDER.get(narrow, ()):
        return True
    wide_decimal, narrow_decimal = _DECIMAL.fullmatch(wide), _DECIMAL.fullmatch(narrow)
    if wide_decimal is None or narrow_decimal is None:
        return False
    return wide_decimal[2] == narrow_decimal[2] and int(wide_decimal[1]) >= int(narrow_decimal[1])


def _refusal(drift: SchemaDrift, where: str, advice: str) -> SinkSchemaError:
    return SinkSchemaError(
        f"the columns of {where} differ from those of the unit ({drift}); {advice}, choose another target or "
        "overwrite this",
        field="unit.target",
    )
