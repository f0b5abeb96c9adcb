"""Connection test and preview, as all semantic sources have them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.contracts import CheckStep
from runtime_common.protocols import Check, ReadRequest, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from runtime_common.cancellation import Cancellation
    from runtime_common.protocols import SourceEndpoint

# Whoever watches a test does not wait for a server that is slow to come back.
TEST_ATTEMPTS = 1
# Pages that a preview looks at: the first ones may be empty.
_MOST_PAGES = 5

CHECKS = (
    CheckStep(name="authenticate", title="Ask with these credentials"),
    CheckStep(name="read", title="Read the first page"),
)


def semantic_checks(authenticate: Callable[[], str], read: Callable[[], str]) -> Sequence[Check]:
    """Return the steps in the order of :data:`CHECKS`."""
    return (
        Check(name="authenticate", run=authenticate),
        Check(name="read", run=read, needs=("authenticate",)),
    )


def semantic_preview(
    source: SourceEndpoint, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation
) -> Sample:
    """Return at most ``limit`` of the first rows; raises like ``open`` and ``batches``."""
    with source.open(ReadRequest(object=selected, cursor_field=None), cancellation) as read:
        batches = []
        for batch in itertools.islice(read.batches(lower=None, upper=None), _MOST_PAGES):
            batches.append(batch)
            if sum(one.num_rows for one in batches) > limit:
                break
        found = pa.Table.from_batches(batches, read.schema)
        return Sample(dataset=read.dataset, table=found.slice(0, limit), truncated=found.num_rows > limit)
