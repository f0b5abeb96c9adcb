"""Some rows of a table or query, at bounded cost."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.bad_rows import BadRows
from runtime_common.endpoints.postgres_read import PostgresRead
from runtime_common.exceptions import DataError, SourceError
from runtime_common.protocols import ReadRequest, Sample

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.postgres_config import PostgresConfig, PostgresObject

# A view or query that sorts or groups does all its work before the first row.
_SECONDS = 30


def preview_object(
    config: PostgresConfig, selected: PostgresObject, *, limit: int, cancellation: Cancellation
) -> Sample:
    """Return at most ``limit`` rows, whichever the server finds first. Rows that can't be delivered are left out.

    Raises:
        SourceError: The server can't be reached, refuses, or takes more than half a minute.
        DataError: No row can be delivered.
    """
    rejected = BadRows(policy="quarantine", limit=limit + 1)
    # A read is patient; whoever looks at a preview is not.
    patient = config.model_copy(update={"read_timeout_seconds": min(config.read_timeout_seconds, 2 * _SECONDS)})
    request = ReadRequest(object={}, cursor_field=None, bad_rows=rejected)
    with PostgresRead(patient, selected, request=request, cancellation=cancellation) as read:
        try:
            # One more tells whether there are more.
            with closing(read.sample(rows=limit + 1, seconds=_SECONDS)) as batches:
                table = pa.Table.from_batches(batches, read.schema)
        except SourceError as error:
            if error.code != "SOURCE_STATEMENT_TIMEOUT":
                raise
            slow = SourceError(
                f"{selected.label} has shown no rows within {_SECONDS} s; narrow the query, or preview what it reads",
                code="PREVIEW_TOO_SLOW",
                field=selected.field,
            )
        else:
            bad = rejected.take()
            if bad and not table.num_rows:
                raise DataError(
                    f"none of the first rows can be delivered: {bad[0].reason}", code=bad[0].code, field=bad[0].field
                )
            return Sample(
                dataset=read.dataset,
                table=table.slice(0, limit),
                truncated=table.num_rows + len(bad) > limit,
            )
    raise slow
