"""Shows some rows of an object, with everything masked that must not be seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ingestion_runtime.operations.capabilities import check_capability, lacks
from ingestion_runtime.operations.cell_text import cell_texts
from ingestion_runtime.operations.patience import call_with_patience
from runtime_common.contracts import Preview, PreviewColumn, PreviewMetadataResult
from runtime_common.protocols import Previewable
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import PreviewMetadataInput
    from runtime_common.endpoints import EndpointFactory
    from runtime_common.protocols import Sample
    from runtime_common.run_metadata import RunMetadataFolder

MAX_CELL_CHARACTERS = 2_000
MAX_PREVIEW_BYTES = 8 * 1024 * 1024
_MASKED = "***"


def preview_metadata(
    request: PreviewMetadataInput, *, factory: EndpointFactory, metadata: RunMetadataFolder, cancellation: Cancellation
) -> PreviewMetadataResult:
    """Write a preview to its file and return where that is; raises like :func:`preview_of`.

    Raises:
        StagingError: The file can't be written.
    """
    preview = preview_of(request, factory=factory, cancellation=cancellation)
    content = json.dumps(preview.to_wire(), ensure_ascii=False, separators=(",", ":")).encode()
    return metadata.write_preview(request.request_id, content)


def preview_of(request: PreviewMetadataInput, *, factory: EndpointFactory, cancellation: Cancellation) -> Preview:
    """Return some rows of an object as text.

    Opened secrets of this process are masked wherever they stand, values of masked columns altogether, before anything
    is cut. A cell keeps ``MAX_CELL_CHARACTERS``, and all rows together ``MAX_PREVIEW_BYTES``; ``truncated`` tells.

    Raises:
        ConfigurationError: The source does not offer it, or the object is none of its objects.
        IngestionError: As the source's ``open`` does.
        RunCancelledError: The preview was cancelled.
    """
    check_capability(request.source, "metadata.preview", factory=factory)
    source = factory.source(request.source)
    if not isinstance(source, Previewable):
        raise lacks(request.source, "metadata.preview")
    sample = call_with_patience(
        lambda: source.preview(request.object, limit=request.limit, cancellation=cancellation), cancellation
    )
    cancellation.check()
    return _shown(sample, limit=request.limit, masked=request.masked_columns)


def _shown(sample: Sample, *, limit: int, masked: Sequence[str]) -> Preview:
    table = sample.table.slice(0, limit)
    truncated = sample.truncated or sample.table.num_rows > limit
    types = {field.name: field.type for field in sample.dataset.fields}
    columns = [
        PreviewColumn(name=name, type=types.get(name, str(table.schema.field(name).type)), masked=_hides(masked, name))
        for name in table.column_names
    ]
    texts: list[list[str | None]] = []
    for column, values in zip(columns, table.columns, strict=True):
        if column.masked:
            # NULLs too: whether there is a value is part of what is not shown.
            texts.append([_MASKED] * table.num_rows)
            continue
        whole = [None if text is None else redact(text) for text in cell_texts(values)]
        texts.append([None if text is None else text[:MAX_CELL_CHARACTERS] for text in whole])
        truncated |= any(text is not None and len(text) > MAX_CELL_CHARACTERS for text in whole)
    rows = [list(row) for row in zip(*texts, strict=True)]
    kept = _within_bounds(rows)
    return Preview(dataset=sample.dataset, columns=columns, rows=kept, truncated=truncated or len(kept) < len(rows))


def _hides(masked: Sequence[str], column: str) -> bool:
    """Return whether one of the names means this column, whatever its case, or a field inside it."""
    name = column.casefold()
    return any(one.casefold() == name or one.casefold().startswith(f"{name}.") for one in masked)


def _within_bounds(rows: list[list[str | None]]) -> list[list[str | None]]:
    size = 0
    for index, row in enumerate(rows):
        size += sum(len(text.encode(errors="replace")) for text in row if text is not None)
        if size > MAX_PREVIEW_BYTES:
            return rows[:index]
    return rows
