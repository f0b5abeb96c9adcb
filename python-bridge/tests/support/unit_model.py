"""A unit driven by a seed: its source changes, its attempts die, stop and come back, and a model knows what must hold.

What is promised for each write mode is compared with what an independent reader finds in the sink.
"""

from __future__ import annotations

import random
import shutil
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg

from runtime_common.contracts import Checkpoint
from runtime_common.staging import LocalDirectoryStaging
from tests.support.unit_process import Ended, Job, Stopped, UnitProcesses
from tests.support.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runtime_common.contracts import RunIngestionUnitResult
    from tests.support.sink_kinds import SinkKind
    from tests.support.units import Database

Row = tuple[int, object, str]
ROUNDS = 8
_STAGING_FAILPOINTS = ("staging.before-success", "staging.after-success")
# What an attempt may be told when another one was faster, or its staging area was taken away: the next one goes on.
_MAY_HAPPEN = {
    "SUPERSEDED",
    "STAGING_FAILED",
    "STAGING_CONFLICT",
    "STAGING_DAMAGED",
    "SINK_CONFLICT",
    "SINK_CONNECTION_LOST",
}
_LATE_TICKS = 5


@dataclass(frozen=True)
class CursorKind:
    """A type of cursor column, and its value at a tick of the model's clock."""

    declared: str
    at: Callable[[int], object]


_START = datetime(2013, 1, 1, tzinfo=UTC)
CURSORS = (
    CursorKind("timestamptz", lambda tick: _START + timedelta(minutes=10 * tick)),
    CursorKind("timestamptz", lambda tick: _START + timedelta(microseconds=tick)),
    CursorKind("timestamp(3)", lambda tick: _START.replace(tzinfo=None) + timedelta(milliseconds=tick)),
    CursorKind("bigint", lambda tick: 9_007_199_254_740_990 + tick),
    CursorKind("numeric(20, 6)", lambda tick: Decimal(tick) / 8 - 3),
    CursorKind("date", lambda tick: date(2013, 1, 1) + timedelta(days=tick)),
    CursorKind("text", lambda tick: f"{tick:04d}"),
)


@dataclass
class UnitModel:
    """One unit over its life.

    Attributes:
        seed: Decides everything that happens.
        kind: The sink.
        told: What was done, for the message of a test that fails.
    """

    seed: int
    kind: SinkKind
    database: Database
    processes: UnitProcesses
    folder: Path
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._merge = self.kind.write_mode == "merge"
        self._cursor = self._random.choice(CURSORS)
        self._looks_back = self._merge and self._cursor is CURSORS[0]
        self._includes_null = self._merge and self._random.random() < 0.5
        policy: dict[str, Any] = {
            "sliceRows": self._random.choice((1, 3, 7, 100)),
            "nullCursor": "include" if self._includes_null else "exclude",
        }
        if self._merge:
            policy["deleteField"] = "gone"
        if self._looks_back:
            policy["lookbackSeconds"] = 600 * (_LATE_TICKS + 1)
        self._table = f"model_{self.seed}"
        self._staging = LocalDirectoryStaging(self.folder / "staging")
        self._unit = Unit(
            source=self.database.config(),
            sink_template=self.kind.template,
            sink_config=self.kind.config(self.database, self.folder),
            staging=self._staging,
            table=self._table,
            metadata_root=self.folder / "metadata",
            target=f"target_{self.seed}",
            write_mode=self.kind.write_mode,
            policy=policy,
        )
        self._next_id = 0
        self._tick = 0
        self._uncommitted: list[tuple[int, psycopg.Connection]] = []
        self._zombies: list[Stopped] = []
        self._unfinished: tuple[uuid.UUID, int] | None = None
        self.told.append(f"{self._cursor.declared} {self.kind.write_mode} {policy}")

    def live(self) -> None:
        """Let the unit's whole life pass and check it."""
        self.database.execute(
            f"CREATE TABLE {self._table} (id int PRIMARY KEY, at {self._cursor.declared}, note text NOT NULL, "
            "gone boolean NOT NULL DEFAULT false)"
        )
        try:
            for _ in range(ROUNDS):
                for _ in range(self._random.randint(1, 3)):
                    self._random.choice(self._changes())()
                self._attempt()
            self._come_to_rest()
        finally:
            for _, connection in self._uncommitted:
                connection.close()
            self._staging.close()

    def _changes(self) -> list[Callable[[], None]]:
        changes = [self._insert, self._insert, self._insert_uncommitted, self._insert_without_cursor]
        return [*changes, self._update, self._update, self._mark_as_gone] if self._merge else changes

    def _advance(self) -> int:
        """Move the clock by 0 to 2 ticks; transactions that the unit's policy could not find later commit first."""
        self._tick += self._random.randint(0, 2)
        allowed = _LATE_TICKS if self._looks_back else 0
        for late in [one for one in self._uncommitted if one[0] < self._tick - allowed]:
            self._commit(late)
        return self._tick

    def _insert(self) -> None:
        for _ in range(self._random.randint(1, 12)):
            self.database.execute(*self._new_row(self._cursor.at(self._advance())))
        self.told.append(f"inserted up to id {self._next_id - 1}, tick {self._tick}")

    def _insert_uncommitted(self) -> None:
        tick = self._advance()
        connection = psycopg.connect(self.database.url)
        statement, *values = self._new_row(self._cursor.at(tick))
        connection.execute(str(statement).encode(), values)
        self._uncommitted.append((tick, connection))
        self.told.append(f"id {self._next_id - 1} uncommitted at tick {tick}")

    def _insert_without_cursor(self) -> None:
        self.database.execute(*self._new_row(None))
        self.told.append(f"id {self._next_id - 1} without a cursor")

    def _update(self) -> None:
        for _ in range(self._random.randint(1, 4)):
            number = self._random.randrange(max(self._next_id, 1))
            note = f"changed {self._random.random()}"
            at = self._cursor.at(self._advance())
            if number not in {row[0] for row in self._source_rows()}:
                continue
            self.database.execute(f"UPDATE {self._table} SET at = %s, note = %s WHERE id = %s", at, note, number)
            self.told.append(f"updated id {number} at tick {self._tick}")

    def _mark_as_gone(self) -> None:
        number = self._random.randrange(max(self._next_id, 1))
        at = self._cursor.at(self._advance())
        self.database.execute(f"UPDATE {self._table} SET at = %s, gone = true WHERE id = %s", at, number)
        self.told.append(f"id {number} gone at tick {self._tick}")

    def _new_row(self, at: object) -> tuple[Any, ...]:
        self._next_id += 1
        return (
            f"INSERT INTO {self._table} (id, at, note) VALUES (%s, %s, %s)",
            self._next_id - 1,
            at,
            f"note {self._next_id - 1}",
        )

    def _commit(self, late: tuple[int, psycopg.Connection]) -> None:
        self._uncommitted.remove(late)
        late[1].commit()
        late[1].close()
        self.told.append(f"committed late at tick {late[0]}")

    def _attempt(self) -> None:
        """Start an attempt of the unfinished run or a new run, and let something happen to it."""
        if self._random.random() < 0.15:
            shutil.rmtree(self.folder / "staging")
            (self.folder / "staging").mkdir()
            self.told.append("staging lost")
        if self._zombies and self._random.random() < 0.4:
            self._wake_zombie()
        fate = self._random.choice(("clean", "clean", "dies", "dies", "stops", "killed", "result lost"))
        points = (*_STAGING_FAILPOINTS, *self.kind.failpoints)
        point = f"{self._random.choice(points)}@{self._random.randint(1, 3)}"
        armed = {"dies": point, "stops": f"{point}=stop"}.get(fate, "")
        self._run(fate, armed)

    def _run(self, fate: str, armed: str = "") -> None:
        again = self._unfinished if self._random.random() < 0.6 else None
        run_id, attempt = again or (uuid.uuid4(), 1)
        job = Job(
            request=self._unit.request(run_id).to_wire(),
            staging=str(self.folder / "staging"),
            metadata=str(self.folder / "metadata"),
            outcome=str(self.folder / f"outcome-{self._unit.fence}.json"),
            jars=self.kind.jars,
            attempt=attempt,
            failpoints=armed,
        )
        # A whole life of milliseconds: anywhere in the attempt, and sometimes after it.
        ended = self.processes.run(
            job, kill_after_seconds=self._random.uniform(0.005, 0.25) if fate == "killed" else None
        )
        self.told.append(f"run {str(run_id)[:4]} attempt {attempt} {fate} {armed}: {_outline(ended)}")
        self._unfinished = (run_id, attempt + 1)
        if isinstance(ended, Stopped):
            self._zombies.append(ended)
        elif ended.result is not None:
            if fate == "result lost":
                return
            self._store(ended.result)
            self._check(whole=again is None)
        else:
            assert ended.error is None or ended.error in _MAY_HAPPEN, ended.error

    def _store(self, result: RunIngestionUnitResult) -> None:
        """Do what the control plane does with the result of the attempt that it waits for."""
        cursor = result.new_checkpoint.cursor if result.new_checkpoint else self._unit.checkpoint.cursor
        self._unit.checkpoint = Checkpoint(version=self._unit.checkpoint.version + 1, generation=1, cursor=cursor)
        self._unfinished = None

    def _wake_zombie(self) -> None:
        """Let it finish; whatever it says, nobody listens any more."""
        ended = self.processes.resume(self._zombies.pop(self._random.randrange(len(self._zombies))))
        self.told.append(f"a zombie woke up: {_outline(ended)}")
        assert isinstance(ended, Ended)
        assert ended.error is None or ended.error in _MAY_HAPPEN | {"CHECKPOINT_LOST"}, ended.error

    def _come_to_rest(self) -> None:
        while self._uncommitted:
            self._commit(self._uncommitted[0])
        while self._zombies:
            self._wake_zombie()
        for _ in range(3):
            self._unfinished = None
            before = self._unit.checkpoint.version
            self._run("clean")
            if self._unit.checkpoint.version > before:
                break
        self._check(whole=True)
        self._staging.ttl_cleanup(datetime.now(UTC) + timedelta(days=4))
        assert list((self.folder / "staging").iterdir()) == []

    def _check(self, *, whole: bool) -> None:
        """Hold the sink against the source: the same after a new run, a part of it after a repeated one."""
        found = Counter(self._sink_rows())
        expected = Counter(row for row in self._source_rows() if row[1] is not None or self._includes_null)
        if whole:
            assert (found - expected, expected - found) == (Counter(), Counter())
        elif self._merge:
            assert max(Counter(row[0] for row in found).values(), default=1) == 1
        else:
            assert (found - expected) == Counter(), (
                sorted(found.elements(), key=str),
                sorted(expected.elements(), key=str),
            )

    def _source_rows(self) -> list[Row]:
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(f"SELECT id, at, note FROM {self._table} WHERE NOT gone".encode()).fetchall()

    def _sink_rows(self) -> list[Row]:
        table = self.kind.read(self._unit, self.database)
        return [] if table is None else [(row["id"], row["at"], row["note"]) for row in table.to_pylist()]


def _outline(ended: Ended | Stopped) -> str:
    if isinstance(ended, Stopped):
        return "stopped"
    if ended.result is None:
        return ended.error or "gone"
    return f"{ended.result.stats.rows_written} rows in {ended.result.stats.slices} slices"
