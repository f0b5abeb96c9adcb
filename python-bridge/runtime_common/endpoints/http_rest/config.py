"""Config of the source ``http_rest``: where the API is, and what proves who asks."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from runtime_common.endpoints.descriptor import group
from runtime_common.endpoints.http_connection import HttpConnection, Text
from runtime_common.http import Authorization, ClientCredentials, FixedCredentials, HttpClient
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.http import AddressRules

Authentication = Literal["none", "basic", "bearer", "apiKeyHeader", "apiKeyQuery", "oauth2ClientCredentials"]
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_NEEDED: dict[Authentication, tuple[str, ...]] = {
    "none": (),
    "basic": ("user", "password"),
    "bearer": ("token",),
    "apiKeyHeader": ("api_key_name", "token"),
    "apiKeyQuery": ("api_key_name", "token"),
    "oauth2ClientCredentials": ("token_url", "client_id", "client_secret"),
}


class HttpRestConfig(HttpConnection):
    """How to reach the API."""

    base_url: Annotated[
        Text,
        Field(
            title="Base URL",
            description="Where the API begins; credentials are sent to its scheme, host and port alone",
            examples=["https://api.example.com/v2"],
            json_schema_extra=group("Connection"),
        ),
    ]
    authentication: Annotated[
        Authentication,
        Field(
            title="Authentication",
            description="What proves who asks: nothing, user and password, a token, a key in a header or in the query, "
            "or tokens by OAuth 2 client credentials",
            examples=["bearer"],
            json_schema_extra=group("Security"),
        ),
    ] = "none"
    user: Annotated[
        Text | None,
        Field(title="User", description="For basic", examples=["nucleus"], json_schema_extra=group("Security")),
    ] = None
    password: Annotated[
        SecretStr | None,
        Field(
            title="Password", description="For basic", examples=["(stored sealed)"], json_schema_extra=group("Security")
        ),
    ] = None
    token: Annotated[
        SecretStr | None,
        Field(
            title="Token or key",
            description="For bearer and the API keys",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    api_key_name: Annotated[
        Text | None,
        Field(
            title="Name of the key",
            description="Header or query parameter that takes the API key",
            examples=["X-Api-Key"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    token_url: Annotated[
        Text | None,
        Field(
            title="Token URL",
            description="Gives out tokens, for OAuth 2",
            examples=["https://login.example.com/oauth2/token"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    client_id: Annotated[
        Text | None,
        Field(title="Client id", description="For OAuth 2", examples=["nucleus"], json_schema_extra=group("Security")),
    ] = None
    client_secret: Annotated[
        SecretStr | None,
        Field(
            title="Client secret",
            description="For OAuth 2",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    scope: Annotated[
        Text | None,
        Field(
            title="Scope",
            description="Asked for with the token, for OAuth 2",
            examples=["orders.read"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    headers: Annotated[
        dict[str, str],
        Field(
            title="Headers",
            description="Sent with each request; no place for secrets, since they are stored in clear",
            examples=[{"Accept-Language": "en"}],
            max_length=50,
            json_schema_extra=group("Connection"),
        ),
    ] = Field(default_factory=dict)
    open_api_path: Annotated[
        Text | None,
        Field(
            title="OpenAPI path",
            description="Path of the API's OpenAPI document in JSON, from which metadata collection learns what there "
            "is to read",
            examples=["openapi.json"],
            json_schema_extra=group("Connection"),
        ),
    ] = None

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not value.isprintable() or not value.isascii():
                raise ValueError("each header needs a name of letters, digits and dashes, and a value in plain ASCII")
            if name.lower() in {"authorization", "host", "content-length", "transfer-encoding", "cookie"}:
                raise ValueError(f"the header {name} can't be set here; use the authentication instead")
        return headers

    @model_validator(mode="after")
    def _has_credentials(self) -> HttpRestConfig:
        for name in _NEEDED[self.authentication]:
            if getattr(self, name) is None:
                label = type(self).model_fields[name].alias or name
                raise ValueError(f"{self.authentication} needs {label}")
        if self.authentication == "apiKeyHeader" and not _TOKEN.fullmatch(self.api_key_name or ""):
            raise ValueError("apiKeyName must be the name of a header")
        return self

    def client(self, *, rules: AddressRules, cancellation: Cancellation, attempts: int | None = None) -> HttpClient:
        """Return a client of the API.

        Args:
            rules: Which addresses may be reached.
            cancellation: Ends whatever waits.
            attempts: Of each request; None for as many as a run makes.

        Raises:
            ConfigurationError: A URL or the certificate is none.
        """
        limits = {} if attempts is None else {"attempts": attempts}
        return self.connect(
            self.base_url,
            rules=rules,
            cancellation=cancellation,
            limits=limits,
            headers=self.headers,
            authorization=self._authorization(rules, cancellation),
            credentials_field=f"source.config.{self._credentials_field}",
        )

    @property
    def _credentials_field(self) -> str:
        needed = _NEEDED[self.authentication]
        return (type(self).model_fields[needed[-1]].alias or needed[-1]) if needed else "authentication"

    def _authorization(self, rules: AddressRules, cancellation: Cancellation) -> Authorization:
        secret = self.password or self.token or self.client_secret
        value = "" if secret is None else secret.get_secret_value()
        register_secret(value)
        match self.authentication:
            case "basic":
                pair = base64.b64encode(f"{self.user}:{value}".encode()).decode()
                register_secret(pair)
                return FixedCredentials(headers={"Authorization": f"Basic {pair}"})
            case "bearer":
                return FixedCredentials(headers={"Authorization": f"Bearer {value}"})
            case "apiKeyHeader":
                return FixedCredentials(headers={self.api_key_name or "": value})
            case "apiKeyQuery":
                return FixedCredentials(params={self.api_key_name or "": value})
            case "oauth2ClientCredentials":
                token_url = self.token_url or ""
                return ClientCredentials(
                    self.connect(
                        token_url,
                        rules=rules,
                        cancellation=cancellation,
                        field="source.config.tokenUrl",
                        credentials_field="source.config.clientSecret",
                    ),
                    token_url,
                    client_id=self.client_id or "",
                    client_secret=value,
                    scope=self.scope,
                )
        return FixedCredentials()
