"""A TCP proxy between a client and a server, that can stand still, hang up or break off."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 64 * 1024


class TcpProxy:
    """Passes connections on to one address; what it does to the server's answers is set while it runs.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        passed: Bytes of the server's answers that went through.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._flows = threading.Event()
        self._flows.set()
        self._limit: int | None = None
        self._at_limit = self.stall
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])
        self.passed = 0
        self.limit_reached = threading.Event()

    def stall(self) -> None:
        """Keep all connections open and pass nothing more on."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass on again."""
        self._flows.set()

    def reset(self) -> None:
        """End all connections with a TCP reset."""
        self._hang_up(graceful=False)

    def truncate(self) -> None:
        """End all connections as if the server had closed them."""
        self._hang_up(graceful=True)

    def after(self, passed: int, action: str) -> None:
        """Do ``stall``, ``reset`` or ``truncate`` once ``passed`` more bytes of answers went through."""
        with self._lock:
            self._at_limit = getattr(self, action)
            self._limit = self.passed + passed

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.reset()
        for thread in self._threads:
            thread.join()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                self._sockets += [client, server]
            for arguments in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pass, args=arguments, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                self._flows.wait()
                sink.sendall(chunk)
                if answers:
                    self._count(len(chunk))
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _count(self, size: int) -> None:
        with self._lock:
            self.passed += size
            if self._limit is None or self.passed < self._limit:
                return
            self._limit = None
        self.limit_reached.set()
        self._at_limit()

    def _hang_up(self, *, graceful: bool) -> None:
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                if graceful:
                    one.shutdown(socket.SHUT_RDWR)
                else:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # Wakes the thread that waits on it, which would keep the socket from being closed.
                    one.shutdown(socket.SHUT_RD)
            if not graceful:
                one.close()


@contextlib.contextmanager
def tcp_proxy(host: str, port: int) -> Iterator[TcpProxy]:
    """Yield a running proxy; its connections end with it."""
    proxy = TcpProxy(host, port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
