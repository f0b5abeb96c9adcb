"""Turns JSON records into rows, exactly or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runtime_common.bad_rows import RejectedRow
from runtime_common.contracts import DatasetField
from runtime_common.endpoints.json_rows.fields import BadValueError, FieldReader
from runtime_common.exact_json import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.endpoints.json_rows.fields import DeclaredField


@dataclass(frozen=True, kw_only=True)
class RejectedRecord:
    """A record that can be no row."""

    record: Any
    row: RejectedRow


@dataclass(frozen=True, kw_only=True)
class DecodedRecords:
    """The rows of some records, and those records that can be none."""

    batch: pa.RecordBatch
    rejected: list[RejectedRecord]


class RecordDecoder:
    """Turns records into rows of the declared columns.

    Attributes:
        schema: Of the rows.
        fields: Columns with the types that are declared.
        fingerprint: SHA-256 over names and types in order.
    """

    def __init__(self, declared: Sequence[DeclaredField]) -> None:
        self._readers = [FieldReader(one) for one in declared]
        self.schema = pa.schema([pa.field(one.name, one.arrow_type) for one in self._readers])
        self.fields = [DatasetField(name=one.name, type=one.type) for one in declared]
        self.fingerprint = sha256(json.dumps([[one.name, one.type] for one in declared]).encode()).hexdigest()

    def decode(self, records: Sequence[Any]) -> DecodedRecords:
        """Return the rows in the order of the records."""
        rows: list[tuple[Any, ...]] = []
        rejected: list[RejectedRecord] = []
        for record in records:
            try:
                rows.append(tuple(reader.read(record) for reader in self._readers))
            except BadValueError as fault:
                row = RejectedRow(code=fault.code, field=fault.field, reason=fault.reason, row=_text(record))
                rejected.append(RejectedRecord(record=record, row=row))
        columns = zip(*rows, strict=True) if rows else ([] for _ in self.schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        return DecodedRecords(batch=pa.RecordBatch.from_arrays(arrays, schema=self.schema), rejected=rejected)

    def value(self, record: Any, name: str) -> Any:
        """Return one column's value of a record that is no row as a whole; None where it has none that can be kept."""
        reader = next(one for one in self._readers if one.name == name)
        try:
            return reader.read(record)
        except BadValueError:
            return None


def _text(record: Any) -> str:
    try:
        # Half a surrogate pair is JSON, but no text that can be stored.
        return json_text(record).encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        return "null"
