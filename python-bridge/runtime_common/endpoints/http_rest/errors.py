"""What an API does that no page can be made of."""

from __future__ import annotations

from runtime_common.exceptions import DataError, SourceError


def no_records(path: str) -> DataError:
    """Return the error of an answer without the list that the object names."""
    return DataError(
        f"the answer holds no list of records at {path}: it may be an error in disguise; correct the path of the "
        "records",
        code="SOURCE_RECORDS_MISSING",
        field="source.object.records",
    )


def bad_link(path: str) -> DataError:
    """Return the error of a next page that is told in a form that can't be used."""
    return DataError(
        f"what the answer holds at {path} can't lead to the next page; correct that path",
        code="SOURCE_PAGING_INVALID",
        field="source.object.paging",
    )


def paging_loop() -> SourceError:
    """Return the error of an API that leads back to a page that was read before."""
    return SourceError(
        "the API leads back to a page that was already read; correct the paging's parameters",
        code="SOURCE_PAGING_LOOP",
        field="source.object.paging",
    )


def page_drift() -> SourceError:
    """Return the error of records that moved between two pages."""
    return SourceError(
        "records moved to other places while they were read by offset, so some may have been missed; another attempt "
        "reads them again. Let the API sort by something that does not change, or page by a cursor",
        code="SOURCE_PAGE_DRIFT",
        field="source.object.paging",
        retryable=True,
    )
