"""What the graph would hold after the metadata files of some runs: entities, and where their links lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

    from runtime_common.contracts import RunIngestionUnitResult


class MetadataGraph:
    """Applies files by the rules of docs/bulk.md."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.links: dict[str, dict[str, list[str]]] = {}

    def apply(self, root: Path, result: RunIngestionUnitResult) -> None:
        for file in result.metadata_files:
            for row in pa.ipc.open_stream((root / file.path).read_bytes()).read_all().to_pylist():
                if file.contents == "entities":
                    known = self.entities.setdefault(row["urn"], {"kind": file.kind})
                    known.update({name: value for name, value in row.items() if value is not None})
                elif file.contents == "linkSets":
                    self.links.setdefault(file.kind, {})[row["from"]] = row["to"]
                else:
                    self.entities.pop(row["urn"], None)

    def names(self, kind: str) -> dict[str, str]:
        """Return the names of the entities of a kind by the last part of their urns."""
        return {urn.rpartition(":")[2]: one["name"] for urn, one in self.entities.items() if one["kind"] == kind}

    def ends(self, kind: str, identity: str) -> list[str]:
        """Return the last parts of the urns that links lead to."""
        sets = {urn.rpartition(":")[2]: ends for urn, ends in self.links.get(kind, {}).items()}
        return [end.rpartition(":")[2] for end in sets[identity]]
