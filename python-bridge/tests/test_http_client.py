"""The HTTP client against a local server that misbehaves on purpose."""

from __future__ import annotations

import gzip
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import ConfigurationError, RunCancelledError
from runtime_common.http import AddressRules, FixedCredentials, HttpClient
from runtime_common.http.pauses import Pauses
from tests.support.certificates import server_identity
from tests.support.http_server import LOOPBACK, Reply, refusal, running_http

AT_ONCE = {"Retry-After": "0"}
WHOLE = Reply(body={"rows": [1, 2]})


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.0.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("168.63.129.16", False), ("100.100.100.200", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("::1", False), ("::", False), ("fd00:ec2::254", False), ("fe80::1", False),
        ("fe80::1%2", False), ("ff02::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_only_public_addresses_may_be_reached(address, public):
    assert AddressRules().permit(ip_address(address)) is public


def test_what_the_operator_lists_may_be_reached_too():
    rules = AddressRules.parse("10.0.0.0/8, fd00::/8")
    reached = ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "127.0.0.1", "192.168.0.1", "fe80::1"]
    assert [rules.permit(ip_address(one)) for one in reached] == [True, True, True, False, False, False]
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is no network"):
        AddressRules.parse("10.0.0.1/8")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_never_connected_to(server, connect, host):
    server.url = f"http://{host}:{server.port}"
    error = refusal(connect(server, rules=AddressRules()))
    assert (error.code, error.field, error.retryable) == ("SOURCE_ADDRESS_REFUSED", "source.config.baseUrl", False)
    assert not server.asked


def test_a_name_with_one_address_that_is_not_public_is_refused(server, connect, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    server.url = "http://rebinding.example"
    assert refusal(connect(server, rules=AddressRules())).code == "SOURCE_ADDRESS_REFUSED"


def test_the_connection_goes_to_the_address_that_was_checked(server, connect, monkeypatch):
    """The name is resolved once: what it would resolve to later does not matter."""
    answers = ["127.0.0.1", "127.0.0.2"]
    resolved: list[str] = []

    def resolve(host, port, *_, **__):
        if host != "rebinding.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        resolved.append(answers[len(resolved)])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (resolved[-1], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    server.url = f"http://rebinding.example:{server.port}"
    server.plays(WHOLE)
    assert connect(server, rules=AddressRules.parse("127.0.0.1/32")).get("rows").document == {"rows": [1, 2]}
    assert (resolved, server.asked[0].headers["host"]) == (["127.0.0.1"], f"rebinding.example:{server.port}")


@pytest.mark.parametrize("url", ["ftp://example.com", "file:///etc/passwd", "example.com", "http://u:p@example.com"])
def test_only_plain_web_urls_are_taken(url):
    with pytest.raises(ConfigurationError) as caught:
        HttpClient(url, rules=LOOPBACK, cancellation=Cancellation())
    assert caught.value.field == "source.config.baseUrl"


def test_tls_is_checked_against_the_name_and_the_given_authority(tmp_path, connect):
    identity, authority = server_identity("localhost")
    (tmp_path / "server.pem").write_text(identity)
    with running_http(tmp_path / "server.pem") as server:
        server.plays(WHOLE)
        assert connect(server, certificate=authority).get("rows").status == 200
        assert refusal(connect(server)).code == "SOURCE_TLS_FAILED"
        server.url = server.url.replace("localhost", "127.0.0.1")
        assert refusal(connect(server, certificate=authority)).code == "SOURCE_TLS_FAILED"


def test_a_certificate_that_is_none_is_named(server, connect):
    with pytest.raises(ConfigurationError) as caught:
        connect(server, certificate="-----BEGIN CERTIFICATE-----")
    assert caught.value.field == "source.config.caCertificate"


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500, headers=AT_ONCE),
        Reply(status=503, headers=AT_ONCE),
        Reply(status=429, headers=AT_ONCE),
        Reply(status=403, headers=AT_ONCE),
        Reply(body='{"rows": [1', headers=AT_ONCE, claims=100),
        Reply(body='{"rows": [1, 2]}', claims=8),
        Reply(body=""),
        Reply(body=gzip.compress(b'{"rows": [1, 2]}')[:-14], headers={"Content-Encoding": "gzip"}),
        Reply(body='{"rows"', reset=True, claims=100),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.content)}-{reply.claims}-{reply.reset}",
)
def test_what_may_pass_is_asked_again(server, connect, fault):
    server.plays(fault, WHOLE)
    assert connect(server).get("rows").document == {"rows": [1, 2]}
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Reply(status=429, headers=AT_ONCE), "SOURCE_RATE_LIMITED"),
        (Reply(status=503, headers=AT_ONCE), "SOURCE_RATE_LIMITED"),
        (Reply(status=500, headers=AT_ONCE, body={"message": "broken"}), "SOURCE_FAILED"),
        (Reply(body='{"rows": [1', claims=100), "SOURCE_RESPONSE_TRUNCATED"),
        (Reply(body='{"rows": [1'), "SOURCE_RESPONSE_TRUNCATED"),
        (Reply(body="", claims=100, reset=True), "SOURCE_CONNECTION_LOST"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_pass_is_a_transient_failure(server, connect, fault, code):
    server.plays(fault)
    error = refusal(connect(server, limits={"attempts": 2}))
    assert (error.code, error.retryable, len(server.asked)) == (code, True, 2)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "SOURCE_REQUEST_REFUSED"), (401, "SOURCE_AUTHENTICATION_FAILED"), (403, "SOURCE_ACCESS_DENIED"),
        (404, "SOURCE_OBJECT_MISSING"), (410, "SOURCE_OBJECT_GONE"),
    ],
)  # fmt: skip
def test_a_no_is_asked_once_and_says_what_to_do(server, connect, status, code):
    server.plays(Reply(status=status, body={"errorMessages": ["because"]}))
    error = refusal(connect(server))
    assert (error.code, error.retryable, len(server.asked)) == (code, False, 1)
    assert error.field in {"source.object", "source.config.authentication"}
    assert f"answered {status} for /rows" in error.message


def test_a_page_for_people_is_no_answer(server, connect):
    server.plays(Reply(body="<!doctype html><title>Sign in</title>", content_type="text/html; charset=utf-8"))
    error = refusal(connect(server))
    assert (error.code, len(server.asked)) == ("SOURCE_NOT_JSON", 1)
    assert "text/html" in error.message


def test_a_status_that_the_caller_takes_is_an_answer(server, connect):
    server.plays(Reply(status=410, body={"error": {"code": "resyncRequired"}}))
    assert connect(server).get("delta", accepted=frozenset({410})).status == 410


def test_numbers_stay_as_they_were_written(server, connect):
    server.plays(Reply(body='{"big": 9007199254740993, "price": 0.1000}'))
    document = connect(server).get("rows").document
    assert (document["big"], str(document["price"])) == (9007199254740993, "0.1000")


def test_a_body_over_the_bound_is_not_read_on(server, connect):
    server.plays(Reply(body=gzip.compress(b" " * 100_000), headers={"Content-Encoding": "gzip"}))
    assert refusal(connect(server, limits={"body_bytes": 10_000})).code == "SOURCE_RESPONSE_TOO_LARGE"


def test_an_answer_that_stalls_is_given_up(server, connect):
    server.plays(Reply(body='{"rows": []}', waits_for=(event := threading.Event()), waits_at=4))
    error = refusal(connect(server, limits={"read_seconds": 0.1, "attempts": 2}))
    event.set()
    assert (error.code, error.retryable, len(server.asked)) == ("SOURCE_STALLED", True, 2)


def test_an_answer_that_never_ends_is_given_up(server, connect):
    server.plays(Reply(body='{"rows": []}'))
    assert refusal(connect(server, limits={"total_seconds": 0, "attempts": 1})).code == "SOURCE_STALLED"


def test_no_server_is_told_so(connect):
    with running_http() as server:
        pass
    error = refusal(connect(server, limits={"attempts": 1}))
    assert (error.code, error.field) == ("SOURCE_UNREACHABLE", "source.config.baseUrl")
    server.url = "http://no-such-host.invalid"
    assert refusal(connect(server, limits={"attempts": 1})).code == "SOURCE_NAME_UNKNOWN"


def test_a_server_that_asks_for_more_time_than_there_is_gets_no_second_request(server, connect):
    server.plays(Reply(status=429, headers={"Retry-After": "7200"}))
    error = refusal(connect(server))
    assert (error.code, error.retryable, len(server.asked)) == ("SOURCE_RATE_LIMITED", True, 1)
    assert "asks to wait 7200 s" in error.message


def test_the_time_to_wait_may_be_a_date(server, connect):
    soon = datetime.now(UTC) + timedelta(hours=3)
    server.plays(Reply(status=429, headers={"Retry-After": format_datetime(soon, usegmt=True)}))
    assert "asks to wait 10" in refusal(connect(server)).message
    past = datetime.now(UTC) - timedelta(hours=3)
    server.plays(Reply(status=429, headers={"Retry-After": format_datetime(past, usegmt=True)}), WHOLE)
    assert connect(server).get("rows").status == 200


def test_pauses_grow_with_jitter_and_a_server_gets_the_time_that_it_asks_for():
    pauses = Pauses(Cancellation(), requests_per_second=None)
    for failures, most in ((1, 1), (3, 4), (20, 30)):
        seen = [pauses.before_attempt(failures, None) for _ in range(200)]
        assert most / 2 < max(seen) <= most
        assert 0 <= min(seen) < most / 2
    assert all(5 <= pauses.before_attempt(1, 5) <= 6 for _ in range(50))


def test_requests_keep_the_distance_that_the_rate_demands(monkeypatch):
    waited: list[float] = []
    pauses = Pauses(Cancellation(), requests_per_second=4)
    monkeypatch.setattr("runtime_common.http.pauses.time.monotonic", lambda: 100.0)
    monkeypatch.setattr(pauses, "wait", waited.append)
    for _ in range(3):
        pauses.before_request()
    assert [max(one, 0) for one in waited] == [0, 0.25, 0.5]


@pytest.mark.parametrize("where", ["in the answer", "between attempts", "while connecting"])
def test_a_cancelled_request_ends_at_once(server, connect, monkeypatch, where):
    held = threading.Event()
    if where == "in the answer":
        server.plays(Reply(body='{"rows": []}', waits_for=held, waits_at=4))
    elif where == "between attempts":
        server.plays(Reply(status=429, headers={"Retry-After": "500"}))
    else:

        def resolve(*_, **__):
            server.arrived.set()
            held.wait(30)
            raise OSError("too late")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
    cancellation = Cancellation()
    client = connect(server, cancellation=cancellation, limits={"read_seconds": 30, "connect_seconds": 30})
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.get, "rows")
        assert server.arrived.wait(10)
        cancellation.cancel()
        with pytest.raises(RunCancelledError):
            running.result(timeout=5)
    held.set()


def test_credentials_stay_with_the_server_that_they_are_meant_for(server, connect):
    with running_http() as other:
        other.plays(WHOLE)
        server.plays(Reply(status=302, headers={"Location": f"{other.url}/elsewhere"}))
        client = connect(
            server, headers={"X-Tenant": "t"},
            authorization=FixedCredentials(headers={"Authorization": "Bearer t0ken"}, params={"key": "k3y"}),
        )  # fmt: skip
        assert client.get("rows").document == {"rows": [1, 2]}
    assert server.asked[0].headers["authorization"] == "Bearer t0ken"
    assert (server.asked[0].headers["x-tenant"], server.asked[0].query) == ("t", {"key": "k3y"})
    assert not {"authorization", "x-tenant"} & set(other.asked[0].headers)
    assert other.asked[0].query == {}


def test_a_redirect_on_the_same_server_keeps_them(server, connect):
    server.plays(Reply(status=307, headers={"Location": "/moved?page=2"}), WHOLE)
    connect(server, authorization=FixedCredentials(headers={"Authorization": "Bearer t0ken"})).get("rows")
    assert (server.asked[1].path, server.asked[1].query) == ("/moved", {"page": "2"})
    assert server.asked[1].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/"])
def test_a_redirect_does_not_lead_to_private_addresses(server, connect, target):
    server.plays(Reply(status=302, headers={"Location": target}))
    assert refusal(connect(server)).code == "SOURCE_ADDRESS_REFUSED"


@pytest.mark.parametrize("target", ["ftp://example.com/", "file:///etc/passwd", "/rows"])
def test_a_redirect_to_something_else_or_in_a_circle_is_refused(server, connect, target):
    server.plays(Reply(status=302, headers={"Location": target}))
    assert refusal(connect(server)).code == "SOURCE_REDIRECT_REFUSED"


def test_a_link_to_another_server_is_refused(server, connect):
    assert refusal(connect(server), "http://127.0.0.1:1/rows").code == "SOURCE_LINK_REFUSED"
