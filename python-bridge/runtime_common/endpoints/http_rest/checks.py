"""The steps of the connection test."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runtime_common.exceptions import SourceUnreachableError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.http_rest.config import HttpRestConfig
    from runtime_common.http import AddressRules

# Whoever watches a test does not wait for a server that is slow to come back.
_ATTEMPTS = 1
# A base URL alone is seldom something to read: that it answers at all is what counts.
_ANSWERS = frozenset({400, 404, 405, 406, 410})


def connection_checks(config: HttpRestConfig, rules: AddressRules, cancellation: Cancellation) -> Sequence[Check]:
    """Return the steps in the descriptor's order; they only ask."""

    def resolve() -> str:
        url = urlsplit(config.base_url)
        try:
            found = socket.getaddrinfo(url.hostname, url.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            raise SourceUnreachableError(
                f"the name can't be resolved: {getattr(error, 'strerror', None) or 'it is no valid name'}; correct "
                "the URL, or the worker's DNS",
                code="SOURCE_NAME_UNKNOWN",
                field="source.config.baseUrl",
            ) from None
        return f"{len({entry[4][0] for entry in found})} address(es)"

    def request() -> str:
        with config.client(rules=rules, cancellation=cancellation, attempts=_ATTEMPTS) as client:
            status = client.request("GET", config.base_url, accepted=_ANSWERS, wants_document=False).status
        return f"the server answers {status} by {config.authentication} authentication"

    return (
        Check(name="resolve", run=resolve),
        Check(name="request", run=request, needs=("resolve",)),
    )
