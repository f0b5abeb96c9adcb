"""Random histories of a topic, with crashes and retries: the sink holds what the log holds, once and in its order."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict

import duckdb
import pytest

from runtime_common import staging_session
from runtime_common.endpoints import parquet_manifests
from runtime_common.endpoints.kafka.offsets import parse_offsets
from tests.support.topics import Topic

FAILPOINTS = [
    "staging.before-success",
    "staging.after-success",
    "parquet.before-manifest",
    "parquet.after-manifest",
    "parquet.mid-roll-forward",
    "parquet.after-roll-forward",
]
BAD = "{"


class Killed(BaseException):
    """Stands for the end of the process: nobody in it may answer to that."""


class History:
    """What was written to a topic, and the unit that reads it."""

    def __init__(self, seed, broker, folder):
        self.random = random.Random(seed)
        self.partitions = self.random.randint(1, 3)
        self.topic = Topic.create(broker, partitions=self.partitions)
        self.unit = self.topic.unit(folder, object={"valueFormat": "json"})
        self.good: dict[int, list[str]] = defaultdict(list)
        self.bad = 0
        self.number = 0

    def values(self):
        first, self.number = self.number, self.number + self.random.randint(1, 6)
        return [str(number) for number in range(first, self.number)]

    def step(self):
        partition = self.random.randrange(self.partitions)
        match self.random.choices(
            ["write", "bad", "commit", "abort", "grow", "shrink", "run"], [6, 2, 1, 1, 1, 1, 5]
        ):  # fmt: skip
            case ["write"]:
                values = self.values()
                self.topic.write(*values, partition=partition)
                self.good[partition] += values
            case ["bad"]:
                self.topic.write(BAD, partition=partition)
                self.bad += 1
            case ["commit"]:
                values = self.values()
                self.topic.transaction(*values, partition=partition)
                self.good[partition] += values
            case ["abort"]:
                self.topic.transaction(*self.values(), partition=partition, outcome="abort")
            case ["grow"]:
                self.partitions += 1
                self.topic.add_partitions(self.partitions)
            case ["shrink"] if self.unit.checkpoint.cursor is not None:
                for one, offset in parse_offsets(self.unit.checkpoint.cursor.value).items():
                    self.topic.remove_before(offset, one)
            case ["run"]:
                self.run()

    def run(self):
        """Run the unit, by as many attempts as it takes; messages arrive in between."""
        run_id = uuid.uuid4()
        policy = {"sliceRows": self.random.choice([1, 2, 5, 100]), "badRows": "quarantine"}
        attempts = self.random.choice([1, 1, 2, 3])
        for attempt in range(1, attempts):
            with pytest.MonkeyPatch.context() as patch:
                self.arm(patch)
                try:
                    self.unit.changed(policy=policy).run(run_id=run_id, attempt=attempt)
                except Killed:
                    values = self.values()
                    self.topic.write(*values)
                    self.good[0] += values
        reading = self.unit.changed(policy=policy)
        reading.run(run_id=run_id, attempt=attempts, store_checkpoint=self.random.random() < 0.8)
        self.unit.checkpoint = reading.checkpoint

    def arm(self, patch):
        name = self.random.choice(FAILPOINTS)
        passes = self.random.randint(0, 2)

        def failpoint(reached):
            nonlocal passes
            if reached == name:
                passes -= 1
                if passes < 0:
                    raise Killed

        patch.setattr(staging_session, "failpoint", failpoint)
        patch.setattr(parquet_manifests, "failpoint", failpoint)

    def delivered(self):
        found = defaultdict(list)
        for partition, value in self.query('"partition", value', self.unit.target, '"partition", "offset"'):
            found[partition].append(value)
        return found

    def query(self, columns, target, order):
        folder = f"{self.unit.sink_config['directory']}/{target}/*.parquet"
        query = f"SELECT {columns} FROM read_parquet(?) ORDER BY {order}"
        return duckdb.connect().execute(query, [folder]).fetchall()

    def check(self):
        self.topic.write("-1")
        self.good[0].append("-1")
        self.unit.changed(policy={"badRows": "quarantine"}).run()
        assert self.delivered() == self.good
        if self.bad:
            refused = self.query("row", f"{self.unit.target}_quarantine", "row")
            assert len(refused) == len(set(refused)) == self.bad


def play(seed, broker, folder):
    history = History(seed, broker, folder)
    try:
        for _ in range(20):
            history.step()
        history.check()
    finally:
        history.unit.staging.close()


@pytest.mark.parametrize("seed", range(4))
def test_the_sink_holds_what_the_log_holds(kafka_broker, tmp_path, seed):
    play(seed, kafka_broker, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4, 204))
def test_the_sink_holds_what_the_log_holds_in_many_histories(kafka_broker, tmp_path, seed):
    play(seed, kafka_broker, tmp_path)
