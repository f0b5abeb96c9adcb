"""Connections to checked addresses, which a cancellation breaks at once.

A name is resolved once for each connection; all its addresses are checked, and the connection goes to one of those that
were. So a name that resolves to something else a moment later (DNS rebinding) changes nothing. The request's host stays
what it is, for TLS and for the Host header.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from concurrent.futures import Future, InvalidStateError
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore

from runtime_common.http.errors import address_refused, name_unknown

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from runtime_common.cancellation import Cancellation
    from runtime_common.http.addresses import Address, AddressRules

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


class GuardedNetwork(httpcore.NetworkBackend):
    """See :class:`httpcore.NetworkBackend`.

    Args:
        rules: Which addresses may be reached.
        cancellation: Ends whatever waits.
        field: Config field of the URL, for errors.
    """

    def __init__(self, rules: AddressRules, cancellation: Cancellation, *, field: str | None) -> None:
        self._rules = rules
        self._field = field
        self._cancellation = cancellation
        self._sockets = httpcore.SyncBackend()
        self._open: set[_GuardedStream] = set()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that takes the connection.

        Raises:
            SourceUnreachableError: The name has no address.
            ConfigurationError: It has one that must not be reached.
            httpcore.ConnectError: No address takes it.
        """
        addresses = self._in_background(partial(self._resolve, host, port), timeout)
        if not all(self._rules.permit(address) for address in addresses):
            raise address_refused(host, field=self._field)
        failure: Exception | None = None
        for address in addresses:
            try:
                stream = self._in_background(
                    partial(self._sockets.connect_tcp, str(address), port, timeout, local_address, socket_options),
                    timeout,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _GuardedStream(stream, self._open)
        raise failure or httpcore.ConnectError(f"no address of {host}")

    def break_connections(self) -> None:
        """Let every call that waits for a peer fail now; for the thread that cancels."""
        for stream in list(self._open):
            stream.shut_down()

    def _resolve(self, host: str, port: int) -> list[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no valid name"
            raise name_unknown(host, reason, field=self._field) from None
        return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))

    def _in_background(self, call: Callable[[], Result], timeout: float | None) -> Result:
        """Run a call that nothing can interrupt, and leave it alone when there is no time for it any more."""
        outcome: Future[Result] = Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except InvalidStateError:
                _log.debug("a connection came too late")
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                with contextlib.suppress(InvalidStateError):
                    outcome.set_exception(error)

        def interrupt() -> None:
            with contextlib.suppress(InvalidStateError):
                outcome.set_exception(httpcore.ConnectError("interrupted"))

        threading.Thread(target=run, name="http-connect", daemon=True).start()
        with self._cancellation.interrupting(interrupt):
            try:
                return outcome.result(timeout)
            except TimeoutError:
                raise httpcore.ConnectTimeout("timed out") from None


class _GuardedStream(httpcore.NetworkStream):
    """A connection that another thread may break, also while TLS is agreed on."""

    def __init__(self, stream: httpcore.NetworkStream, open_streams: set[_GuardedStream]) -> None:
        self._stream = stream
        self._open = open_streams
        # A second handle on the connection: TLS takes the first one over, and nobody else closes this one.
        self._handle: socket.socket = stream.get_extra_info("socket").dup()
        self._open.add(self)

    def shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._open.discard(self)
        self._handle.close()
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
