"""How long, how large, how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """Bounds of one client.

    Attributes:
        connect_seconds: To resolve a name, connect and agree on TLS.
        read_seconds: Without a single byte.
        total_seconds: From the request to the last byte of its answer.
        body_bytes: Of one answer, unpacked.
        attempts: Of one request, the first included.
        wait_seconds: Pauses between the attempts of one request, all together.
        requests_per_second: None for as many as come.
    """

    connect_seconds: float = 10
    read_seconds: float = 60
    total_seconds: float = 300
    body_bytes: int = 64 * 1024 * 1024
    attempts: int = 6
    wait_seconds: float = 600
    requests_per_second: float | None = None
