"""Brokers that refuse, vanish, stand still or come back: typed errors that name the field, and nothing lost."""

from __future__ import annotations

import secrets
import threading

import pyarrow as pa
import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.kafka import messages
from runtime_common.exceptions import ConfigurationError, IngestionError, RunCancelledError, SourceUnreachableError
from runtime_common.protocols import ReadRequest
from runtime_common.spark import SparkEngine
from tests.support.certificates import server_identity
from tests.support.kafka_access import add_login, allow
from tests.support.kafka_broker import READER, READER_PASSWORD
from tests.support.topics import Topic


@pytest.fixture
def topic(kafka_broker):
    made = Topic.create(kafka_broker)
    made.write("a", "b")
    return made


@pytest.fixture
def long_topic(kafka_broker, monkeypatch):
    """A topic of which little is fetched before it is asked for."""
    monkeypatch.setattr(messages, "_QUEUE_KILOBYTES", 1)
    monkeypatch.setattr(messages, "_FETCH_BYTES", 1024)
    monkeypatch.setattr("runtime_common.endpoints.kafka.read._BATCH_MESSAGES", 1)
    made = Topic.create(kafka_broker)
    for number in range(100):
        made.write(f"{number:0>900}")
    return made


def source(topic, /, **config):
    ref = EndpointRef(endpoint_id="s", template_id="kafka", config=topic.config(**config))
    return EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)


def read_all(topic, /, cancellation=None, **config):
    request = ReadRequest(object={"topic": topic.name, "valueFormat": "text"}, cursor_field="offsets")
    with source(topic, **config).open(request, cancellation or Cancellation()) as read:
        return pa.Table.from_batches(list(read.batches(lower=None, upper=read.upper_bound)))["value"].to_pylist()


def login(broker, user=READER, password=READER_PASSWORD, mechanism="PLAIN"):
    return {
        "bootstrapServers": [broker.login_address], "securityProtocol": "SASL_PLAINTEXT", "saslMechanism": mechanism,
        "user": user, "password": password,
    }  # fmt: skip


def tls(broker, authority):
    return {"bootstrapServers": [broker.tls_address], "securityProtocol": "SSL", "caCertificate": authority}


def test_a_login_by_password_that_may_read_the_topic_and_nothing_else(topic, kafka_broker):
    allow(kafka_broker, READER, topic.name)
    assert read_all(topic, **login(kafka_broker)) == ["a", "b"]


def test_a_login_by_scram(topic, kafka_broker):
    user, password = f"user-{secrets.token_hex(4)}", "pass-word-1"
    add_login(kafka_broker, user, password)
    allow(kafka_broker, user, topic.name)
    assert read_all(topic, **login(kafka_broker, user, password, "SCRAM-SHA-512")) == ["a", "b"]


def test_a_broker_with_a_certificate_of_a_known_authority(topic, kafka_broker):
    assert read_all(topic, **tls(kafka_broker, kafka_broker.authority)) == ["a", "b"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_refused_login_names_the_password_and_does_not_show_it(topic, kafka_broker, mechanism):
    wrong = "wr0ng-p4ss-canary"
    with pytest.raises(IngestionError) as caught:
        read_all(topic, **login(kafka_broker, password=wrong, mechanism=mechanism))
    error = caught.value
    assert (error.code, error.field, error.retryable) == (
        "SOURCE_AUTHENTICATION_FAILED", "source.config.password", False
    )  # fmt: skip
    assert wrong not in str(error)


def test_a_mechanism_that_the_broker_lacks_is_told(topic, kafka_broker):
    with pytest.raises(IngestionError, match="SCRAM-SHA-512") as caught:
        read_all(topic, **login(kafka_broker, mechanism="SCRAM-SHA-256"))
    assert caught.value.code == "SOURCE_AUTHENTICATION_FAILED"


@pytest.mark.parametrize("right", ["DESCRIBE", None])
def test_a_user_without_the_right_to_read_is_told_so(topic, kafka_broker, right):
    user, password = f"user-{secrets.token_hex(4)}", "pass-word-1"
    add_login(kafka_broker, user, password)
    if right:
        allow(kafka_broker, user, topic.name, right)
    with pytest.raises(IngestionError) as caught:
        read_all(topic, **login(kafka_broker, user, password, "SCRAM-SHA-512"))
    assert (caught.value.code, caught.value.field) == ("SOURCE_ACCESS_DENIED", "source.object.topic")


def test_a_certificate_of_an_unknown_authority_is_refused(topic, kafka_broker):
    _, stranger = server_identity("localhost")
    with pytest.raises(IngestionError) as caught:
        read_all(topic, **tls(kafka_broker, stranger))
    assert (caught.value.code, caught.value.field) == ("SOURCE_TLS_FAILED", "source.config.caCertificate")


@pytest.mark.parametrize(
    "authority", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_ca_certificate_that_is_none_is_refused(topic, kafka_broker, authority):
    with pytest.raises(IngestionError) as caught:
        read_all(topic, **tls(kafka_broker, authority))
    assert caught.value.field == "source.config.caCertificate"


@pytest.mark.parametrize("server", ["127.0.0.1:1", "no-such-host.invalid:9092"])
def test_an_address_where_nobody_answers_is_worth_another_attempt(topic, server):
    with pytest.raises(SourceUnreachableError) as caught:
        read_all(topic, bootstrapServers=[server], connectTimeoutSeconds=1)
    assert (caught.value.field, caught.value.retryable) == ("source.config.bootstrapServers", True)


def test_one_server_of_the_list_is_enough(topic, kafka_broker):
    assert read_all(topic, bootstrapServers=["127.0.0.1:1", kafka_broker.address]) == ["a", "b"]


def test_an_unknown_topic_is_named(topic, kafka_broker):
    with pytest.raises(IngestionError, match="no-such-topic") as caught:
        read_all(Topic(kafka_broker, "no-such-topic"))
    assert (caught.value.code, caught.value.field) == ("SOURCE_TOPIC_MISSING", "source.object.topic")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"bootstrapServers": []}, "source.config.bootstrapServers"),
        ({"bootstrapServers": ["host"]}, "source.config.bootstrapServers"),
        ({"bootstrapServers": ["host:99999"]}, "source.config.bootstrapServers"),
        ({"securityProtocol": "SASL_SSL", "user": "u"}, "source.config"),
        ({"servers": ["host:1"]}, "source.config.servers"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(topic, config, field):
    with pytest.raises(ConfigurationError) as caught:
        source(topic, **config)
    assert caught.value.field == field


def test_a_broker_that_restarts_in_mid_read_costs_nothing(long_topic, kafka_broker):
    request = ReadRequest(object={"topic": long_topic.name, "valueFormat": "text"}, cursor_field="offsets")
    with source(long_topic).open(request, Cancellation()) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        found = [next(batches)]
        kafka_broker.stop()
        starting = threading.Thread(target=kafka_broker.start)
        starting.start()
        found += batches
        starting.join()
    assert pa.Table.from_batches(found)["offset"].to_pylist() == list(range(100))


def test_a_broker_that_stands_still_in_mid_read_is_worth_another_attempt(long_topic, kafka_broker):
    request = ReadRequest(object={"topic": long_topic.name, "valueFormat": "text"}, cursor_field="offsets")
    with source(long_topic, stallTimeoutSeconds=1).open(request, Cancellation()) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        next(batches)
        with kafka_broker.frozen(), pytest.raises(SourceUnreachableError) as caught:
            list(batches)
    assert (caught.value.code, caught.value.retryable) == ("SOURCE_CONNECTION_LOST", True)


class CancelledWhileWaiting(Cancellation):
    """Is cancelled once the run has asked twenty times more whether to stop: it waits by then."""

    left: int | None = None

    def arm(self):
        self.left = 20

    def check(self):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.cancel()
        super().check()


def test_a_read_that_waits_for_a_broker_can_be_cancelled(long_topic, kafka_broker):
    request = ReadRequest(object={"topic": long_topic.name, "valueFormat": "text"}, cursor_field="offsets")
    cancellation = CancelledWhileWaiting()
    with source(long_topic, stallTimeoutSeconds=3600).open(request, cancellation) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        next(batches)
        cancellation.arm()
        with kafka_broker.frozen(), pytest.raises(RunCancelledError):
            list(batches)


def test_an_opening_that_waits_for_a_broker_can_be_cancelled(topic, kafka_broker):
    cancellation = CancelledWhileWaiting()
    cancellation.arm()
    with kafka_broker.frozen(), pytest.raises(RunCancelledError):
        read_all(topic, cancellation, connectTimeoutSeconds=120)
