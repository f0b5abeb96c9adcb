"""Requests to one server: each ends with a whole answer, or with a typed error."""

from __future__ import annotations

import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from runtime_common.exact_json import parse_json
from runtime_common.exceptions import ConfigurationError, SourceUnreachableError
from runtime_common.http import errors
from runtime_common.http.auth import FixedCredentials
from runtime_common.http.limits import HttpLimits
from runtime_common.http.network import GuardedNetwork
from runtime_common.http.pauses import Pauses
from runtime_common.http.transport import GuardedTransport, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.exceptions import IngestionError
    from runtime_common.http.addresses import AddressRules
    from runtime_common.http.auth import Authorization

_MAX_REDIRECTS = 5
_WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "nucleus"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer.

    Attributes:
        status: Below 400, or one that the caller takes.
        headers: By name, in any spelling.
        url: Where it came from, after redirects.
        document: The body as exact JSON; None when there is none.
    """

    status: int
    headers: httpx.Headers
    url: str
    document: Any


class _Again(Exception):  # noqa: N818 - no error: the next attempt may do
    """An attempt that is worth repeating."""

    def __init__(self, error: IngestionError, *, asked: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.asked = asked


class HttpClient:
    """Sends requests one at a time; not for several threads.

    Args:
        base_url: Relative URLs are meant from here. Credentials go to its origin alone.
        rules: Which addresses may be reached.
        cancellation: Ends whatever waits.
        authorization: What proves who asks.
        headers: Sent with each request, to the base URL's origin alone.
        limits: How long, how large, how often.
        certificate: PEM of the authority that signed the server's certificate; None for the public ones.
        field: Config field of the URL, for errors.
        credentials_field: Config field of the credentials, for errors.

    Raises:
        ConfigurationError: The URL is neither http nor https, or the certificate is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        rules: AddressRules,
        cancellation: Cancellation,
        authorization: Authorization | None = None,
        headers: Mapping[str, str] | None = None,
        limits: HttpLimits | None = None,
        certificate: str | None = None,
        field: str = "source.config.baseUrl",
        credentials_field: str = "source.config.authentication",
    ) -> None:
        self._base = _checked_url(base_url, field)
        self._authorization = authorization or FixedCredentials()
        self._own_headers = dict(headers or {})
        self._limits = limits or HttpLimits()
        self._cancellation = cancellation
        self._field = field
        self._credentials_field = credentials_field
        self._pauses = Pauses(cancellation, requests_per_second=self._limits.requests_per_second)
        self._network = GuardedNetwork(rules, cancellation, field=field)
        try:
            tls = trusting(certificate)
        except ValueError as error:
            raise ConfigurationError(f"the CA certificate {error}", field="source.config.caCertificate") from None
        self._client = httpx.Client(
            transport=GuardedTransport(self._network, tls),
            timeout=httpx.Timeout(self._limits.read_seconds, connect=self._limits.connect_seconds),
            headers=_HEADERS,
            trust_env=False,
        )

    @property
    def host(self) -> str:
        """Host of the base URL."""
        return self._base.host

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        form: Mapping[str, str] | None = None,
        accepted: frozenset[int] = frozenset(),
        wants_document: bool = True,
    ) -> Answer:
        """Ask, as often as it takes and the limits allow.

        Args:
            method: GET, or POST for what changes nothing.
            url: Relative to the base URL, or a whole one of the same origin.
            params: Query parameters, in place of those of the same names that the URL has.
            form: Body of a POST.
            accepted: Statuses from 400 on that are answers to the caller.
            wants_document: Whether the answer has to be JSON.

        Raises:
            SourceError: Typed by what went wrong; retryable where waiting longer may help.
            ConfigurationError: The host leads to an address that must not be reached.
        """
        target = self._target(url)
        waited = 0.0
        failures = 0
        renewed = False
        while True:
            try:
                response, body = self._attempt(method, target, params, form)
                answer = self._answer(response, body, accepted, wants_document=wants_document)
            except _Again as again:
                failures += 1
                pause = self._pauses.before_attempt(failures, again.asked)
                waited += pause
                if failures >= self._limits.attempts or waited > self._limits.wait_seconds:
                    raise again.error from None
                self._pauses.wait(pause)
            else:
                if answer is not None:
                    return answer
                if renewed or not self._authorization.renew():
                    raise errors.refused_status(
                        target.host, target.path, 401, "", credentials=self._credentials_field
                    ) from None
                renewed = True

    def get(
        self, url: str, *, params: Sequence[tuple[str, str]] = (), accepted: frozenset[int] = frozenset()
    ) -> Answer:
        """Ask by GET; see :meth:`request`."""
        return self.request("GET", url, params=params, accepted=accepted)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._authorization.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _target(self, url: str) -> httpx.URL:
        """Return the URL to ask.

        Raises:
            SourceError: It is of another origin.
        """
        try:
            target = self._base.join(url)
        except httpx.InvalidURL:
            raise ConfigurationError("this is no URL that can be asked", field="source.object.path") from None
        if _origin(target) != _origin(self._base):
            raise errors.other_origin(target.host)
        return target

    def _attempt(
        self,
        method: str,
        target: httpx.URL,
        params: Sequence[tuple[str, str]],
        form: Mapping[str, str] | None,
    ) -> tuple[httpx.Response, bytes]:
        """Ask once, and follow redirects."""
        self._pauses.before_request()
        headers = {**self._own_headers, **self._authorization.headers()}
        query = httpx.QueryParams([*params, *self._authorization.params().items()])
        url = target.copy_merge_params(query) if query else target
        request = self._client.build_request(method, url, headers=headers, data=form)
        for _ in range(_MAX_REDIRECTS + 1):
            response, body = self._exchange(request)
            if not response.has_redirect_location:
                return response, body
            request = self._redirected(request, response)
        raise errors.redirect_refused(target.host, f"more than {_MAX_REDIRECTS} times", field=self._field)

    def _redirected(self, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        """Return the request that a redirect asks for; what is secret stays with the origin that it was meant for."""
        if request.method != "GET":
            raise errors.redirect_refused(request.url.host, "a request that is no GET", field=self._field)
        try:
            target = request.url.join(response.headers["location"])
        except httpx.InvalidURL:
            raise errors.redirect_refused(request.url.host, "to something that is no URL", field=self._field) from None
        if target.scheme not in {"http", "https"} or (request.url.scheme, target.scheme) == ("https", "http"):
            raise errors.redirect_refused(request.url.host, f"to {target.scheme or 'nothing'}", field=self._field)
        same = _origin(target) == _origin(self._base)
        headers = {**self._own_headers, **self._authorization.headers()} if same else {}
        return self._client.build_request("GET", target, headers=headers)

    def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Send a request and read the whole of its answer."""
        host = request.url.host
        limits = self._limits
        deadline = time.monotonic() + limits.total_seconds
        body = bytearray()
        with self._faults_of(host), self._cancellation.interrupting(self._network.break_connections):
            response = self._client.send(request, stream=True)
            try:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > limits.body_bytes:
                        raise errors.too_large(host, limits.body_bytes)
                    if time.monotonic() > deadline:
                        raise _Again(errors.stalled(host, limits.total_seconds))
            finally:
                response.close()
        return response, bytes(body)

    @contextmanager
    def _faults_of(self, host: str) -> Iterator[None]:
        try:
            yield
        except httpcore.ConnectTimeout:
            reason = f"no answer within {self._limits.connect_seconds:g} s"
            raise _Again(errors.unreachable(host, reason, field=self._field)) from None
        except httpcore.ConnectError as error:
            if isinstance(error.__context__, ssl.SSLError) or "certificate" in str(error).lower():
                raise errors.tls_failed(host, str(error), field=self._field) from None
            raise _Again(errors.unreachable(host, str(error), field=self._field)) from None
        except httpcore.TimeoutException:
            raise _Again(errors.stalled(host, self._limits.read_seconds)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.DecodingError) as error:
            # h11 counts: an answer that is shorter than it says, or a chunk that is missing, is no answer.
            raise _Again(_broken(host, error)) from None
        except SourceUnreachableError as error:
            # The name could not be resolved: resolvers have their bad moments too.
            raise _Again(error) from None

    def _answer(
        self, response: httpx.Response, body: bytes, accepted: frozenset[int], *, wants_document: bool
    ) -> Answer | None:
        """Return what was answered; None for a 401."""
        host, status = response.url.host, response.status_code
        if status == 401 and status not in accepted:
            return None
        asked = _retry_after(response)
        limited = status == 429 or (status in {403, 503} and asked is not None)
        if limited and status not in accepted:
            raise _Again(errors.rate_limited(host, status, asked), asked=asked)
        if status >= 400 and status not in accepted:
            error = errors.refused_status(
                host, response.url.path, status, _reason(body), credentials=self._credentials_field
            )
            if status in _WORTH_REPEATING:
                raise _Again(error, asked=asked)
            raise error
        document = None
        if wants_document and status < 400 and status != httpx.codes.NO_CONTENT:
            document = _document(host, response.headers.get("content-type", ""), body)
        return Answer(status=status, headers=response.headers, url=str(response.url), document=document)


def _checked_url(text: str, field: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
        raise ConfigurationError("must be a full http:// or https:// URL without user and password", field=field)
    return url if url.path.endswith("/") else url.copy_with(path=f"{url.path}/")


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _broken(host: str, error: Exception) -> SourceUnreachableError:
    if isinstance(error, httpcore.NetworkError):
        return errors.connection_lost(host, str(error) or type(error).__name__)
    return errors.truncated(host, str(error) or type(error).__name__)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that the server asks to wait (RFC 9110, section 10.2.3), as a number or as a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((until.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _document(host: str, content_type: str, body: bytes) -> Any:
    try:
        return parse_json(body.decode())
    except ValueError:
        if "html" in content_type or body.lstrip()[:1] == b"<":
            raise errors.not_json(host, content_type.partition(";")[0]) from None
    # It says that it is JSON, so a part of it is missing: a length that is too short, or none at all.
    raise _Again(errors.truncated(host, f"{len(body)} bytes that are no whole JSON"))


def _reason(body: bytes) -> str:
    """Return what an answer that says no gives as its reason, where it is in one of the usual places."""
    try:
        document = parse_json(body.decode())
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    nested = document.get("error")
    for holder in (document, nested if isinstance(nested, dict) else {}):
        for name in ("message", "error_description", "detail", "title"):
            if isinstance(holder.get(name), str):
                return str(holder[name])
    messages = document.get("errorMessages")
    return " ".join(map(str, messages)) if isinstance(messages, list) else ""
