"""Collects what a source has seen of people, projects, pages and files, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from runtime_common.protocols import MetadataTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Of one table, so that its file stays far below what is taken.
_MOST_ROWS = 50_000
_LONGEST_NAME = 1_024
_TIME = pa.timestamp("ms", tz="UTC")
_TRACKED = {"status": pa.string(), "type": pa.string(), "sourceCreatedAt": _TIME, "sourceUpdatedAt": _TIME}
# Columns beside urn, name and externalUrl, by kind (graph-schema/kinds).
_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "Person": {"active": pa.bool_()},
    "Project": {"key": pa.string()},
    "Issue": {"key": pa.string(), **_TRACKED},
    "Space": {"key": pa.string()},
    "Page": _TRACKED,
    "File": {"folder": pa.bool_(), "size": pa.int64(), "mediaType": pa.string(), **_TRACKED},
}
_LINK_SETS = pa.schema([pa.field("from", pa.string()), pa.field("to", pa.list_(pa.string()))])
_DELETIONS = pa.schema([pa.field("urn", pa.string())])


def urn(kind: str, namespace: str, identity: str) -> str:
    """Return the urn of an entity, spelt as ``encodeURIComponent`` does."""
    parts = (quote(_clean(part), safe="!~*'()-_.") for part in (namespace, identity))
    return f"nucleus:{kind.lower()}:{':'.join(parts)}"


class MetadataBuilder:
    """Holds what was seen since the last time that it was taken; of each thing the latest."""

    def __init__(self) -> None:
        self._entities: dict[str, dict[str, dict[str, Any]]] = {}
        self._link_sets: dict[str, dict[str, list[str]]] = {}
        self._deleted: dict[str, dict[str, None]] = {}

    def entity(self, kind: str, identity: str, *, name: Any, **properties: Any) -> str:
        """Note an entity.

        Args:
            kind: One of the graph's kinds.
            identity: Its urn.
            name: What people call it; the last part of its urn without one.
            properties: By the names of the kind; None leaves what the graph has.
        """
        row = {field: _clean(value) if isinstance(value, str) else value for field, value in properties.items()}
        if isinstance(name, str) and name.strip():
            row["name"] = _clean(name)[:_LONGEST_NAME]
        self._deleted.get(kind, {}).pop(identity, None)
        self._entities.setdefault(kind, {})[identity] = row
        return identity

    def link_set(self, kind: str, start: str, ends: Iterable[str | None]) -> None:
        """Note where the links of one kind lead from ``start``: there, and nowhere else any more."""
        self._link_sets.setdefault(kind, {})[start] = list(dict.fromkeys(end for end in ends if end is not None))

    def deletion(self, kind: str, identity: str) -> None:
        """Note that an entity is gone."""
        self._entities.get(kind, {}).pop(identity, None)
        for sets in self._link_sets.values():
            sets.pop(identity, None)
        self._deleted.setdefault(kind, {})[identity] = None

    def take(self) -> list[MetadataTable]:
        """Return it as tables, the entities before the links between them, and begin anew."""
        tables = [
            *(one for kind, rows in self._entities.items() for one in _entity_tables(kind, rows)),
            *(one for kind, sets in self._link_sets.items() for one in _link_set_tables(kind, sets)),
            *(
                MetadataTable(contents="deletions", kind=kind, table=table)
                for kind, urns in self._deleted.items()
                for table in _tables([{"urn": one} for one in urns], _DELETIONS)
            ),
        ]
        self._entities, self._link_sets, self._deleted = {}, {}, {}
        return tables


def _entity_tables(kind: str, entities: dict[str, dict[str, Any]]) -> Iterator[MetadataTable]:
    columns = {"urn": pa.string(), "name": pa.string(), "externalUrl": pa.string(), **_COLUMNS[kind]}
    schema = pa.schema([pa.field(name, type_) for name, type_ in columns.items()])
    # A name belongs to a row or to none: the graph takes a missing one from the urn.
    named = [{"urn": one, **row} for one, row in entities.items() if "name" in row]
    nameless = [{"urn": one, **row} for one, row in entities.items() if "name" not in row]
    for table in _tables(named, schema):
        yield MetadataTable(contents="entities", kind=kind, table=table)
    for table in _tables(nameless, schema):
        yield MetadataTable(contents="entities", kind=kind, table=table.drop_columns(["name"]))


def _link_set_tables(kind: str, sets: dict[str, list[str]]) -> Iterator[MetadataTable]:
    for table in _tables([{"from": start, "to": ends} for start, ends in sets.items()], _LINK_SETS):
        yield MetadataTable(contents="linkSets", kind=kind, table=table)


def _tables(rows: list[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    for start in range(0, len(rows), _MOST_ROWS):
        yield pa.Table.from_pylist(rows[start : start + _MOST_ROWS], schema=schema)


def _clean(text: str) -> str:
    """Replace half surrogate pairs, which JSON may hold and no stored text can."""
    return text.encode("utf-8", "replace").decode()
