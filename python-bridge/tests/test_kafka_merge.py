"""A topic merged by key into an Iceberg table, read back by pyiceberg, and into a table of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyiceberg.table import StaticTable

from tests.support.postgres_tables import rows_of
from tests.support.topics import Topic


@pytest.fixture
def topic(kafka_broker):
    return Topic.create(kafka_broker, partitions=2)


@pytest.fixture
def unit(topic, spark, tmp_path):
    built = topic.unit(
        tmp_path,
        spark=spark,
        sink_template="iceberg",
        sink_config={"warehouse": str(tmp_path / "warehouse")},
        write_mode="merge",
        primary_key=("key",),
    )
    yield built
    built.staging.close()


def stored(unit):
    """Return value and tombstone by key."""
    metadata = Path(unit.sink_config["warehouse"], "nucleus", unit.target, "metadata")
    version = (metadata / "version-hint.text").read_text().strip()
    table = StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))
    return {row["key"]: (row["value"], row["tombstone"]) for row in table.scan().to_arrow().to_pylist()}


def test_the_last_message_of_each_key_stays(unit, topic):
    topic.write({"key": "a", "value": "z first"}, {"key": "b", "value": "b1"}, {"key": "a", "value": "a last"})
    topic.write({"key": "c", "value": "c1"}, partition=1)
    unit.run()
    assert stored(unit) == {"a": ("a last", False), "b": ("b1", False), "c": ("c1", False)}
    topic.write({"key": "b", "value": "b2"}, {"key": "a", "value": None})
    unit.run()
    assert stored(unit) == {"a": (None, True), "b": ("b2", False), "c": ("c1", False)}


def test_a_tombstone_removes_the_row_of_its_key_where_the_policy_says_so(topic, database, tmp_path):
    unit = topic.unit(
        tmp_path,
        sink_template="jdbc_postgres_tables",
        sink_config=database.config(schema="topics"),
        write_mode="merge",
        primary_key=("key",),
        policy={"deleteField": "tombstone"},
    )
    topic.write({"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {"key": "a", "value": None})
    unit.run()
    assert rows_of(database, "topics", unit.target, "key, value") == [("b", "2")]
    topic.write({"key": "b", "value": None}, {"key": "a", "value": "3"}, {"key": "b", "value": "4"})
    topic.write({"key": "c", "value": "5"}, {"key": "c", "value": None}, partition=1)
    unit.run()
    assert rows_of(database, "topics", unit.target, "key, value") == [("a", "3"), ("b", "4")]
    unit.staging.close()
