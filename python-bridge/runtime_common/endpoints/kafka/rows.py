"""Turns messages into rows, exactly or not at all."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE

from runtime_common.bad_rows import RejectedRow
from runtime_common.contracts import DatasetField
from runtime_common.endpoints.json_rows import BadValueError, FieldReader
from runtime_common.exact_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from runtime_common.endpoints.json_rows import DeclaredField
    from runtime_common.endpoints.kafka.config import Format, KafkaObject

COLUMN_NAMES = frozenset(
    {"partition", "offset", "timestamp", "timestamp_type", "key", "value", "headers", "tombstone", "offsets"}
)
"""Names that no declared field may have: the columns of every topic, and the name of the cursor."""

_TIMESTAMP_TYPES = {TIMESTAMP_CREATE_TIME: "create", TIMESTAMP_LOG_APPEND_TIME: "append"}
# The years 1 to 9999, in milliseconds: a producer may claim any 64-bit number.
_FIRST_MILLISECOND = -62_135_596_800_000
_LAST_MILLISECOND = 253_402_300_799_999
_TYPES: dict[Format, pa.DataType] = {"bytes": pa.binary(), "text": pa.string(), "json": pa.string()}


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A message that can be no row, and where it is."""

    partition: int | None
    offset: int | None
    row: RejectedRow


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The rows of some messages, and those messages that can be none."""

    batch: pa.RecordBatch
    rejected: list[Rejection]


class _Part:
    """The columns of the key, or of the value."""

    def __init__(self, name: str, form: Format, declared: Sequence[DeclaredField]) -> None:
        self._name = name
        self._form = form
        self._readers = [FieldReader(one) for one in declared]
        self._nothing: tuple[Any, ...] = (None,) * (len(declared) or 1)
        self.schema = [pa.field(one.name, one.arrow_type) for one in self._readers] or [pa.field(name, _TYPES[form])]
        self.fields = [DatasetField(name=one.name, type=one.type) for one in declared] or [
            DatasetField(name=name, type=form)
        ]

    def decode(self, content: bytes | None) -> tuple[Any, ...]:
        """Return the values of the columns.

        Raises:
            BadValueError: The content is not what its format says, or misses a declared field.
        """
        if content is None:
            return self._without_content()
        if self._form == "bytes":
            return (content,)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise BadValueError("INVALID_TEXT", self._name, f"the {self._name} is not UTF-8") from None
        if self._form == "text":
            return (text,)
        try:
            document = parse_json(text)
        except ValueError:
            raise BadValueError("INVALID_JSON", self._name, f"the {self._name} is not JSON") from None
        return tuple(one.read(document) for one in self._readers) if self._readers else (text,)

    def _without_content(self) -> tuple[Any, ...]:
        """A message without a value is a tombstone, which has no fields; one without a key just has no key."""
        for reader in self._readers:
            if self._name == "key" and not reader.nullable:
                raise reader.missing()
        return self._nothing


class RowDecoder:
    """Turns the messages of one topic into rows.

    Attributes:
        schema: Of the staged rows.
        fields: Columns with the types that the unit declares.
    """

    def __init__(self, target: KafkaObject) -> None:
        self._key = _Part("key", target.key_format, target.key_fields)
        self._value = _Part("value", target.value_format, target.value_fields)
        self.schema = pa.schema(
            [
                pa.field("partition", pa.int32()),
                pa.field("offset", pa.int64()),
                pa.field("timestamp", pa.timestamp("ms", tz="UTC")),
                pa.field("timestamp_type", pa.string()),
                *self._key.schema,
                *self._value.schema,
                pa.field("headers", pa.string()),
                pa.field("tombstone", pa.bool_()),
            ]
        )
        self.fields = [
            DatasetField(name="partition", type="integer"),
            DatasetField(name="offset", type="bigint"),
            DatasetField(name="timestamp", type="timestamp(3) with time zone"),
            DatasetField(name="timestamp_type", type="text"),
            *self._key.fields,
            *self._value.fields,
            DatasetField(name="headers", type="json"),
            DatasetField(name="tombstone", type="boolean"),
        ]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names and types in order."""
        return sha256(json.dumps([[one.name, one.type] for one in self.fields]).encode()).hexdigest()

    def decode(self, messages: Sequence[Message]) -> Decoded:
        """Return the rows in the order of the messages."""
        rows: list[tuple[Any, ...]] = []
        rejected: list[Rejection] = []
        for message in messages:
            try:
                rows.append(self._row(message))
            except BadValueError as fault:
                row = RejectedRow(code=fault.code, field=fault.field, reason=fault.reason, row=_as_json(message))
                rejected.append(Rejection(partition=message.partition(), offset=message.offset(), row=row))
        columns = zip(*rows, strict=True) if rows else ([] for _ in self.schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        return Decoded(batch=pa.RecordBatch.from_arrays(arrays, schema=self.schema), rejected=rejected)

    def _row(self, message: Message) -> tuple[Any, ...]:
        value = message.value()
        return (
            message.partition(),
            message.offset(),
            *_timestamp(message),
            *self._key.decode(message.key()),
            *self._value.decode(value),
            _headers(message),
            value is None,
        )


def _timestamp(message: Message) -> tuple[int | None, str | None]:
    kind, milliseconds = message.timestamp()
    if kind == TIMESTAMP_NOT_AVAILABLE:
        return None, None
    if not _FIRST_MILLISECOND <= milliseconds <= _LAST_MILLISECOND:
        raise BadValueError("VALUE_NOT_REPRESENTABLE", "timestamp", "the timestamp lies outside the years 1 to 9999")
    return milliseconds, _TIMESTAMP_TYPES[kind]


def _headers(message: Message) -> str | None:
    """Return the headers as a JSON list of pairs: a name may come twice, and their order is the producer's."""
    headers = message.headers()
    if not headers:
        return None
    # The client takes a dictionary too, but returns pairs.
    pairs = headers.items() if isinstance(headers, dict) else headers
    return json.dumps([[name, _readable(content)] for name, content in pairs], ensure_ascii=False)


def _readable(content: bytes | str | None) -> str | dict[str, str] | None:
    """Return UTF-8 as text and anything else as ``{"base64": …}``."""
    if content is None or isinstance(content, str):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _as_json(message: Message) -> str:
    return json.dumps(
        {
            "partition": message.partition(),
            "offset": message.offset(),
            "timestamp": message.timestamp()[1],
            "key": _readable(message.key()),
            "value": _readable(message.value()),
            "headers": _headers(message),
        },
        ensure_ascii=False,
    )
