"""How the columns of a slice meet those of an Iceberg table, by the unit's policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import DataType, DecimalType, DoubleType, FloatType, IntegerType, LongType, StructType

from runtime_common.exceptions import SinkSchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.contracts import SchemaChangePolicy


@dataclass(frozen=True, kw_only=True)
class SchemaPlan:
    """What a commit does about columns.

    Attributes:
        added: Columns that the table gets, NULL in the rows before.
        widened: Columns whose type the table changes.
        written: The unit's columns that are written, in its order, with the types that the table has afterwards.
        kept: Columns that only the table has, with their types.
    """

    added: Mapping[str, DataType]
    widened: Mapping[str, DataType]
    written: Mapping[str, DataType]
    kept: Mapping[str, DataType]

    def statements(self, identifier: str) -> list[str]:
        """Return what evolves the table. Each statement is whole or absent, and harmless without the others."""
        changes = [
            f"ALTER TABLE {identifier} ALTER COLUMN {quoted(name)} TYPE {type_.simpleString()}"
            for name, type_ in self.widened.items()
        ]
        if self.added:
            columns = ", ".join(f"{quoted(name)} {type_.simpleString()}" for name, type_ in self.added.items())
            changes.append(f"ALTER TABLE {identifier} ADD COLUMNS ({columns})")
        return changes


def quoted(name: str) -> str:
    """Return ``name`` as a Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def plan_schema(table: StructType, unit: StructType, *, policy: SchemaChangePolicy, key: Sequence[str]) -> SchemaPlan:
    """Compare the columns and decide.

    Values may always go into a wider type: an integer into a bigint, a float into a double, a decimal into one of more
    digits and the same scale. ``evolve`` makes the table's type wider in the same cases.

    Args:
        table: The table's columns.
        unit: The slice's.
        policy: ``freeze`` wants the same names on both sides; ``discard`` leaves out what the table does not have.
        key: Columns by which rows are merged; empty for other modes.

    Raises:
        SinkSchemaError: The table can't take the slice.
    """
    existing = {column.name: column.dataType for column in table.fields}
    mine = {column.name: column.dataType for column in unit.fields}
    missing = {name: type_ for name, type_ in mine.items() if name not in existing}
    surplus = {name: type_ for name, type_ in existing.items() if name not in mine}
    common = {name: type_ for name, type_ in mine.items() if name in existing}
    widened = {
        name: type_
        for name, type_ in common.items()
        if policy == "evolve" and type_ != existing[name] and _takes(type_, existing[name])
    }
    retyped = [name for name, type_ in common.items() if name not in widened and not _takes(existing[name], type_)]
    faults = {
        "missing in the table:": _refused_missing(missing, policy, key),
        "unknown to the unit:": list(surplus) if policy == "freeze" else [],
        "of another type:": retyped,
    }
    parts = [f"{label} {', '.join(sorted(names))}" for label, names in faults.items() if names]
    if parts:
        raise SinkSchemaError(
            f"the table's columns differ from the unit's ({'; '.join(parts)}); alter the table, set the policy "
            "schemaChange, or choose another target",
            field="unit.target",
        )
    added = missing if policy == "evolve" else {}
    afterwards = existing | widened | added
    return SchemaPlan(
        added=added,
        widened=widened,
        written={name: afterwards[name] for name in mine if name in afterwards},
        kept=surplus,
    )


def _refused_missing(missing: Mapping[str, DataType], policy: SchemaChangePolicy, key: Sequence[str]) -> list[str]:
    if policy == "freeze":
        return list(missing)
    return [name for name in missing if name in key] if policy == "discard" else []


def _takes(wide: DataType, narrow: DataType) -> bool:
    """Return whether a column of the first type holds every value of the second, by Iceberg's own promotions."""
    if isinstance(wide, DecimalType) and isinstance(narrow, DecimalType):
        return wide.scale == narrow.scale and wide.precision >= narrow.precision
    promotions = ((LongType, IntegerType), (DoubleType, FloatType))
    return wide == narrow or any(isinstance(wide, large) and isinstance(narrow, small) for large, small in promotions)
