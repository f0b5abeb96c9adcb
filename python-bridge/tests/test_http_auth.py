"""Tokens that end: OAuth 2 client credentials against a local server."""

from __future__ import annotations

import pytest

from runtime_common.exceptions import SourceError
from runtime_common.http import ClientCredentials
from tests.support.http_server import Reply, refusal


class Tokens:
    """A server that gives out tokens and takes the last one only."""

    def __init__(self, server, *, expires_in=3600):
        self.given = 0
        self.expires_in = expires_in
        server.answer = self.answer

    def answer(self, asked):
        if asked.path == "/token":
            if asked.form["client_secret"] != "s3cret":
                return Reply(status=401, body={"error_description": "unknown client"})
            self.given += 1
            return Reply(body={"access_token": f"token-{self.given}", "expires_in": self.expires_in})
        if asked.headers.get("authorization") == f"Bearer token-{self.given}":
            return Reply(body={"rows": [1, 2]})
        return Reply(status=401)


def authorized(server, connect, secret="s3cret"):
    tokens = connect(server, field="source.config.tokenUrl", credentials_field="source.config.clientSecret")
    return connect(
        server,
        authorization=ClientCredentials(
            tokens, f"{server.url}/token", client_id="nucleus", client_secret=secret, scope="read"
        ),
    )


def test_a_token_is_fetched_once_and_used_until_it_ends(server, connect):
    tokens = Tokens(server)
    client = authorized(server, connect)
    for _ in range(3):
        client.get("rows")
    assert tokens.given == 1
    assert server.asked[0].form == {
        "grant_type": "client_credentials", "client_id": "nucleus", "client_secret": "s3cret", "scope": "read",
    }  # fmt: skip


def test_a_token_is_renewed_before_it_ends(server, connect, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("runtime_common.http.auth.time.monotonic", lambda: now[0])
    tokens = Tokens(server, expires_in=600)
    client = authorized(server, connect)
    client.get("rows")
    now[0] += 541
    client.get("rows")
    assert (tokens.given, [one.path for one in server.asked]) == (2, ["/token", "/rows", "/token", "/rows"])


def test_a_token_that_was_taken_back_is_renewed_once(server, connect):
    tokens = Tokens(server)
    client = authorized(server, connect)
    client.get("rows")
    tokens.given += 1
    assert client.get("rows").status == 200
    server.answer = lambda asked: tokens.answer(asked) if asked.path == "/token" else Reply(status=401)
    assert refusal(client).code == "SOURCE_AUTHENTICATION_FAILED"
    assert tokens.given == 4


def test_a_secret_that_is_refused_names_its_field(server, connect):
    Tokens(server)
    error = refusal(authorized(server, connect, secret="wrong-s3cret"))
    assert (error.code, error.field) == ("SOURCE_AUTHENTICATION_FAILED", "source.config.clientSecret")
    server.plays(Reply(body={"token": "misnamed"}))
    with pytest.raises(SourceError, match="without an access token"):
        authorized(server, connect).get("rows")
