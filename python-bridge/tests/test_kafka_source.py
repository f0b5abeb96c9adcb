"""The source against a real broker: exact values, fixed ends, gaps in the offsets, topics that change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from runtime_common.bad_rows import BadRows
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.kafka import messages
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError, SourceObjectError
from runtime_common.protocols import Cut, ReadRequest
from runtime_common.spark import SparkEngine
from tests.support.topics import Topic

BRIDGE = Path(__file__).resolve().parents[1]


@pytest.fixture
def topic(kafka_broker):
    return Topic.create(kafka_broker, partitions=2)


@pytest.fixture
def little_read_ahead(monkeypatch):
    """Nearly nothing is fetched before it is asked for."""
    monkeypatch.setattr(messages, "_QUEUE_KILOBYTES", 1)
    monkeypatch.setattr(messages, "_FETCH_BYTES", 1024)


def opened(topic, /, *, config=None, bad_rows=None, **object_: Any):
    ref = EndpointRef(endpoint_id="s", template_id="kafka", config=topic.config(**(config or {})))
    source = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    request = ReadRequest(
        object={"topic": topic.name, "valueFormat": "text"} | object_,
        cursor_field="offsets",
        bad_rows=bad_rows or BadRows(),
    )
    return source.open(request, Cancellation())


def read_all(topic, lower=None, /, **options):
    with opened(topic, **options) as read:
        return pa.Table.from_batches(list(read.batches(lower=lower, upper=read.upper_bound)), read.schema)


def values(topic, lower=None, /, **options):
    return read_all(topic, lower, **options)["value"].to_pylist()


def steps(read, *, slice_rows):
    """Return the rows and the offsets of each slice."""
    cutter = read.cutter(start=None, slice_rows=slice_rows, compared=None)
    slices: list[list[str]] = [[]]
    offsets = []
    for batch in read.batches(lower=None, upper=read.upper_bound):
        for step in cutter.feed(batch):
            if isinstance(step, Cut):
                assert step.cursor is not None
                offsets.append(step.cursor.value)
                slices.append([])
            else:
                slices[-1] += step.batch["value"].to_pylist()
    last = cutter.end()
    return slices, [*offsets, last.cursor.value if last is not None and last.cursor is not None else None]


def test_a_message_arrives_exactly(topic):
    at = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    topic.write(
        {"key": "kä", "value": "wert ✓", "timestamp": round(at.timestamp() * 1000),
         "headers": [("a", b"1"), ("a", None), ("b", b"\xff")]},
        {"key": None, "value": None, "partition": 1},
    )  # fmt: skip
    table = read_all(topic)
    assert table.schema.field("timestamp").type == pa.timestamp("ms", tz="UTC")
    first, second = sorted(table.to_pylist(), key=lambda row: row["partition"])
    assert json.loads(first.pop("headers")) == [["a", "1"], ["a", None], ["b", {"base64": "/w=="}]]
    assert first == {
        "partition": 0, "offset": 0, "timestamp": at, "timestamp_type": "create", "key": "kä", "value": "wert ✓",
        "tombstone": False,
    }  # fmt: skip
    assert (second["partition"], second["key"], second["value"], second["headers"]) == (1, None, None, None)
    assert second["tombstone"] is True


def test_the_brokers_own_time_is_told_apart(kafka_broker):
    stamped = Topic.create(kafka_broker, config={"message.timestamp.type": "LogAppendTime"})
    stamped.write("a")
    assert read_all(stamped)["timestamp_type"].to_pylist() == ["append"]


def test_bytes_stay_bytes_and_json_stays_as_it_was_written(topic):
    topic.write({"key": b"\x00\xff", "value": '{"n": 12345678901234567890.10, "n": 1}'})
    (row,) = read_all(topic, keyFormat="bytes", valueFormat="json").to_pylist()
    assert (row["key"], row["value"]) == (b"\x00\xff", '{"n": 12345678901234567890.10, "n": 1}')


def test_declared_fields_arrive_exactly(topic):
    value = {
        "id": 9007199254740993, "name": "ä", "paid": {"amount": "X", "when": "2026-01-02T03:04:05.123456+01:00"},
        "local": "2026-01-02T03:04:05", "day": "2026-01-02", "ok": True, "ratio": 0.1, "tags": [{"n": "Y"}, 2],
    }  # fmt: skip
    text = json.dumps(value).replace('"X"', "1234567890123456.7890").replace('"Y"', "0.10")
    declared = [
        ("id", "$.id", "integer"), ("name", "$['name']", "text"), ("amount", "$.paid.amount", "decimal(20,4)"),
        ("paid_at", "$.paid.when", "timestamptz"), ("local", "$.local", "timestamp"), ("day", "$.day", "date"),
        ("ok", "$.ok", "boolean"), ("ratio", "$.ratio", "double"), ("tags", "$.tags", "json"),
        ("second_tag", "$.tags[1]", "integer"), ("absent", "$.nowhere.at.all", "text"),
    ]  # fmt: skip
    fields = [{"name": name, "path": path, "type": type_} for name, path, type_ in declared]
    topic.write({"key": '{"part": 7}', "value": text}, {"key": '{"part": 8}', "value": None})
    key_fields = [{"name": "part", "path": "$.part", "type": "integer", "nullable": False}]
    table = read_all(topic, keyFormat="json", keyFields=key_fields, valueFormat="json", valueFields=fields)
    first, tombstone = table.drop_columns(["partition", "offset", "timestamp", "timestamp_type", "headers"]).to_pylist()
    assert first == {
        "part": 7, "id": 9007199254740993, "name": "ä", "amount": Decimal("1234567890123456.7890"),
        "paid_at": datetime(2026, 1, 2, 2, 4, 5, 123456, tzinfo=UTC), "day": date(2026, 1, 2),
        "local": datetime(2026, 1, 2, 3, 4, 5), "ok": True, "ratio": 0.1,  # noqa: DTZ001
        "tags": '[{"n":0.10},2]', "second_tag": 2, "absent": None, "tombstone": False,
    }  # fmt: skip
    assert {name: value for name, value in tombstone.items() if value is not None} == {"part": 8, "tombstone": True}


def test_messages_that_come_later_wait_for_the_next_run(topic):
    topic.write("a", "b")
    with opened(topic) as read:
        topic.write("c")
        topic.write("d", partition=1)
        found = pa.Table.from_batches(list(read.batches(lower=None, upper=read.upper_bound)))
    assert (read.upper_bound, found["value"].to_pylist()) == ('{"0":2,"1":0}', ["a", "b"])
    assert sorted(values(topic, read.upper_bound)) == ["c", "d"]


def test_messages_behind_an_end_that_is_a_marker_wait_too(topic):
    topic.transaction("a")
    with opened(topic) as read:
        topic.write("b")
        found = pa.Table.from_batches(list(read.batches(lower=None, upper=read.upper_bound)))
    assert (read.upper_bound, found["value"].to_pylist()) == ('{"0":2,"1":0}', ["a"])


def test_the_ends_of_an_earlier_attempt_are_kept(topic):
    topic.write("a", "b", "c")
    with opened(topic) as read:
        found = pa.Table.from_batches(list(read.batches(lower='{"0":1,"1":0}', upper='{"0":2,"1":0}')))
    assert found["value"].to_pylist() == ["b"]


def test_an_empty_topic_has_ends_all_the_same(topic):
    with opened(topic) as read:
        assert steps(read, slice_rows=1) == ([[]], [None])
        assert read.upper_bound == '{"0":0,"1":0}'


def test_aborted_messages_are_left_out_and_open_ones_waited_for(topic):
    topic.transaction("a", "b")
    topic.transaction("undone", outcome="abort")
    pending = topic.transaction("pending", outcome="open")
    topic.write("behind it")
    assert values(topic) == ["a", "b"]
    assert values(topic, isolation="read_uncommitted") == ["a", "b", "undone", "pending", "behind it"]
    pending.commit_transaction()
    topic.await_end_of_transactions()
    assert values(topic) == ["a", "b", "pending", "behind it"]


def test_a_partition_that_ends_with_markers_alone_is_read_to_its_end(topic):
    topic.transaction("a")
    topic.transaction("undone", "undone", outcome="abort")
    with opened(topic) as read:
        assert steps(read, slice_rows=10) == ([["a"]], ['{"0":5,"1":0}'])


def test_a_compacted_topic_is_read_over_its_gaps(kafka_broker):
    compacted = Topic.create(
        kafka_broker,
        config={
            "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.bytes": "200",
            "min.compaction.lag.ms": "0", "file.delete.delay.ms": "0",
        },
    )  # fmt: skip
    for number in range(20):
        compacted.write({"key": f"k{number % 2}", "value": f"v{number}"})
    found = read_all(compacted)
    # The broker compacts when it comes to it; the last segment stays as it is.
    deadline = time.monotonic() + 60
    while found.num_rows == 20 and time.monotonic() < deadline:
        found = read_all(compacted)
    assert found.num_rows < 20
    offsets = found["offset"].to_pylist()
    assert offsets[-1] == 19
    assert offsets == sorted(set(offsets))
    assert {row["key"]: row["value"] for row in found.to_pylist()} == {"k0": "v18", "k1": "v19"}
    assert values(compacted, '{"0":1}')[-1] == "v19"


def test_slices_end_where_their_cursors_stand(topic):
    topic.write("a", "b", "c", "d", "e")
    with opened(topic) as read:
        slices, offsets = steps(read, slice_rows=2)
    assert (slices, offsets) == ([["a", "b"], ["c", "d"], ["e"]], ['{"0":2,"1":0}', '{"0":4,"1":0}', '{"0":5,"1":0}'])


def test_large_messages_make_small_batches(topic, monkeypatch):
    monkeypatch.setattr(messages, "_CHUNK_BYTES", 300_000)
    topic.write(*["x" * 100_000] * 9)
    with opened(topic) as read:
        sizes = [batch.num_rows for batch in read.batches(lower=None, upper=read.upper_bound)]
    assert sum(sizes) == 9
    assert len(sizes) > 1


def test_a_topic_larger_than_the_memory_it_may_take_is_read(topic):
    topic.write(*[os.urandom(900_000)] * 300)
    arguments = [sys.executable, "-m", "tests.support.measured_read", topic.broker.address, topic.name]
    said = subprocess.run(arguments, cwd=BRIDGE, check=True, capture_output=True, text=True).stdout
    grown, messages_read = (int(word) for word in said.split())
    assert messages_read == 300
    # Of 257 MiB: what is read ahead, the fetch under way, and a batch twice, as messages and as rows.
    assert grown < 160


def test_rejected_messages_come_after_the_batch_they_belong_to(topic):
    topic.write(b"\xff", "a", "b")
    bad_rows = BadRows(policy="quarantine", limit=10)
    with opened(topic, bad_rows=bad_rows) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        first = next(batches)
        assert (first["value"].to_pylist(), bad_rows.waiting) == (["a", "b"], False)
        assert list(batches) == []
    assert [(row.code, row.field) for row in bad_rows.take()] == [("INVALID_TEXT", "value")]


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ({"value": "[1, NaN]"}, "INVALID_JSON", "value"),
        ({"value": "[" * 100_000}, "INVALID_JSON", "value"),
        ({"value": '{"n": 1e99999999999999999999}'}, "INVALID_JSON", "value"),
        ({"value": '{"n": 1.5}'}, "VALUE_NOT_REPRESENTABLE", "n"),
        ({"value": '{"n": 9223372036854775808}'}, "VALUE_NOT_REPRESENTABLE", "n"),
        ({"value": '{"n": 1, "t": "\\ud800"}'}, "VALUE_NOT_REPRESENTABLE", "t"),
        ({"value": "{}"}, "VALUE_MISSING", "n"),
        ({"key": b"\xff", "value": '{"n": 1}'}, "INVALID_TEXT", "key"),
        ({"value": '{"n": 1}', "timestamp": 2**62}, "VALUE_NOT_REPRESENTABLE", "timestamp"),
    ],
)
def test_a_message_that_can_not_be_a_row_is_told_without_its_values(kafka_broker, message, code, field):
    lenient = Topic.create(kafka_broker, config={"message.timestamp.after.max.ms": str(2**63 - 1)})
    lenient.write(message)
    fields = [
        {"name": "n", "path": "$.n", "type": "integer", "nullable": False},
        {"name": "t", "path": "$.t", "type": "text"},
    ]
    with pytest.raises(DataError, match="partition 0, offset 0: ") as caught:
        read_all(lenient, valueFormat="json", valueFields=fields)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_field_of_the_key_may_be_needed_where_there_is_no_key(topic):
    topic.write({"key": None, "value": "a"})
    declared = {"name": "part", "type": "integer"}
    assert read_all(topic, keyFormat="json", keyFields=[declared])["part"].to_pylist() == [None]
    with pytest.raises(DataError, match="part is missing") as caught:
        read_all(topic, keyFormat="json", keyFields=[declared | {"nullable": False}])
    assert (caught.value.code, caught.value.field) == ("VALUE_MISSING", "part")


def test_messages_that_vanish_while_they_are_read_are_missed(topic, little_read_ahead, monkeypatch):
    monkeypatch.setattr("runtime_common.endpoints.kafka.read._BATCH_MESSAGES", 1)
    topic.write(*[str(number) * 900 for number in range(10)])
    for number in range(200):
        topic.write(f"{number:0>900}")
    with opened(topic) as read:
        batches = read.batches(lower='{"0":0,"1":0}', upper=read.upper_bound)
        next(batches)
        topic.remove_before(200)
        with pytest.raises(DataError, match="partition 0 lacks offsets") as caught:
            list(batches)
    assert (caught.value.code, caught.value.retryable) == ("OFFSETS_EXPIRED", False)


def test_a_topic_that_is_deleted_while_it_is_read_is_missed(topic, little_read_ahead, monkeypatch):
    monkeypatch.setattr("runtime_common.endpoints.kafka.read._BATCH_MESSAGES", 1)
    topic.write(*["x" * 900] * 300)
    with opened(topic) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        next(batches)
        topic.delete()
        with pytest.raises(SourceObjectError) as caught:
            list(batches)
    assert caught.value.code == "SOURCE_TOPIC_MISSING"


def test_a_topic_that_was_made_anew_while_it_was_read_is_noticed(topic, kafka_broker):
    topic.write("a", "b")
    with opened(topic) as read:
        batches = read.batches(lower=None, upper=read.upper_bound)
        next(batches)
        topic.delete()
        Topic.create(kafka_broker, partitions=2, name=topic.name)
        with pytest.raises(CheckpointMismatchError) as caught:
            list(batches)
    assert caught.value.code == "TOPIC_RECREATED"


@pytest.mark.parametrize("lower", ['{"0":3,"1":0}', '{"0":2,"1":0,"2":0}'])
def test_offsets_that_the_topic_never_had_are_refused(topic, lower):
    topic.write("a", "b")
    with pytest.raises(CheckpointMismatchError) as caught:
        values(topic, lower)
    assert caught.value.code == "TOPIC_RECREATED"


@pytest.mark.parametrize("lower", ['{"0": 3}', '{"0":-1}', "7", '{"00":1}', "{}}"])
def test_a_cursor_that_holds_no_offsets_is_refused(topic, lower):
    with pytest.raises(CheckpointMismatchError) as caught:
        values(topic, lower)
    assert caught.value.code == "CHECKPOINT_VALUE_INVALID"


def test_a_look_back_is_refused(topic):
    with opened(topic) as read, pytest.raises(ConfigurationError) as caught:
        list(read.batches(lower=None, upper=read.upper_bound, lookback_seconds=1))
    assert caught.value.field == "policy.lookbackSeconds"


@pytest.mark.parametrize(
    ("object_", "field"),
    [
        ({"topic": "a topic"}, "source.object.topic"),
        ({"valueFields": [{"name": "value", "path": "$.a", "type": "text"}], "valueFormat": "json"}, "source.object"),
        ({"valueFields": [{"name": "a", "path": "$.a", "type": "text"}]}, "source.object"),
        ({"keyFormat": "json", "keyFields": [{"name": "a", "path": "$.a", "type": "text"}] * 2}, "source.object"),
        ({"valueFields": [{"name": "a", "path": "$..a", "type": "text"}]}, "source.object.valueFields.0.path"),
        ({"valueFields": [{"name": "a", "path": "no path ]", "type": "text"}]}, "source.object.valueFields.0.path"),
        ({"valueFields": [{"name": "a", "path": "$.a", "type": "decimal(39,1)"}]}, "source.object.valueFields.0"),
        ({"valueFields": [{"name": "a", "path": "$.a", "type": "varchar"}]}, "source.object.valueFields.0.type"),
    ],
)
def test_an_object_that_makes_no_sense_is_refused(topic, object_, field):
    with pytest.raises(ConfigurationError) as caught:
        opened(topic, **object_)
    assert caught.value.field == field
