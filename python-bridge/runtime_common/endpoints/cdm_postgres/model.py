"""The canonical model: a few entities of trade, which every source system is brought into."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.string()
WHOLE = pa.int64()
AMOUNT = pa.decimal128(38, 9)
FLAG = pa.bool_()
DAY = pa.date32()
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class CanonicalField:
    """One column of a canonical table.

    Attributes:
        name: Of the column.
        type: As it is staged and stored.
        required: Whether every row must have a value.
    """

    name: str
    type: pa.DataType
    required: bool = False


@dataclass(frozen=True)
class Entity:
    """One canonical table.

    Attributes:
        name: Of the table.
        key: Fields that identify a row over all source systems.
        fields: All fields, those of the key first.
    """

    name: str
    key: tuple[str, ...]
    fields: tuple[CanonicalField, ...]

    @property
    def required(self) -> frozenset[str]:
        """Fields that every row must have."""
        return frozenset(field.name for field in self.fields if field.required)

    def field(self, name: str) -> CanonicalField:
        """Return one field; its name must be known."""
        return next(field for field in self.fields if field.name == name)


def _entity(name: str, key: tuple[str, ...], *fields: CanonicalField) -> Entity:
    """Every key begins with the system that a row comes from: no two systems number their rows alike."""
    keys = ("source_system", *key)
    return Entity(name, keys, (*(CanonicalField(one, TEXT, required=True) for one in keys), *fields))


ENTITIES = {
    entity.name: entity
    for entity in (
        _entity(
            "party",
            ("party_id",),
            CanonicalField("name", TEXT, required=True),
            CanonicalField("kind", TEXT),
            CanonicalField("tax_id", TEXT),
            CanonicalField("country", TEXT),
            CanonicalField("created_at", MOMENT),
            CanonicalField("updated_at", MOMENT),
        ),
        _entity(
            "contact",
            ("contact_id",),
            CanonicalField("party_id", TEXT, required=True),
            CanonicalField("channel", TEXT, required=True),
            CanonicalField("value", TEXT, required=True),
            CanonicalField("is_primary", FLAG),
            CanonicalField("updated_at", MOMENT),
        ),
        _entity(
            "product",
            ("product_id",),
            CanonicalField("name", TEXT, required=True),
            CanonicalField("sku", TEXT),
            CanonicalField("category", TEXT),
            CanonicalField("unit", TEXT),
            CanonicalField("unit_price", AMOUNT),
            CanonicalField("currency", TEXT),
            CanonicalField("is_active", FLAG),
            CanonicalField("updated_at", MOMENT),
        ),
        _entity(
            "sales_order",
            ("order_id",),
            CanonicalField("party_id", TEXT, required=True),
            CanonicalField("ordered_at", MOMENT, required=True),
            CanonicalField("due_on", DAY),
            CanonicalField("status", TEXT),
            CanonicalField("currency", TEXT),
            CanonicalField("total_amount", AMOUNT),
            CanonicalField("updated_at", MOMENT),
        ),
        _entity(
            "sales_order_line",
            ("order_id", "line_id"),
            CanonicalField("product_id", TEXT, required=True),
            CanonicalField("quantity", AMOUNT, required=True),
            CanonicalField("line_number", WHOLE),
            CanonicalField("unit_price", AMOUNT),
            CanonicalField("amount", AMOUNT),
            CanonicalField("updated_at", MOMENT),
        ),
    )
}
