"""What the sources Jira and Confluence share: one site, one login, one directory of people."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr

from runtime_common.endpoints.descriptor import group
from runtime_common.endpoints.http_connection import HttpConnection, Text
from runtime_common.endpoints.semantic import urn
from runtime_common.endpoints.semantic.records import text
from runtime_common.http import FixedCredentials, HttpClient
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.semantic import MetadataBuilder
    from runtime_common.http import AddressRules

# Account ids are the same on every site.
_PEOPLE = "atlassian"


class AtlassianConfig(HttpConnection):
    """How to reach a site of Atlassian's cloud."""

    base_url: Annotated[
        Text,
        Field(
            title="Site",
            description="URL of the site",
            examples=["https://example.atlassian.net"],
            json_schema_extra=group("Connection"),
        ),
    ]
    user: Annotated[
        Text,
        Field(
            title="User",
            description="E-mail address of the account that reads; it sees what the account may see",
            examples=["nucleus@example.com"],
            json_schema_extra=group("Security"),
        ),
    ]
    token: Annotated[
        SecretStr,
        Field(
            title="API token",
            description="Of that account",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ]

    def client(self, *, rules: AddressRules, cancellation: Cancellation, attempts: int | None = None) -> HttpClient:
        """Return a client of the site.

        Raises:
            ConfigurationError: The URL or the certificate is none.
        """
        token = self.token.get_secret_value()
        pair = base64.b64encode(f"{self.user}:{token}".encode()).decode()
        register_secret(token)
        register_secret(pair)
        return self.connect(
            self.base_url,
            rules=rules,
            cancellation=cancellation,
            limits={} if attempts is None else {"attempts": attempts},
            authorization=FixedCredentials(headers={"Authorization": f"Basic {pair}"}),
            credentials_field="source.config.token",
        )


def note_person(metadata: MetadataBuilder, person: Any) -> str | None:
    """Note somebody by the id of the account, never by an address, and return the urn; None for nobody."""
    account = text(person, "accountId")
    if account is None:
        return None
    active = person.get("active")
    return metadata.entity(
        "Person",
        urn("Person", _PEOPLE, account),
        name=text(person, "displayName"),
        active=active if isinstance(active, bool) else None,
    )
