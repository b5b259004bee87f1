"""The task hub's memory: SQLite, one commit per change, so that a killed host resumes where it was.

Not thread-safe by design: the engine calls it from one thread only.
"""

import dataclasses
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import msgspec

from emulators.functions_host.durable import history
from emulators.functions_host.durable.model import FINAL, Event, Instance, Parent, Task, Turn, timestamp
from emulators.functions_host.errors import AppRefused

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
    updated TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT, parent TEXT);
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
    """The next episode of an instance: the messages to deliver, in order of arrival, and its history as JSON texts."""

    instance: Instance
    messages: tuple[int, ...]
    arrived: tuple[Event, ...]
    past: Sequence[str]


class TaskStore:
    """Instances, their histories and inboxes, and the activities and timers that are outstanding."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._refuse_older()
        self._db.executescript(_SCHEMA)

    def _refuse_older(self) -> None:
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(instances)")}
        if columns - {field.name for field in dataclasses.fields(Instance)}:
            raise AppRefused("the state file was written by another version of this host: delete it, or use another")

    def create(self, instance: Instance, now: datetime) -> str | None:
        """Insert `instance` as Pending with its start message, over a finished one of the same id.

        Gives the status of the instance that stands in the way (any that isn't final), in which case nothing changes.
        """
        with self._db:
            return self._create(instance, now)

    def next_work(self, instance_id: str) -> Work | None:
        """Give all that has arrived for an instance, as one episode takes it."""
        instance = self.read(instance_id)
        rows = self._db.execute(
            "SELECT seq, event FROM inbox WHERE instance = ? ORDER BY seq", (instance_id,)
        ).fetchall()
        if instance is None or not rows:
            return None
        arrived = tuple(json.loads(row[1]) for row in rows)
        return Work(instance, tuple(row[0] for row in rows), arrived, self.history(instance_id))

    def commit(self, work: Work, turn: Turn) -> Effects:
        """Store one episode whole."""
        effects = Effects()
        with self._db:
            self._db.executemany("DELETE FROM inbox WHERE seq = ?", [(seq,) for seq in work.messages])
            self._update(turn.instance)
            if turn.fresh:
                self._begin_again(turn)
            else:
                self._append(turn.instance.id, turn.events)
            for task in turn.tasks:
                self._schedule(turn.instance, task, effects)
            self._conclude(turn.instance, effects)
        return effects

    def finish_activity(self, activity: Activity, result: Event) -> bool:
        """Hand an activity's result to its orchestration; false when nothing waits for it any more."""
        with self._db:
            gone = self._db.execute("DELETE FROM activities WHERE seq = ?", (activity.seq,)).rowcount == 0
            return not gone and self._post(activity.instance, activity.execution, result)

    def fire_timer(self, timer: Timer, fired: Event) -> bool:
        """Hand a timer's firing to its orchestration, also one that was cancelled; false when that has ended."""
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
        """Ask for Suspended, Running or Terminated; gives the status before (None if unknown).

        It takes effect with the instance's next episode, as in Azure. Termination ends no child orchestration.
        """
        with self._db:
            instance = self.read(instance_id)
            if instance:
                self._post(instance.id, instance.execution, history.switched(status, now, reason))
        return (instance.status if instance else None), Effects(wake=[instance_id])

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
        times = timestamp(instance.created), timestamp(instance.updated)
        self._db.execute(
            "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",
            (instance.id, instance.execution, instance.name, "Pending", *times, instance.input, parent),
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
        waiting = Parent(parent.id, parent.execution, task.id, parent.name)
        child = Instance(call.instance, uuid.uuid4().hex, call.name, "Pending", now, now, call.input, parent=waiting)
        status = self._create(child, now)
        if status:
            text = json.dumps(f"An Orchestration instance with the status {status} already exists.")
            self._put(parent.id, history.child_result(replace(child, status="Failed", output=text), now))
        effects.wake.append(parent.id if status else child.id)

    def _begin_again(self, turn: Turn) -> None:
        """Start a generation: its history is new, and of what waits only what came from outside is kept."""
        instance_id = turn.instance.id
        rows = self._db.execute("SELECT event FROM inbox WHERE instance = ? ORDER BY seq", (instance_id,))
        kept = [message for (text,) in rows if (message := json.loads(text))["EventType"] in history.FROM_OUTSIDE]
        for table in ("history", "inbox", "timers"):
            self._db.execute(f"DELETE FROM {table} WHERE instance = ?", (instance_id,))  # noqa: S608 - names above
        for message in (*turn.fresh, *kept):
            self._put(instance_id, message)

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

    def _update(self, instance: Instance) -> None:
        self._db.execute(
            "UPDATE instances SET execution = ?, status = ?, updated = ?, input = ?, output = ?, custom_status = ?"
            " WHERE id = ?",
            (instance.execution, instance.status, timestamp(instance.updated), instance.input, instance.output,
             instance.custom_status, instance.id),
        )  # fmt: skip

    def _insert(self, sql: str, row: tuple[object, ...]) -> int:
        number = self._db.execute(sql, row).lastrowid
        if number is None:
            raise sqlite3.DatabaseError(f"SQLite gave no row number for: {sql}")
        return number


def _instance(row: tuple[str, ...]) -> Instance:
    fields = dict(zip((field.name for field in dataclasses.fields(Instance)), row, strict=True))
    return msgspec.convert({**fields, "parent": msgspec.json.decode(fields["parent"])}, Instance)


def _timer(row: tuple[int, str, str, int, str]) -> Timer:
    return Timer(*row[:4], datetime.fromisoformat(row[4]))
