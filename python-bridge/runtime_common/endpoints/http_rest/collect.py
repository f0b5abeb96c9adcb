"""What an API offers to read, as data sets of the knowledge base, out of its OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runtime_common.contracts import CompleteScope
from runtime_common.exceptions import ConfigurationError, DataError
from runtime_common.protocols import Collected, MetadataTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.http import HttpClient

_SCHEMA = pa.schema(
    [
        pa.field("namespace", pa.string()),
        pa.field("name", pa.string()),
        pa.field("type", pa.string()),
        pa.field("description", pa.string()),
    ]
)


def collect_paths(client: HttpClient, document_path: str | None, *, namespace: str, scope: Sequence[str]) -> Collected:
    """Return the paths that can be read by GET without a parameter in them: those of ``scope``, or all.

    Raises:
        ConfigurationError: The endpoint names no OpenAPI document.
        SourceError: It can't be had.
        DataError: It is none.
    """
    if document_path is None:
        raise ConfigurationError(
            "an API tells what it has by its OpenAPI document only; give its path",
            field="source.config.openApiPath",
        )
    paths = _paths(client.get(document_path.lstrip("/")).document)
    wanted = {one.strip("/") for one in scope}
    rows = [
        {"namespace": namespace, "name": name, "type": "rest", "description": description}
        for name, description in sorted(paths.items())
        if not wanted or name in wanted
    ]

    def tables() -> Iterator[MetadataTable]:
        yield MetadataTable(contents="entities", kind="Dataset", table=pa.Table.from_pylist(rows, schema=_SCHEMA))

    complete = [] if wanted else [CompleteScope(namespace=namespace, name_prefix="")]
    return Collected(tables=tables(), complete_scopes=complete, counts={"paths": len(rows)})


def _paths(document: Any) -> dict[str, str | None]:
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        raise DataError(
            "this is no OpenAPI document: it has no paths; correct its path",
            code="SOURCE_RECORDS_MISSING",
            field="source.config.openApiPath",
        )
    found: dict[str, str | None] = {}
    for path, item in paths.items():
        operation = item.get("get") if isinstance(item, dict) else None
        if isinstance(operation, dict) and "{" not in path and path.strip("/"):
            summary = operation.get("summary")
            found[path.strip("/")] = summary if isinstance(summary, str) else None
    return found
