"""Rows of a source as rows of a canonical table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from runtime_common.bad_rows import RejectedRow
from runtime_common.endpoints.postgres_tables.copying import row_text
from runtime_common.endpoints.postgres_tables.delivery import PreparedBatch
from runtime_common.exceptions import ConfigurationError, SinkSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.endpoints.cdm_postgres.config import EntityMapping
    from runtime_common.endpoints.cdm_postgres.model import CanonicalField

# Columns beside the canonical ones, whose names these can't be.
ORDER_COLUMN = "source order"
DELETED_COLUMN = "is deleted"


class RowMapper:
    """Maps the batches of one slice.

    Args:
        mapping: Origin of each canonical field.
        schema: Columns of the slice.
        order: Column of the slice whose highest value wins among rows of one key; None when there is none.
        delete_field: Column of the slice that marks rows as deleted; None when there is none.

    Raises:
        SinkSchemaError: The slice lacks a column, or has one whose type can't become the field's.
    """

    def __init__(
        self, mapping: EntityMapping, schema: pa.Schema, *, order: str | None, delete_field: str | None
    ) -> None:
        self._mapping = mapping
        self._order = order
        self._delete_field = delete_field
        for name, origin in mapping.fields.items():
            if origin.from_ is not None and origin.from_ not in schema.names:
                raise SinkSchemaError(
                    f"field {name!r} of {mapping.entity} comes from the column {origin.from_!r}, which the source does "
                    f"not have; it has {', '.join(schema.names)}",
                    code="CDM_SOURCE_FIELD_MISSING",
                    field="sink.config.mappings",
                )
        self._fields = [mapping.model.field(name) for name in mapping.fields]
        # Types alone decide here, so that a mapping that can never work fails before any row is looked at.
        self.schema = self._map(pa.RecordBatch.from_pylist([], schema=schema)).rows.schema

    def batches(self, batches: Iterator[pa.RecordBatch]) -> Iterator[PreparedBatch]:
        """Yield the rows in canonical columns."""
        for batch in batches:
            yield self._map(batch)

    def _map(self, batch: pa.RecordBatch) -> PreparedBatch:
        deleted = self._deleted(batch)
        refused: dict[int, RejectedRow] = {}
        columns: dict[str, pa.Array] = {}
        for field in self._fields:
            values, faulty = self._column(field, batch)
            for position in faulty:
                refused.setdefault(position, self._not_convertible(field, batch, position))
            columns[field.name] = values
            if field.required:
                # What is deleted needs no more than its key.
                spared = pa.repeat(False, len(values)) if field.name in self._mapping.model.key else deleted
                for position in pc.indices_nonzero(pc.and_not(values.is_null(), spared)).to_pylist():
                    refused.setdefault(position, self._missing(field, batch, position))
        if self._order is not None:
            columns[ORDER_COLUMN] = batch.column(self._order)
        if self._delete_field is not None:
            columns[DELETED_COLUMN] = deleted
        rows = pa.RecordBatch.from_pydict(columns)
        return PreparedBatch(source=batch, rows=rows, refused=refused)

    def _column(self, field: CanonicalField, batch: pa.RecordBatch) -> tuple[pa.Array, list[int]]:
        origin = self._mapping.fields[field.name]
        if origin.from_ is None:
            return pa.repeat(self._constant(field, str(origin.value)), batch.num_rows), []
        values = batch.column(origin.from_)
        if not _may_become(values.type, field.type):
            raise SinkSchemaError(
                f"column {origin.from_!r} of type {values.type} can't become {field.name!r} of {self._mapping.entity}, "
                f"which is {field.type}, without guessing; convert it in the source",
                code="CDM_FIELD_REFUSED",
                field=origin.from_,
            )
        return _cast(values, field.type)

    def _constant(self, field: CanonicalField, value: str) -> pa.Scalar:
        values, faulty = _cast(pa.array([value]), field.type)
        if faulty:
            raise ConfigurationError(
                f"the constant of {field.name!r} of {self._mapping.entity} is no {field.type}; correct it",
                field="sink.config.mappings",
            )
        return values[0]

    def _deleted(self, batch: pa.RecordBatch) -> pa.Array:
        if self._delete_field is None:
            return pa.repeat(False, batch.num_rows)
        marks = batch.column(self._delete_field)
        return pc.fill_null(marks, False) if pa.types.is_boolean(marks.type) else marks.is_valid()

    def _not_convertible(self, field: CanonicalField, batch: pa.RecordBatch, position: int) -> RejectedRow:
        column = self._mapping.fields[field.name].from_
        return RejectedRow(
            code="VALUE_NOT_CONVERTIBLE",
            field=column,
            reason=f"{column} is no {field.type} for {self._mapping.entity}.{field.name}",
            row=row_text(batch.slice(position, 1)),
        )

    def _missing(self, field: CanonicalField, batch: pa.RecordBatch, position: int) -> RejectedRow:
        column = self._mapping.fields[field.name].from_
        return RejectedRow(
            code="VALUE_MISSING",
            field=column,
            reason=f"{column} has no value, and {self._mapping.entity}.{field.name} needs one",
            row=row_text(batch.slice(position, 1)),
        )


def source_columns(mapping: EntityMapping, fields: Sequence[str]) -> set[str]:
    """Return the columns of the slice that canonical fields come from."""
    return {origin.from_ for name in fields if (origin := mapping.fields[name]).from_ is not None}


def _may_become(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Return whether each value of the first type has one meaning as the second, or none."""
    is_text: bool = pa.types.is_string(source) or pa.types.is_large_string(source)
    if source == wanted or is_text or pa.types.is_null(source):
        return True
    is_number: bool = pa.types.is_integer(source) or pa.types.is_decimal(source)
    if pa.types.is_string(wanted):
        prints: bool = pa.types.is_boolean(source) or pa.types.is_temporal(source) or pa.types.is_floating(source)
        return is_number or prints
    if pa.types.is_timestamp(wanted):
        # Without its zone a time has no one moment.
        has_zone: bool = pa.types.is_timestamp(source) and source.tz is not None
        return has_zone
    return is_number and not pa.types.is_boolean(wanted) and not pa.types.is_date(wanted)


def _cast(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Return the values in another type, NULL where that is impossible, and the positions of those."""
    try:
        return _exactly(values, wanted), []
    except pa.ArrowInvalid:
        pass
    results: list[pa.Array] = []
    faulty = []
    for position in range(len(values)):
        try:
            results.append(_exactly(values.slice(position, 1), wanted))
        except pa.ArrowInvalid:
            results.append(pa.nulls(1, wanted))
            faulty.append(position)
    return pa.concat_arrays(results), faulty


def _exactly(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_integer(values.type) and pa.types.is_decimal(wanted):
        # A cast from an integer wants room for every value of its type.
        values = values.cast(pa.string())
    return values.cast(wanted)
