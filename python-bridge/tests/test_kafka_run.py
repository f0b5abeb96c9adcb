"""Topics through the whole run: broker, staging, Parquet files, read back by DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from jsonschema import Draft202012Validator

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import Checkpoint
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError, RunCancelledError
from runtime_common.failpoints import EXIT_CODE
from tests.support.topics import Topic

if TYPE_CHECKING:
    from tests.support.units import Unit

BRIDGE = Path(__file__).resolve().parents[1]


@pytest.fixture
def topic(kafka_broker):
    return Topic.create(kafka_broker, partitions=3)


@pytest.fixture
def unit(topic, tmp_path):
    yield (built := topic.unit(tmp_path))
    built.staging.close()


def rows(unit: Unit, columns: str = "value", *, target: str | None = None, order: str = '"partition", "offset"') -> Any:
    folder = f"{unit.sink_config['directory']}/{target or unit.target}/*.parquet"
    found = duckdb.connect().execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY {order}", [folder]).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def cursor(unit: Unit) -> str | None:
    stored = unit.checkpoint.cursor
    return None if stored is None else stored.value


def test_each_message_arrives_once_and_the_offsets_are_kept(unit, topic):
    topic.write("a", "b")
    topic.write("c", partition=2)
    first = unit.run()
    assert (rows(unit), cursor(unit)) == (["a", "b", "c"], '{"0":2,"1":0,"2":1}')
    assert (first.stats.rows_read, first.stats.rows_written, first.stats.engine) == (3, 3, "kafka")
    topic.write("d", partition=1)
    topic.write("e")
    second = unit.run()
    assert (rows(unit), cursor(unit)) == (["a", "b", "e", "d", "c"], '{"0":3,"1":1,"2":1}')
    assert second.stats.rows_read == 2


def test_nothing_new_keeps_the_checkpoint(unit, topic):
    assert unit.run().new_checkpoint is None
    topic.write("a")
    unit.run()
    topic.transaction("never seen", outcome="abort")
    result = unit.run()
    assert (result.new_checkpoint, result.stats.rows_read, result.stats.slices) == (None, 0, 0)
    assert rows(unit) == ["a"]


def test_nothing_is_kept_at_the_broker(unit, topic):
    topic.write("a")
    unit.run()
    groups = topic.broker.admin.list_consumer_groups().result()
    assert [group.group_id for group in groups.valid] == []


def test_a_slice_ends_after_enough_messages_and_its_cursor_stands_there(unit, topic):
    topic.write(*[str(number) for number in range(10)])
    result = unit.changed(policy={"sliceRows": 4}).run()
    assert (result.stats.slices, result.stats.rows_written) == (3, 10)
    assert rows(unit) == [str(number) for number in range(10)]


def test_the_last_cursor_stands_behind_what_nobody_will_ever_see(unit, topic):
    reading = unit.changed(policy={"sliceRows": 1})
    topic.transaction("a", "b")
    topic.transaction("undone", outcome="abort")
    reading.run()
    # Two messages and their marker, an undone one and its marker: now the retention may take all of them.
    assert cursor(reading) == '{"0":5,"1":0,"2":0}'
    topic.transaction("c")
    topic.remove_before(5)
    reading.run()
    assert rows(unit) == ["a", "b", "c"]


def test_a_full_unit_holds_what_the_topic_holds(unit, topic):
    full = unit.changed(mode="full", cursor_field=None, write_mode="overwrite")
    topic.write("a", "b", "c")
    assert (full.run().new_checkpoint, rows(full)) == (None, ["a", "b", "c"])
    topic.remove_before(2)
    topic.write("d", partition=1)
    full.run()
    assert rows(full) == ["c", "d"]


def test_new_partitions_are_read_from_their_start(unit, topic):
    topic.write("a")
    unit.run()
    topic.add_partitions(5)
    topic.write("b", "c", partition=4)
    unit.run()
    assert (rows(unit), cursor(unit)) == (["a", "b", "c"], '{"0":1,"1":0,"2":0,"3":0,"4":2}')


def test_messages_of_a_new_partition_that_were_removed_unseen_stop_the_unit(unit, topic):
    topic.write("a")
    unit.run()
    topic.add_partitions(4)
    topic.write("b", "c", partition=3)
    topic.remove_before(1, partition=3)
    with pytest.raises(DataError, match=r"partition 3 lacks offsets 0 to 0 \(1\)") as caught:
        unit.run()
    assert caught.value.code == "OFFSETS_EXPIRED"


def test_messages_that_were_removed_unseen_stop_the_unit(unit, topic):
    topic.write("a", "b")
    unit.run()
    topic.write("c", "d", "e")
    topic.remove_before(4)
    with pytest.raises(DataError, match=r"partition 0 lacks offsets 2 to 3 \(2\)") as caught:
        unit.run()
    assert (caught.value.code, caught.value.retryable) == ("OFFSETS_EXPIRED", False)
    assert (rows(unit), cursor(unit)) == (["a", "b"], '{"0":2,"1":0,"2":0}')


def test_what_was_delivered_may_be_removed(unit, topic):
    topic.write("a", "b")
    unit.run()
    topic.remove_before(2)
    topic.write("c")
    unit.run()
    assert rows(unit) == ["a", "b", "c"]


def test_a_topic_of_the_same_name_is_not_taken_for_the_one_before(unit, topic, kafka_broker):
    topic.write("a", "b")
    unit.run()
    topic.delete()
    again = Topic.create(kafka_broker, partitions=3, name=topic.name)
    again.write("other", "other", "other")
    with pytest.raises(CheckpointMismatchError, match="new unit id with a new target") as caught:
        unit.run()
    assert (caught.value.code, caught.value.field) == ("TOPIC_RECREATED", "source.object.topic")
    assert rows(unit) == ["a", "b"]


def test_a_checkpoint_of_another_topic_is_refused(unit, topic, kafka_broker):
    topic.write("a")
    unit.run()
    other = Topic.create(kafka_broker)
    with pytest.raises(CheckpointMismatchError) as caught:
        unit.changed(object={"topic": other.name, "valueFormat": "text"}).run()
    assert caught.value.code == "SOURCE_CHANGED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cursor_field": "timestamp"}, "unit.cursorField"),
        ({"policy": {"lagSeconds": 5}}, "policy.lagSeconds"),
        ({"policy": {"tieBreakField": "offset"}}, "policy.tieBreakField"),
        ({"policy": {"engine": "spark"}}, "policy.engine"),
    ],
)
def test_what_a_topic_does_not_have_is_refused(unit, changes, field):
    with pytest.raises(ConfigurationError) as caught:
        unit.changed(**changes).run()
    assert caught.value.field == field


def test_a_message_that_can_not_be_a_row_stops_the_unit_and_is_named(unit, topic):
    topic.write('{"n": 1}', '{"n": ')
    with pytest.raises(DataError, match=r"partition 0, offset 1: the value is not JSON") as caught:
        unit.changed(object={"topic": topic.name}).run()
    assert (caught.value.code, caught.value.field) == ("INVALID_JSON", "value")


@pytest.mark.parametrize("slice_rows", [1, 3, 100])
def test_each_bad_message_goes_to_quarantine_once(unit, topic, slice_rows):
    reading = unit.changed(
        object={"topic": topic.name}, policy={"sliceRows": slice_rows, "badRows": "quarantine"}, target="parsed"
    )
    topic.write("1", "no JSON", "2", b"\xff", "no JSON", "3")
    first = reading.run()
    assert (first.stats.rows_read, first.stats.rows_written, first.stats.rows_quarantined) == (6, 3, 3)
    topic.write("bad", "worse")
    second = reading.run()
    assert (second.stats.rows_quarantined, cursor(reading)) == (2, '{"0":8,"1":0,"2":0}')
    assert rows(reading) == ["1", "2", "3"]
    refused = [json.loads(row) for row in rows(reading, "row", target="parsed_quarantine", order="row")]
    assert sorted(row["offset"] for row in refused) == [1, 3, 4, 6, 7]
    assert {row["offset"]: row["value"] for row in refused}[3] == {"base64": "/w=="}


FAILPOINTS = [
    "staging.before-success",
    "staging.after-success",
    "parquet.before-manifest",
    "parquet.after-manifest",
    "parquet.mid-roll-forward",
    "parquet.after-roll-forward",
]


def test_killed_at_any_point_a_run_ends_with_the_log_as_it_stood(unit, topic, tmp_path):
    written: list[list[str]] = [[], [], []]

    def write(label):
        for partition, values in enumerate(written):
            new = [f"{label}-{number}" for number in range(4)]
            topic.write(*new, partition=partition)
            values.extend(new)

    write("before")
    expected = [value for values in written for value in values]
    run_id = uuid.uuid4()
    for attempt, name in enumerate(FAILPOINTS, start=1):
        request = tmp_path / "request.json"
        # Each time the same execution: an attempt of the same run and the same checkpoint.
        request.write_text(json.dumps(unit.changed(policy={"sliceRows": 2}, fence=0).request(run_id).to_wire()))
        killed = subprocess.run(
            [sys.executable, "-m", "tests.support.crashing_run", request, tmp_path / "staging", tmp_path / "metadata",
             str(attempt)],
            env=os.environ | {"NUCLEUS_FAILPOINTS": name, "NUCLEUS_TEST_FIXTURES": "1"},
            cwd=BRIDGE, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert killed.returncode == EXIT_CODE, killed.stderr
        if attempt == 1:
            write("after")
    repeated = unit.changed(policy={"sliceRows": 2})
    repeated.run(run_id=run_id, attempt=len(FAILPOINTS) + 1)
    assert rows(unit) == expected
    repeated.run()
    assert rows(unit) == [value for values in written for value in values]
    assert cursor(repeated) == '{"0":8,"1":8,"2":8}'


def test_a_checkpoint_that_was_not_stored_doubles_nothing(unit, topic):
    topic.write("a", "b")
    run_id = uuid.uuid4()
    unit.run(run_id=run_id, store_checkpoint=False)
    topic.write("c")
    unit.run(run_id=run_id, attempt=2)
    unit.run()
    assert rows(unit) == ["a", "b", "c"]


def test_a_checkpoint_older_than_the_sinks_own_record_is_refused(unit, topic):
    topic.write("a")
    unit.run()
    topic.write("b")
    unit.run()
    with pytest.raises(CheckpointMismatchError) as caught:
        unit.changed(checkpoint=Checkpoint(version=0, generation=1, cursor=None)).run()
    assert caught.value.code == "CHECKPOINT_LOST"


def test_several_sinks_get_the_same_messages_of_one_extraction(unit, topic):
    topic.write("a", "b")
    together = uuid.uuid4()
    one = unit.changed(extraction_id=together, sink_id="one", target="one")
    other = unit.changed(extraction_id=together, sink_id="other", target="other")
    one.run()
    topic.write("c")
    assert other.run().stats.slices_reused == 1
    assert rows(one) == rows(other) == ["a", "b"]


def test_a_cancelled_run_keeps_what_was_committed(unit, topic):
    topic.write(*[str(number) for number in range(6)])
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(RunCancelledError):
        unit.run(cancellation=cancellation)
    unit.run()
    assert rows(unit) == [str(number) for number in range(6)]


def test_the_result_keeps_the_contract(unit, topic):
    topic.write("a")
    schema = json.loads((BRIDGE / "runtime_common/contracts/run-ingestion-unit-result.schema.json").read_text())
    result = unit.run().to_wire()
    Draft202012Validator(schema).validate(result)
    assert result["new_checkpoint"]["cursor"]["family"] == "offsets"


def test_the_result_names_the_topic_as_openlineage_does(unit, topic):
    topic.write("a")
    (source,) = unit.run().stats.provenance.inputs
    assert (source.namespace, source.name) == (f"kafka://{topic.broker.address}", topic.name)
    assert [field.name for field in source.fields] == [
        "partition", "offset", "timestamp", "timestamp_type", "key", "value", "headers", "tombstone"
    ]  # fmt: skip
