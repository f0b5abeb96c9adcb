"""Offsets of a topic's partitions, as text in checkpoints and as numbers here.

The text is family ``offsets`` of ``ingestion/contracts/checkpoint.ts``: a JSON object from partition to the next offset
to read, partitions ascending, without blanks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from runtime_common.exceptions import CheckpointMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

CURSOR_FIELD = "offsets"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_CANONICAL = re.compile(rf'\{{(?:"{_NUMBER}":{_NUMBER}(?:,"{_NUMBER}":{_NUMBER})*)?\}}')


def offsets_text(offsets: Mapping[int, int]) -> str:
    """Return the canonical text."""
    return "{" + ",".join(f'"{partition}":{offsets[partition]}' for partition in sorted(offsets)) + "}"


def parse_offsets(text: str) -> dict[int, int]:
    """Return the offsets by partition.

    Raises:
        CheckpointMismatchError: The text is not canonical, so it was not made by this source.
    """
    if not _CANONICAL.fullmatch(text):
        raise CheckpointMismatchError(
            "the checkpoint's cursor value holds no offsets of a topic; restore the checkpoint, or define a new unit "
            "id with a new target",
            code="CHECKPOINT_VALUE_INVALID",
        )
    return {int(partition): offset for partition, offset in json.loads(text).items()}
