"""One read of one object of an API."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from runtime_common.endpoints.http_rest.bounds import check_format, lower_text, upper_text
from runtime_common.endpoints.http_rest.object import PagePaging
from runtime_common.endpoints.http_rest.paging import Pager
from runtime_common.endpoints.json_rows import RecordDecoder, WindowRead
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.http_rest.object import HttpRestObject
    from runtime_common.endpoints.http_rest.paging import Params
    from runtime_common.http import Answer, HttpClient
    from runtime_common.protocols import ReadRequest


class RestRead(WindowRead):
    """See :class:`runtime_common.protocols.SourceRead`.

    Opening it asks for the first page: an API that refuses says so before anything is staged, and tells its time.

    Args:
        client: Asks the API; closed with the read.
        target: What is read.
        namespace: Of the data set.
        request: The unit's.
        cancellation: Ends the read.

    Raises:
        ConfigurationError: The unit asks for what the API can't give.
        SourceError: The API refuses, or fails.
    """

    def __init__(
        self,
        client: HttpClient,
        target: HttpRestObject,
        *,
        namespace: str,
        request: ReadRequest,
        cancellation: Cancellation,
    ) -> None:
        self._client = client
        self._target = target
        incremental = request.cursor_field is not None
        if incremental and isinstance(target.paging, PagePaging) and not target.paging.stable:
            raise ConfigurationError(
                "numbered pages can lose records that move between them, and a checkpoint would pass them by; page by "
                "offset, cursor or link, or set stable where the API's pages do not change",
                field="source.object.paging.stable",
            )
        super().__init__(
            namespace=namespace,
            name=target.path.strip("/"),
            decoder=RecordDecoder(target.fields),
            request=request,
            ordered=target.incremental.ordered,
            now=server_time(self._first_page()) if incremental else datetime.now(UTC),
            cancellation=cancellation,
        )
        if self.cursor_column is not None and target.incremental.param is not None:
            check_format(self.cursor_column.family, target.incremental.format, exclusive=target.incremental.exclusive)

    def _first_page(self) -> Answer:
        return self._client.get(self._target.path.lstrip("/"), params=list(self._target.params.items()))

    def _fetch(self, lower: str | None, upper: str | None) -> Iterator[list[Any]]:
        return Pager(self._client, self._target, self._bounds(lower, upper)).pages()

    def _bounds(self, lower: str | None, upper: str | None) -> Params:
        column = self.cursor_column
        how = self._target.incremental
        bounds: Params = []
        if column is None:
            return bounds
        if lower is not None and how.param is not None:
            bounds.append((how.param, lower_text(lower, column.family, how.format, exclusive=how.exclusive)))
        if upper is not None and how.upper_param is not None:
            bounds.append((how.upper_param, upper_text(upper, column.family, how.format)))
        return bounds

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def server_time(answer: Answer) -> datetime:
    """Return the time that an answer names, or ours where that is earlier: no record of later is passed by."""
    now = datetime.now(UTC)
    try:
        return min(now, parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC))
    except ValueError:
        return now
