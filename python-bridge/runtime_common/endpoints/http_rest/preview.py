"""The first records of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.contracts import DatasetRef
from runtime_common.endpoints.http_rest.paging import Pager
from runtime_common.endpoints.json_rows import RecordDecoder
from runtime_common.exceptions import DataError
from runtime_common.protocols import Sample

if TYPE_CHECKING:
    from runtime_common.bad_rows import RejectedRow
    from runtime_common.endpoints.http_rest.object import HttpRestObject
    from runtime_common.http import HttpClient

# Pages that are looked at: the first ones may be empty.
_MOST_PAGES = 5


def preview_object(client: HttpClient, target: HttpRestObject, *, namespace: str, limit: int) -> Sample:
    """Return at most ``limit`` of the first records; those that can be no rows are left out, unless all are.

    Raises:
        SourceError: The API refuses, or fails.
        DataError: None of the records can be a row, or there is no list of records.
    """
    decoder = RecordDecoder(target.fields)
    batches: list[pa.RecordBatch] = []
    rejected: list[RejectedRow] = []
    more = False
    for number, records in enumerate(Pager(client, target, []).pages(), start=1):
        decoded = decoder.decode(records)
        batches.append(decoded.batch)
        rejected += [one.row for one in decoded.rejected]
        more = number >= _MOST_PAGES or sum(batch.num_rows for batch in batches) > limit
        if more:
            break
    found = pa.Table.from_batches(batches, decoder.schema)
    if rejected and not found.num_rows:
        raise DataError(
            f"none of the first records can be a row: {rejected[0].reason}; correct the fields",
            code=rejected[0].code,
            field=rejected[0].field,
        )
    return Sample(
        dataset=DatasetRef(namespace=namespace, name=target.path.strip("/"), version=None, fields=decoder.fields),
        table=found.slice(0, limit),
        truncated=more,
    )
