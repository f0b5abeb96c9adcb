"""Connection test, preview and collection of topics against a real broker."""

from __future__ import annotations

import secrets

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.kafka.source import KafkaSource
from runtime_common.exceptions import DataError, IngestionError
from runtime_common.spark import SparkEngine
from tests.support.kafka_access import add_login, allow
from tests.support.topics import Topic

STEPS = ["resolve", "connect", "authenticate", "topics", "read"]


@pytest.fixture
def topic(kafka_broker):
    made = Topic.create(kafka_broker, partitions=2)
    made.write("a", "b")
    return made


@pytest.fixture
def reader(kafka_broker, topic):
    """Config of a user that sees one topic."""
    user, password = f"user-{secrets.token_hex(4)}", "pass-word-1"
    add_login(kafka_broker, user, password)
    allow(kafka_broker, user, topic.name)
    return {
        "bootstrapServers": [kafka_broker.login_address], "securityProtocol": "SASL_PLAINTEXT",
        "saslMechanism": "SCRAM-SHA-512", "user": user, "password": password,
    }  # fmt: skip


def source(topic, /, **config):
    ref = EndpointRef(endpoint_id="s", template_id="kafka", config=topic.config(**config))
    built = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    assert isinstance(built, KafkaSource)
    return built


def outcomes(topic, /, **config):
    """Return what each step says, up to the first one that fails."""
    said = {}
    for check in source(topic, **config).checks(Cancellation()):
        try:
            said[check.name] = check.run()
        except IngestionError as error:
            said[check.name] = error.code
            break
    return said


def preview(topic, limit=10, **object_):
    selected = {"topic": topic.name, "valueFormat": "text"} | object_
    return source(topic).preview(selected, limit=limit, cancellation=Cancellation())


def test_the_descriptor_says_what_there_is():
    template = {
        one.id: one for one in EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).templates().templates
    }
    kafka = template["kafka"]
    assert [check.name for check in kafka.checks] == STEPS
    properties = kafka.config_schema["properties"]
    assert [name for name, one in properties.items() if "writeOnly" in str(one)] == ["password"]
    for schema in (kafka.config_schema, kafka.object_schema or {}):
        for one in schema["properties"].values():
            assert {"title", "description", "examples", "x-group"} <= set(one)


def test_a_cluster_that_can_be_read_passes_each_step(topic, reader):
    said = outcomes(topic, **reader)
    assert list(said) == STEPS
    assert said["topics"] == "1 topic(s) can be seen"
    assert said["read"] == f"a message of topic '{topic.name}' was read"


def test_the_checks_are_those_of_the_descriptor_and_build_on_each_other(topic):
    checks = source(topic).checks(Cancellation())
    assert [check.name for check in checks] == STEPS
    assert [check.needs for check in checks] == [(), *[(name,) for name in STEPS[:-1]]]


@pytest.mark.parametrize(
    ("config", "step", "code"),
    [
        ({"bootstrapServers": ["no-such-host.invalid:9092"]}, "resolve", "SOURCE_NAME_UNKNOWN"),
        ({"bootstrapServers": ["127.0.0.1:1"]}, "connect", "SOURCE_UNREACHABLE"),
        ({"password": "wrong-password"}, "authenticate", "SOURCE_AUTHENTICATION_FAILED"),
    ],
)
def test_the_step_that_fails_says_why(topic, reader, config, step, code):
    said = outcomes(topic, **(reader | config))
    assert list(said.items())[-1] == (step, code)


def test_a_user_who_sees_nothing_is_told_what_to_grant(topic, reader, kafka_broker):
    add_login(kafka_broker, stranger := f"user-{secrets.token_hex(4)}", "pass-word-2")
    said = outcomes(topic, **(reader | {"user": stranger, "password": "pass-word-2"}))
    assert list(said.items())[-1] == ("topics", "SOURCE_TOPIC_MISSING")


def test_a_user_who_may_only_look_fails_at_the_read(topic, reader, kafka_broker):
    add_login(kafka_broker, looker := f"user-{secrets.token_hex(4)}", "pass-word-3")
    allow(kafka_broker, looker, topic.name, "DESCRIBE")
    said = outcomes(topic, **(reader | {"user": looker, "password": "pass-word-3"}))
    assert list(said.items())[-1] == ("read", "SOURCE_ACCESS_DENIED")


def test_a_preview_shows_the_last_messages(topic):
    topic.write(*[str(number) for number in range(100)], partition=1)
    sample = preview(topic, limit=3)
    assert sample.table["value"].to_pylist() == ["97", "98", "99"]
    assert (sample.truncated, sample.dataset.name) == (True, topic.name)


def test_a_preview_of_a_small_topic_shows_all_of_it(topic):
    topic.transaction("c", partition=1)
    sample = preview(topic)
    assert (sorted(sample.table["value"].to_pylist()), sample.truncated) == (["a", "b", "c"], False)


def test_a_preview_of_an_empty_topic_has_columns(kafka_broker):
    sample = preview(Topic.create(kafka_broker))
    assert (sample.table.num_rows, "value" in sample.table.column_names, sample.truncated) == (0, True, False)


def test_a_preview_leaves_bad_messages_out_unless_there_are_no_others(topic):
    with pytest.raises(DataError, match="none of the last messages can be a row") as caught:
        preview(topic, valueFormat="json")
    assert caught.value.code == "INVALID_JSON"
    topic.write("1")
    assert preview(topic, valueFormat="json").table["value"].to_pylist() == ["1"]


def test_topics_become_data_sets_named_as_openlineage_does(topic, reader):
    collected = source(topic, **reader).collect([], Cancellation())
    (piece,) = collected.tables
    assert (piece.contents, piece.kind) == ("entities", "Dataset")
    (row,) = piece.table.to_pylist()
    namespace = f"kafka://{reader['bootstrapServers'][0]}"
    assert (row["namespace"], row["name"], row["type"]) == (namespace, topic.name, "topic")
    assert row["attributes"]["partitions"] == 2
    assert collected.counts == {"topics": 1, "partitions": 2}
    assert [(one.namespace, one.name_prefix) for one in collected.complete_scopes] == [(namespace, "")]


def test_a_scope_takes_the_topics_it_names_and_is_not_complete(topic, kafka_broker):
    other = Topic.create(kafka_broker)
    collected = source(topic).collect([other.name, "no-such-topic"], Cancellation())
    names = [name for piece in collected.tables for name in piece.table["name"].to_pylist()]
    assert (names, collected.complete_scopes) == ([other.name], [])
    everything = source(topic).collect([], Cancellation())
    found = {name for piece in everything.tables for name in piece.table["name"].to_pylist()}
    assert {topic.name, other.name} <= found
    assert not any(name.startswith("__") for name in found)
