"""httpx on connections of our own."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runtime_common.http.network import GuardedNetwork

# One request at a time; the second is for a server that is slow to close.
_MAX_CONNECTIONS = 2
_IDLE_SECONDS = 30.0


class GuardedTransport(httpx.BaseTransport):
    """See :class:`httpx.BaseTransport`; raises the errors of httpcore as they are.

    Args:
        network: Makes the connections.
        tls: Whom to trust.
    """

    def __init__(self, network: GuardedNetwork, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            network_backend=network,
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, whose body is still to be read."""
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        stream: Iterable[bytes] = self._answer.iter_stream()
        yield from stream

    def close(self) -> None:
        self._answer.close()


def trusting(certificate: str | None) -> ssl.SSLContext:
    """Return the TLS settings of a client.

    Args:
        certificate: PEM of the authority to trust; None for the public ones.

    Raises:
        ValueError: It is no certificate.
    """
    if certificate is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cadata=certificate)
    except (ssl.SSLError, ValueError):
        raise ValueError("must be the PEM of a certificate") from None
