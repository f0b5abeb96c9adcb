"""What is no answer, as typed errors that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.exceptions import ConfigurationError, SourceError, SourceObjectError, SourceUnreachableError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from runtime_common.exceptions import IngestionError

_MESSAGE_LENGTH = 300


def address_refused(host: str, *, field: str | None) -> ConfigurationError:
    """Return the error of a host with an address that is not public; the address itself is not told."""
    return ConfigurationError(
        f"{host!r} leads to an address that is not public; use another host, or let the operator list its network in "
        "HTTP_ALLOWED_NETWORKS",
        code="SOURCE_ADDRESS_REFUSED",
        field=field,
    )


def name_unknown(host: str, reason: str, *, field: str | None) -> SourceUnreachableError:
    """Return the error of a host without an address."""
    return SourceUnreachableError(
        f"the name {host!r} can't be resolved: {reason}; correct the URL, or the worker's DNS",
        code="SOURCE_NAME_UNKNOWN",
        field=field,
    )


def unreachable(host: str, reason: str, *, field: str | None) -> SourceUnreachableError:
    """Return the error of a server that takes no connection."""
    return SourceUnreachableError(
        f"no connection to {host}: {told(reason)}; check the URL, the network, and that the server runs", field=field
    )


def tls_failed(host: str, reason: str, *, field: str | None) -> SourceError:
    """Return the error of a server that can't prove who it is."""
    return SourceError(
        f"no TLS connection to {host}: {told(reason)}; correct the URL, or give the certificate of the authority that "
        "signed the server's",
        code="SOURCE_TLS_FAILED",
        field=field,
    )


def stalled(host: str, seconds: float) -> SourceUnreachableError:
    """Return the error of an answer that does not come, or does not end."""
    return SourceUnreachableError(
        f"{host} did not finish its answer within {seconds:g} s; ask for smaller pages, or allow more time",
        code="SOURCE_STALLED",
    )


def connection_lost(host: str, reason: str) -> SourceUnreachableError:
    """Return the error of a connection that broke."""
    return SourceUnreachableError(
        f"the connection to {host} broke: {told(reason)}; another attempt goes on", code="SOURCE_CONNECTION_LOST"
    )


def truncated(host: str, reason: str) -> SourceUnreachableError:
    """Return the error of an answer of which a part is missing."""
    return SourceUnreachableError(
        f"an answer of {host} ended before it was whole ({told(reason)}); another attempt goes on. If it stays, look "
        "at proxies between the worker and the server",
        code="SOURCE_RESPONSE_TRUNCATED",
    )


def too_large(host: str, limit: int) -> SourceError:
    """Return the error of an answer over the bound."""
    return SourceError(
        f"an answer of {host} has more than {limit} bytes; ask for smaller pages", code="SOURCE_RESPONSE_TOO_LARGE"
    )


def not_json(host: str, content_type: str) -> SourceError:
    """Return the error of an answer that is a page for people."""
    return SourceError(
        f"{host} answered with {content_type or 'something'} instead of JSON: a login page, a proxy's page, or no API "
        "at all; correct URL, path and credentials",
        code="SOURCE_NOT_JSON",
    )


def rate_limited(host: str, status: int, wait: float | None) -> SourceUnreachableError:
    """Return the error of a server that still says to wait after all attempts."""
    asked = "" if wait is None else f" and asks to wait {wait:.0f} s"
    return SourceUnreachableError(
        f"{host} refuses more requests for now (status {status}){asked}; start the run again later, or lower the "
        "requests per second",
        code="SOURCE_RATE_LIMITED",
    )


def redirect_refused(host: str, reason: str, *, field: str | None) -> SourceError:
    """Return the error of a redirect that is not followed."""
    return SourceError(
        f"{host} redirects {reason}, which is not followed; give the URL that it leads to",
        code="SOURCE_REDIRECT_REFUSED",
        field=field,
    )


def other_origin(host: str) -> SourceError:
    """Return the error of a link that leads away from the server that credentials are meant for."""
    return SourceError(
        f"the API's next link leads to {host!r}, another server than the endpoint's; it is not followed, since "
        "credentials would go there",
        code="SOURCE_LINK_REFUSED",
    )


def refused_status(host: str, path: str, status: int, reason: str, *, credentials: str) -> IngestionError:
    """Return the error of a status that says no.

    Args:
        host: Who answered.
        path: What it was asked for.
        status: From 400 on.
        reason: What the answer says about it.
        credentials: Config field of the credentials.
    """
    what = f"{host} answered {status} for {path}{f' ({told(reason)})' if reason else ''}"
    if status == 401:
        return SourceError(
            f"{what}: it does not accept the credentials; correct or renew them",
            code="SOURCE_AUTHENTICATION_FAILED",
            field=credentials,
        )
    if status == 403:
        return SourceObjectError(
            f"{what}: these credentials may not read it; grant them the right, or read something else",
            code="SOURCE_ACCESS_DENIED",
            field=credentials,
        )
    if status in {404, 410}:
        gone = status == 410
        return SourceObjectError(
            f"{what}: {'it is gone for good' if gone else 'there is no such thing'}; correct URL and path",
            code="SOURCE_OBJECT_GONE" if gone else "SOURCE_OBJECT_MISSING",
            field="source.object",
        )
    if status >= 500:
        return SourceUnreachableError(f"{what}; look at the server, then start the run again", code="SOURCE_FAILED")
    return SourceError(
        f"{what}: it does not take the request; correct path and parameters",
        code="SOURCE_REQUEST_REFUSED",
        field="source.object",
    )


def told(reason: str) -> str:
    """Return foreign text in one line, short and without secrets."""
    return " ".join(redact(reason).split())[:_MESSAGE_LENGTH]
