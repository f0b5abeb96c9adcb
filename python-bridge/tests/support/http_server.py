"""An HTTP server of the tests' own: it answers with what a test has written, and notes what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runtime_common.exceptions import IngestionError
from runtime_common.http import AddressRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runtime_common.http import HttpClient

    Handler = Callable[["Asked"], "Reply"]

LOOPBACK = AddressRules.parse("127.0.0.0/8, ::1/128")


def refusal(client: HttpClient, url: str = "rows") -> IngestionError:
    """Return what a request is refused with."""
    with pytest.raises(IngestionError) as caught:
        client.get(url)
    return caught.value


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str

    @property
    def form(self) -> Mapping[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        body: Text or bytes as they are, anything else as JSON.
        claims: What Content-Length says, where it is not the truth.
        reset: Whether the connection is reset after the body.
        waits_for: Set by the test when the rest of the answer, from ``body[waits_at:]``, may be sent.
    """

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    claims: int | None = None
    reset: bool = False
    waits_for: threading.Event | None = None
    waits_at: int = 0

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class HttpServer:
    """A running server; ``answer`` may be replaced at any time."""

    def __init__(self, port: int, *, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://{'localhost' if scheme == 'https' else '127.0.0.1'}:{port}"
        self.asked: list[Asked] = []
        self.answer: Handler = lambda _: Reply(status=404, body={"message": "nothing here"})
        # Set with each request, for a test that waits until one has come.
        self.arrived = threading.Event()

    def plays(self, *replies: Reply) -> None:
        """Answer with these, one after the other, and with the last one from then on."""
        left = list(replies)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def queries(self, path: str) -> list[Mapping[str, str]]:
        return [one.query for one in self.asked if one.path == path]


@contextmanager
def running_http(identity: Path | None = None) -> Iterator[HttpServer]:
    """Yield a server on a free port of loopback.

    Args:
        identity: PEM of key and certificate, for TLS.
    """

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command,
                path=url.path,
                query={name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length).decode(),
            )
            server.asked.append(asked)
            server.arrived.set()
            self.reply(server.answer(asked))

        do_GET = do_POST = respond  # noqa: N815 - http.server's names

        def reply(self, reply: Reply) -> None:
            content = reply.content
            self.send_response_only(reply.status)
            self.send_header("Date", reply.headers.get("Date") or self.date_time_string())
            self.send_header("Content-Type", reply.content_type)
            if "Transfer-Encoding" not in reply.headers:
                self.send_header("Content-Length", str(len(content) if reply.claims is None else reply.claims))
            for name, value in reply.headers.items():
                if name != "Date":
                    self.send_header(name, value)
            self.end_headers()
            if reply.waits_for is not None:
                self.wfile.write(content[: reply.waits_at])
                self.wfile.flush()
                reply.waits_for.wait(30)
                content = content[reply.waits_at :]
            self.wfile.write(content)
            self.wfile.flush()
            if reply.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if reply.reset or reply.claims is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def shutdown_request(self, request: Any) -> None:
            """Close at once: a polite end would come before the reset that a test may want."""
            request.close()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is no error of the test."""

    listener = Listener(("127.0.0.1", 0), Connection)
    if identity is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    server = HttpServer(listener.server_address[1], scheme="http" if identity is None else "https")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
