"""Source ``http_rest``: records of a REST API that answers in JSON, page by page.

HttpRestSource.open() -> RestRead.batches()     the records as rows of the declared fields
                      -> RestRead.cutter()      one slice, or several where the API delivers by the cursor
"""

from runtime_common.endpoints.http_rest.source import ENDPOINT

__all__ = ["ENDPOINT"]
