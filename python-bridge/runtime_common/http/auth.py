"""What proves who asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from runtime_common.exceptions import SourceError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_common.http.client import HttpClient

# A token is renewed this long before it ends, so that none ends on its way; short-lived ones at their half.
_EARLY_SECONDS = 60.0
_DEFAULT_LIFE_SECONDS = 300.0


class Authorization(Protocol):
    """Adds to a request what proves who asks."""

    def headers(self) -> Mapping[str, str]:
        """Return headers for the next request."""
        ...

    def params(self) -> Mapping[str, str]:
        """Return query parameters for the next request."""
        ...

    def renew(self) -> bool:
        """Return, after a 401, whether other credentials can be had for another try."""
        ...

    def close(self) -> None:
        """Give up what it holds open; called with the client that uses it."""
        ...


class FixedCredentials:
    """Credentials that stay as they are: none, a password, a token, a key."""

    def __init__(self, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._params = dict(params or {})

    def headers(self) -> Mapping[str, str]:
        """Return the same headers each time."""
        return self._headers

    def params(self) -> Mapping[str, str]:
        """Return the same parameters each time."""
        return self._params

    def renew(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Nothing is held open."""


class ClientCredentials:
    """Tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4), renewed before they end and after a 401.

    Args:
        client: Reaches the token URL, without credentials of its own; closed with this.
        token_url: Where tokens are given out.
        client_id: Sent in the form, as most servers take it.
        client_secret: Likewise.
        scope: Asked for; None leaves it to the server.
    """

    def __init__(
        self, client: HttpClient, token_url: str, *, client_id: str, client_secret: str, scope: str | None
    ) -> None:
        self._client = client
        self._token_url = token_url
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        if scope is not None:
            self._form["scope"] = scope
        self._token: str | None = None
        self._renew_at = 0.0

    def headers(self) -> Mapping[str, str]:
        """Return the token, a new one where the last has nearly ended.

        Raises:
            SourceError: No token is given out.
        """
        if self._token is None or time.monotonic() >= self._renew_at:
            self._fetch()
        return {"Authorization": f"Bearer {self._token}"}

    def params(self) -> Mapping[str, str]:
        """Return none: a token in a URL would be in logs."""
        return {}

    def renew(self) -> bool:
        """Forget the token: a server may take it back before its time."""
        self._token = None
        return True

    def close(self) -> None:
        """Close the client of the token URL."""
        self._client.close()

    def _fetch(self) -> None:
        asked = time.monotonic()
        document = self._client.request("POST", self._token_url, form=self._form).document
        token = document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token:
            raise SourceError(
                "the token URL answers without an access token; correct it",
                code="SOURCE_AUTHENTICATION_FAILED",
                field="source.config.tokenUrl",
            )
        register_secret(token)
        try:
            life = float(document.get("expires_in", _DEFAULT_LIFE_SECONDS))
        except (TypeError, ValueError):
            life = _DEFAULT_LIFE_SECONDS
        self._token = token
        self._renew_at = asked + max(life - _EARLY_SECONDS, life / 2)
