"""What an endpoint may offer beside moving rows: a connection test, a preview, its metadata.

Each is a protocol of its own; the descriptor's capabilities say which of them an endpoint has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import CompleteScope, DatasetRef
    from runtime_common.protocols.source import MetadataTable


@dataclass(frozen=True, kw_only=True)
class Check:
    """One step of a connection test.

    Attributes:
        name: As the descriptor lists it.
        run: Returns what was found, for people; raises an :class:`IngestionError` that says what to do.
        needs: Checks without which this one makes no sense; it is skipped unless they have passed.
    """

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


@runtime_checkable
class Testable(Protocol):
    """An endpoint with a connection test."""

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps in the descriptor's order. They change nothing that lasts and share what they open."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some rows of an object."""

    dataset: DatasetRef
    table: pa.Table
    truncated: bool


@runtime_checkable
class Previewable(Protocol):
    """A source with capability ``metadata.preview``."""

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return at most ``limit`` rows of an object, read with bounded cost; raises like ``open``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What a source has.

    Attributes:
        tables: Entities and links, in pieces that fit a metadata file; read once.
        complete_scopes: Known after ``tables`` was read to its end.
        counts: By sort, e.g. ``tables``; known after ``tables`` was read to its end.
    """

    tables: Iterator[MetadataTable]
    complete_scopes: list[CompleteScope]
    counts: dict[str, int]


@runtime_checkable
class Collectable(Protocol):
    """A source with capability ``metadata.collect``."""

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        """Look through ``scope`` (all, when empty); raises like ``open``."""
        ...
