"""64-bit hashes of whole rows, by which a row that was committed before is recognised (rule R2)."""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGEST_BYTES = 8
_NULL = b"\x00"


def _encoder(type_: pa.DataType) -> Callable[[Any], bytes]:
    if pa.types.is_floating(type_):
        # The bits, not a decimal print, so that no formatting rule decides what is equal. One NaN is like another.
        return lambda value: b"nan" if value != value else struct.pack(">d", value)
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return bytes
    return lambda value: str(value).encode()


def _plain(column: pa.Array) -> pa.Array:
    """Return dates and times as integers, which have one text form whatever library prints them."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).view(pa.int64())
    if pa.types.is_date32(column.type):
        return column.view(pa.int32())
    return column


def row_hashes(batch: pa.RecordBatch) -> list[str]:
    """Return the hash of each row as 16 hexadecimal digits.

    Every value goes in with its length before it, so that no two different rows run together into the same bytes.
    """
    digests = [blake2b(digest_size=_DIGEST_BYTES) for _ in range(batch.num_rows)]
    for column in batch.columns:
        plain = _plain(column)
        encode = _encoder(plain.type)
        for digest, value in zip(digests, plain.to_pylist(), strict=True):
            if value is None:
                digest.update(_NULL)
            else:
                content = encode(value)
                digest.update(b"\x01" + len(content).to_bytes(8, "big"))
                digest.update(content)
    return [digest.hexdigest() for digest in digests]
