"""What the configs of all HTTP sources have in common: how often, how long, how large, whom to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from runtime_common.endpoints.descriptor import EndpointModel, group
from runtime_common.http import HttpClient, HttpLimits

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.http import AddressRules

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
_MEBIBYTE = 1024 * 1024


class HttpConnection(EndpointModel):
    """Bounds of the requests to one server."""

    requests_per_second: Annotated[
        float | None,
        Field(
            title="Requests per second",
            description="How many requests are sent at most; without it as many as the server takes",
            examples=[5],
            gt=0,
            le=1000,
            json_schema_extra=group("Limits"),
        ),
    ] = None
    connect_timeout_seconds: Annotated[
        float,
        Field(
            title="Connect timeout (s)",
            description="How long it may take to resolve the name, connect and agree on TLS",
            examples=[10],
            ge=1,
            le=120,
            json_schema_extra=group("Limits"),
        ),
    ] = 10
    read_timeout_seconds: Annotated[
        float,
        Field(
            title="Read timeout (s)",
            description="How long an answer may stand still before it is asked for again",
            examples=[60],
            ge=1,
            le=3600,
            json_schema_extra=group("Limits"),
        ),
    ] = 60
    answer_timeout_seconds: Annotated[
        float,
        Field(
            title="Answer timeout (s)",
            description="How long a whole answer may take before it is asked for again",
            examples=[300],
            ge=1,
            le=3600,
            json_schema_extra=group("Limits"),
        ),
    ] = 300
    max_answer_mebibytes: Annotated[
        int,
        Field(
            title="Largest answer (MiB)",
            description="An answer over this size, unpacked, fails the run; one answer is held in memory",
            examples=[64],
            ge=1,
            le=1024,
            json_schema_extra=group("Limits"),
        ),
    ] = 64
    ca_certificate: Annotated[
        Text | None,
        Field(
            title="CA certificate",
            description="PEM of the authority that signed the server's certificate; the public ones when empty",
            examples=["-----BEGIN CERTIFICATE-----…"],
            max_length=65536,
            json_schema_extra=group("Security"),
        ),
    ] = None

    def connect(
        self,
        url: str,
        *,
        rules: AddressRules,
        cancellation: Cancellation,
        limits: dict[str, Any] | None = None,
        **options: Any,
    ) -> HttpClient:
        """Return a client of one server.

        Args:
            url: Base URL.
            rules: Which addresses may be reached.
            cancellation: Ends whatever waits.
            limits: Bounds other than the config's.
            options: See :class:`HttpClient`.

        Raises:
            ConfigurationError: The URL or the certificate is none.
        """
        bounds = {
            "connect_seconds": self.connect_timeout_seconds,
            "read_seconds": self.read_timeout_seconds,
            "total_seconds": self.answer_timeout_seconds,
            "body_bytes": self.max_answer_mebibytes * _MEBIBYTE,
            "requests_per_second": self.requests_per_second,
        }
        return HttpClient(
            url,
            rules=rules,
            cancellation=cancellation,
            limits=HttpLimits(**(bounds | (limits or {}))),
            certificate=self.ca_certificate,
            **options,
        )
