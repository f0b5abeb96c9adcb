"""A read of JSON records that leaves metadata beside its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.endpoints.json_rows import WindowRead
from runtime_common.endpoints.semantic.metadata import MetadataBuilder

if TYPE_CHECKING:
    from types import TracebackType

    from runtime_common.http import HttpClient
    from runtime_common.protocols import MetadataTable


class SemanticRead(WindowRead):
    """See :class:`runtime_common.protocols.SourceRead`; a subclass notes in ``_note`` what it sees.

    What a page tells travels with the slice that is open when it arrives, so a crash before the slice is committed
    tells it again, and one after it has told it.

    Args:
        client: Asks the server; closed with the read.
        options: See :class:`WindowRead`.
    """

    def __init__(self, client: HttpClient, **options: Any) -> None:
        super().__init__(**options)
        self._client = client
        self._metadata = MetadataBuilder()

    def take_metadata(self) -> list[MetadataTable]:
        """Return what was seen since the last call."""
        return self._metadata.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
