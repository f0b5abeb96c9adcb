"""Page after page of one object, without losing a record in between and without going in circles."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx

from runtime_common.endpoints.http_rest.errors import bad_link, no_records, page_drift, paging_loop
from runtime_common.endpoints.http_rest.object import CursorPaging, LinkPaging, OffsetPaging, PagePaging
from runtime_common.endpoints.json_rows import steps_of, value_at
from runtime_common.exact_json import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.endpoints.http_rest.object import HttpRestObject
    from runtime_common.http import Answer, HttpClient

Params = list[tuple[str, str]]


class Pager:
    """Reads the pages of one object.

    Args:
        client: Asks the API.
        target: What is read.
        bounds: Query parameters beside those of the object.
    """

    def __init__(self, client: HttpClient, target: HttpRestObject, bounds: Params) -> None:
        self._client = client
        self._target = target
        self._params = [*target.params.items(), *bounds]
        self._path = target.path.lstrip("/")
        self._records = steps_of(target.records)
        self._seen: set[bytes] = set()

    def pages(self) -> Iterator[list[Any]]:
        """Yield the records of each page.

        Raises:
            SourceError: The API fails, moves records, or goes in circles.
            DataError: An answer holds no records.
        """
        match self._target.paging:
            case OffsetPaging() as paging:
                yield from self._by_offset(paging)
            case PagePaging() as paging:
                yield from self._by_page(paging)
            case CursorPaging() as paging:
                yield from self._by_cursor(paging)
            case LinkPaging() as paging:
                yield from self._by_link(paging)
            case _:
                yield self._records_of(self._ask([]))

    def _by_offset(self, paging: OffsetPaging) -> Iterator[list[Any]]:
        """Let each page begin with the last record of the one before: if it is another one, records have moved."""
        total = None if paging.total_path is None else steps_of(paging.total_path)
        read = 0
        last: str | None = None
        while True:
            overlap = 0 if last is None else 1
            answer = self._ask(
                [(paging.offset_param, str(read - overlap)), (paging.limit_param, str(paging.page_size))]
            )
            records = self._records_of(answer)
            if last is not None and (not records or json_text(records[0]) != last):
                raise page_drift()
            fresh = records[overlap:]
            read += len(fresh)
            if fresh:
                last = json_text(fresh[-1])
                yield fresh
            left = None if total is None else _count(answer, total, paging.total_path) - read
            if left is not None and left > 0 and not fresh:
                raise page_drift()
            if not fresh or (left is not None and left <= 0):
                return

    def _by_page(self, paging: PagePaging) -> Iterator[list[Any]]:
        more = None if paging.more_path is None else steps_of(paging.more_path)
        number = paging.first_page
        while True:
            answer = self._ask([(paging.page_param, str(number)), *_size(paging.size_param, paging.page_size)])
            records = self._records_of(answer)
            # An API that does not know the parameter sends the first page again and again.
            if records:
                self._note(json_text(records))
                yield records
            if (value_at(answer.document, more) is not True) if more is not None else not records:
                return
            number += 1

    def _by_cursor(self, paging: CursorPaging) -> Iterator[list[Any]]:
        token: str | None = None
        while True:
            place = [] if token is None else [(paging.cursor_param, token)]
            answer = self._ask([*place, *_size(paging.size_param, paging.page_size)])
            # An empty page is no end: the API may have filtered all of its records out.
            yield self._records_of(answer)
            token = _text(value_at(answer.document, steps_of(paging.token_path)), paging.token_path)
            if token is None:
                return
            self._note(token)

    def _by_link(self, paging: LinkPaging) -> Iterator[list[Any]]:
        answer = self._ask(_size(paging.size_param, paging.page_size))
        while True:
            yield self._records_of(answer)
            link = (
                _header_link(answer)
                if paging.next_path is None
                else _text(value_at(answer.document, steps_of(paging.next_path)), paging.next_path)
            )
            if link is None:
                return
            try:
                url = str(httpx.URL(answer.url).join(link))
            except httpx.InvalidURL:
                raise bad_link(paging.next_path or "the Link header") from None
            self._note(url)
            answer = self._client.get(url)

    def _ask(self, place: Params) -> Answer:
        return self._client.get(self._path, params=[*self._params, *place])

    def _records_of(self, answer: Answer) -> list[Any]:
        records = value_at(answer.document, self._records)
        if records is None and self._is_null(answer.document):
            return []
        if not isinstance(records, list):
            raise no_records(self._target.records)
        return records

    def _is_null(self, document: Any) -> bool:
        """Some servers write an empty list as null; a name that is missing is something else."""
        holder = value_at(document, self._records[:-1])
        return bool(self._records) and isinstance(holder, dict) and self._records[-1] in holder

    def _note(self, place: str) -> None:
        digest = sha256(place.encode("utf-8", "surrogatepass")).digest()
        if digest in self._seen:
            raise paging_loop()
        self._seen.add(digest)


def _size(name: str | None, size: int) -> Params:
    return [] if name is None else [(name, str(size))]


def _count(answer: Answer, steps: Sequence[str | int], path: str | None) -> int:
    total = value_at(answer.document, steps)
    if not isinstance(total, int) or isinstance(total, bool):
        raise bad_link(path or "")
    return total


def _text(value: Any, path: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise bad_link(path)
    return str(value)


def _header_link(answer: Answer) -> str | None:
    links = httpx.Response(answer.status, headers=answer.headers).links
    return links.get("next", {}).get("url") or None
