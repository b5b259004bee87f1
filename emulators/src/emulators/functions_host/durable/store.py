"""The task hub's memory: SQLite, one commit per change, so that a killed host resumes where it was.

Not thread-safe by design: the engine calls it from one thread only.
"""

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import msgspec

from emulators.functions_host.durable import history
from emulators.functions_host.durable.model import FINAL, Event, Instance, Parent, Task, Turn, timestamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
    updated TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT, parent TEXT, plan TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, instance TEXT NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of ON history (instance, seq);
CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_of ON inbox (instance, seq);
CREATE TABLE IF NOT EXISTS activities (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT);
CREATE TABLE IF NOT EXISTS timers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL,
    fire_at TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity that is to be run, or is running."""

    seq: int
    instance: str
    execution: str
    task: int
    name: str
    input: str | None


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that hasn't fired."""

    seq: int
    instance: str
    execution: str
    task: int
    fire_at: datetime


@dataclass(frozen=True, slots=True)
class Effects:
    """What the engine has to do after a commit: instances to drive, activities to run, timers to arm."""

    wake: list[str] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Work:
    """The next episode of an instance: the message to deliver, and its history so far as JSON texts."""

    instance: Instance
    message: int
    arrived: Event
    past: Sequence[str]


class TaskStore:
    """Instances, their histories and inboxes, and the activities and timers that are outstanding."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.executescript(_SCHEMA)

    def create(self, instance: Instance, now: datetime) -> str | None:
        """Insert `instance` as Pending with its start message, over a finished one of the same id.

        Gives the status of the instance that stands in the way (any that isn't final), in which case nothing changes.
        """
        with self._db:
            return self._create(instance, now)

    def create_failed(self, instance: Instance, now: datetime) -> str | None:
        """Like `create`, for an instance that failed before its function ran; its `output` says why."""
        with self._db:
            status = self._create(instance, now)
            if status is None:
                failed = replace(instance, status="Failed", updated=now)
                ends = history.closing_events(failed, now)
                self._append(instance.id, [history.execution_started(instance, now), *ends])
                self._update(failed, forced=True)
                self._conclude(failed, Effects())
        return status

    def next_work(self, instance_id: str) -> Work | None:
        """Give the oldest message for an instance, unless that is suspended, final or gone."""
        instance = self.read(instance_id)
        row = self._db.execute(
            "SELECT seq, event FROM inbox WHERE instance = ? ORDER BY seq LIMIT 1", (instance_id,)
        ).fetchone()
        if instance is None or row is None or instance.status == "Suspended":
            return None
        return Work(instance, row[0], json.loads(row[1]), self.history(instance_id))

    def commit(self, work: Work, turn: Turn) -> Effects:
        """Store one episode whole. An instance terminated meanwhile keeps its end, and the episode leaves no trace."""
        effects = Effects()
        with self._db:
            consumed = self._db.execute("DELETE FROM inbox WHERE seq = ?", (work.message,)).rowcount
            if consumed:
                self._append(turn.instance.id, turn.events)
                self._update(turn.instance)
                for task in turn.tasks:
                    self._schedule(turn.instance, task, effects)
                self._cancel(turn.instance, turn.cancelled)
                self._conclude(turn.instance, effects)
        return effects

    def finish_activity(self, activity: Activity, result: Event) -> bool:
        """Hand an activity's result to its orchestration; false when nothing waits for it any more."""
        with self._db:
            gone = self._db.execute("DELETE FROM activities WHERE seq = ?", (activity.seq,)).rowcount == 0
            return not gone and self._post(activity.instance, activity.execution, result)

    def fire_timer(self, timer: Timer, fired: Event) -> bool:
        """Hand a timer's firing to its orchestration; false when it was cancelled or nothing waits for it."""
        with self._db:
            gone = self._db.execute("DELETE FROM timers WHERE seq = ?", (timer.seq,)).rowcount == 0
            return not gone and self._post(timer.instance, timer.execution, fired)

    def raise_event(self, instance_id: str, raised: Event) -> str | None:
        """Put an external event in the inbox unless the instance is final; gives its status, None if unknown."""
        with self._db:
            instance = self.read(instance_id)
            if instance is not None:
                self._post(instance.id, instance.execution, raised)
        return instance.status if instance else None

    def switch(self, instance_id: str, status: str, *, now: datetime, reason: str = "") -> tuple[str | None, Effects]:
        """Set Suspended, Running or Terminated from outside; gives the status before (None if unknown).

        A final status is never changed. The output is the reason, whichever of the three it is; termination ends no
        child orchestration.
        """
        effects = Effects(wake=[instance_id])
        with self._db:
            instance = self.read(instance_id)
            if instance and instance.status not in FINAL and (status != "Running" or instance.status == "Suspended"):
                after = replace(instance, status=status, output=json.dumps(reason), updated=now)
                self._update(after, forced=True)
                if status in FINAL:
                    ended = history.event(history.EventType.EXECUTION_TERMINATED, now, Input=reason)
                    self._append(instance.id, [ended])
                    self._conclude(after, effects)
        return (instance.status if instance else None), effects

    def read(self, instance_id: str) -> Instance | None:
        """Give one instance."""
        row = self._db.execute("SELECT * FROM instances WHERE id = ?", (instance_id,)).fetchone()
        return _instance(row) if row else None

    def read_after(self, instance_id: str, holds: Callable[[Instance], bool], most: int) -> list[Instance]:
        """Give up to `most` instances that `holds` wants, in the order of their ids, after this one ("" for all)."""
        rows = self._db.execute("SELECT * FROM instances WHERE id > ? ORDER BY id", (instance_id,))
        return list(islice(filter(holds, map(_instance, rows)), most))

    def purge_where(self, holds: Callable[[Instance], bool]) -> int:
        """Delete the finished instances that `holds` wants, with their histories; gives how many there were."""
        rows = self._db.execute("SELECT * FROM instances")
        return self.purge([found.id for found in map(_instance, rows) if found.status in FINAL and holds(found)])

    def history(self, instance_id: str) -> list[str]:
        """Give the history of an instance as JSON texts."""
        rows = self._db.execute("SELECT event FROM history WHERE instance = ? ORDER BY seq", (instance_id,))
        return [row[0] for row in rows]

    def purge(self, instance_ids: Iterable[str]) -> int:
        """Delete finished instances with their histories; gives how many there were."""
        with self._db:
            return sum(self._purge(instance_id) for instance_id in instance_ids)

    def outstanding(self) -> Effects:
        """Give all that was under way when the host last stopped."""
        wake = [row[0] for row in self._db.execute("SELECT instance FROM inbox GROUP BY instance ORDER BY min(seq)")]
        activities = [Activity(*row) for row in self._db.execute("SELECT * FROM activities ORDER BY seq")]
        timers = [_timer(row) for row in self._db.execute("SELECT * FROM timers ORDER BY fire_at")]
        return Effects(wake, activities, timers)

    def _create(self, instance: Instance, now: datetime) -> str | None:
        existing = self.read(instance.id)
        if existing and existing.status not in FINAL:
            return existing.status
        self._purge(instance.id)
        parent = msgspec.json.encode(instance.parent).decode()
        plan = msgspec.json.encode(instance.plan).decode()
        times = timestamp(instance.created), timestamp(instance.updated)
        self._db.execute(
            "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?)",
            (instance.id, instance.execution, instance.name, "Pending", *times, instance.input, parent, plan),
        )
        self._put(instance.id, history.execution_started(instance, now))
        return None

    def _purge(self, instance_id: str) -> int:
        self._db.execute("DELETE FROM history WHERE instance = ?", (instance_id,))
        self._db.execute("DELETE FROM inbox WHERE instance = ?", (instance_id,))
        return self._db.execute("DELETE FROM instances WHERE id = ?", (instance_id,)).rowcount

    def _schedule(self, instance: Instance, task: Task, effects: Effects) -> None:
        key = (instance.id, instance.execution, task.id)
        if task.fire_at:
            row = (*key, timestamp(task.fire_at))
            sql = "INSERT INTO timers (instance, execution, task, fire_at) VALUES (?, ?, ?, ?)"
            effects.timers.append(Timer(self._insert(sql, row), *key, task.fire_at))
        elif task.call.kind == "activity":
            called = (*key, task.call.name, task.call.input)
            sql = "INSERT INTO activities (instance, execution, task, name, input) VALUES (?, ?, ?, ?, ?)"
            effects.activities.append(Activity(self._insert(sql, called), *called))
        else:
            self._start_child(instance, task, effects)

    def _start_child(self, parent: Instance, task: Task, effects: Effects) -> None:
        now, call = parent.updated, task.call
        waiting = Parent(parent.id, parent.execution, task.id)
        child = Instance(
            call.instance, f"{parent.execution}.{task.id:x}", call.name, "Pending", now, now, call.input, parent=waiting
        )
        status = self._create(child, now)
        if status:
            text = json.dumps(f"An Orchestration instance with the status {status} already exists.")
            self._put(parent.id, history.child_result(replace(child, status="Failed", output=text), now))
        effects.wake.append(parent.id if status else child.id)

    def _cancel(self, instance: Instance, tasks: Iterable[int]) -> None:
        for task in tasks:
            self._db.execute(
                "DELETE FROM timers WHERE instance = ? AND execution = ? AND task = ?",
                (instance.id, instance.execution, task),
            )

    def _conclude(self, instance: Instance, effects: Effects) -> None:
        if instance.status not in FINAL:
            return
        self._db.execute("DELETE FROM inbox WHERE instance = ?", (instance.id,))
        self._db.execute("DELETE FROM timers WHERE instance = ?", (instance.id,))
        parent = instance.parent
        if parent and self._post(parent.instance, parent.execution, history.child_result(instance, instance.updated)):
            effects.wake.append(parent.instance)

    def _post(self, instance_id: str, execution: str, arrived: Event) -> bool:
        instance = self.read(instance_id)
        if instance is None or instance.execution != execution or instance.status in FINAL:
            return False
        self._put(instance_id, arrived)
        return True

    def _put(self, instance_id: str, arrived: Event) -> None:
        self._db.execute("INSERT INTO inbox (instance, event) VALUES (?, ?)", (instance_id, json.dumps(arrived)))

    def _append(self, instance_id: str, events: Iterable[Event]) -> None:
        rows = [(instance_id, json.dumps(event)) for event in events]
        self._db.executemany("INSERT INTO history (instance, event) VALUES (?, ?)", rows)

    def _update(self, instance: Instance, *, forced: bool = False) -> None:
        """Write the instance; one that was suspended while its episode ran stays so, unless that was its last."""
        plan = msgspec.json.encode(instance.plan).decode()
        kept = not forced and instance.status not in FINAL
        self._db.execute(
            "UPDATE instances SET status = CASE WHEN ? AND status = 'Suspended' THEN status ELSE ? END,"
            " updated = ?, output = ?, custom_status = ?, plan = ? WHERE id = ?",
            (kept, instance.status, timestamp(instance.updated), instance.output, instance.custom_status, plan,
             instance.id),
        )  # fmt: skip

    def _insert(self, sql: str, row: tuple[object, ...]) -> int:
        number = self._db.execute(sql, row).lastrowid
        if number is None:
            raise sqlite3.DatabaseError(f"SQLite gave no row number for: {sql}")
        return number


def _instance(row: tuple[str, ...]) -> Instance:
    fields = dict(zip((field.name for field in dataclasses.fields(Instance)), row, strict=True))
    parsed = {name: msgspec.json.decode(fields[name]) for name in ("parent", "plan")}
    return msgspec.convert({**fields, **parsed}, Instance, str_keys=True)


def _timer(row: tuple[int, str, str, int, str]) -> Timer:
    return Timer(*row[:4], datetime.fromisoformat(row[4]))
