"""A task hub for tests: orchestrators run as under Microsoft's Durable extension, in time that passes at once.

Microsoft's SDK replays the orchestrator; the decisions, the history and its memory are those of the local Functions
host, which are held against recorded episodes of the extension. Activities are played by a function. No socket, no
sleep: a day of orchestrations is a heap of moments.
"""

import heapq
import itertools
import json
import sqlite3
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df

from emulators.functions_host.durable.decisions import Catalogue, Episode, take_turn
from emulators.functions_host.durable.history import (
    activity_result,
    event_raised,
    read_failure,
    read_reply,
    timer_fired,
    trigger_input,
)
from emulators.functions_host.durable.model import FINAL, Instance, Reply
from emulators.functions_host.durable.polling import WORK_ITEMS, Polling, control_queue
from emulators.functions_host.durable.store import Activity, TaskStore, Timer

START = datetime(2026, 11, 1, tzinfo=UTC)
_ALL = 10_000

HOP = 0.1
"""Seconds that a message and the episode that it wakes take at the least, as in the recordings."""

HIDDEN = 300.0
"""Seconds after which a message that a dead host had taken is seen again (`workItemQueueVisibilityTimeout`)."""


@dataclass(frozen=True)
class Played:
    """What an activity did: `result`, or `error` (as the worker tells it), after so many seconds."""

    result: Any = None
    error: str | None = None
    seconds: float = 0.2


@dataclass(frozen=True)
class Call:
    """A call of an activity: what was given, and when it began and ended, in seconds from the start."""

    name: str
    given: Any
    instance: str
    began: float
    ended: float


@dataclass(frozen=True)
class Ended:
    """How an instance stands, or ended; `events` is the length of its longest history."""

    name: str
    status: str
    output: Any
    events: int


@dataclass
class TaskHub:
    """Orchestrators by name, and `play`: (activity, what it is given, seconds since the start) → what it did.

    polling: how late the queues are looked into. shuffle: gives the order in which a batch is delivered.
    dies: (instance, number of its episode, from 0) → whether the worker dies while it replays the orchestrator.
    largest: the characters of the largest input or output of an activity or an orchestration so far.
    """

    orchestrators: Mapping[str, Callable[[Any], Any]]
    play: Callable[[str, Any, float], Played]
    polling: Polling = field(default_factory=Polling)
    shuffle: Callable[[list[Any]], list[Any]] = list
    dies: Callable[[str, int], bool] = lambda instance, episode: False

    def __post_init__(self):
        self._functions = {name: df.Orchestrator.create(body) for name, body in self.orchestrators.items()}
        self._known = Catalogue(_Every(), frozenset(self._functions))
        self._connection = sqlite3.connect(":memory:")
        self._store = TaskStore(self._connection)
        self._agenda = []
        self._order = itertools.count()
        self._running = {}
        self._episodes, self._longest = Counter(), Counter()
        self.now = START
        self.calls = []
        self.duplicates = self.largest = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return (self.now - START).total_seconds()

    def start(self, name: str, instance: str, given: Any) -> None:
        """Start an orchestration now."""
        assert self.start_unless_alive(name, instance, given) is None

    def start_unless_alive(self, name: str, instance: str, given: Any) -> str | None:
        """Start an orchestration now, over one of its id that has ended; gives the status of one that has not."""
        text = json.dumps(json.dumps(given))  # as the SDK's client sends it
        execution = f"{instance}/execution{next(self._order)}"
        status = self._store.create(Instance(instance, execution, name, "Pending", self.now, self.now, text), self.now)
        if status is None:
            self._wake(instance)
        return status

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something at a moment, in seconds from the start."""
        heapq.heappush(self._agenda, (START + timedelta(seconds=seconds), next(self._order), do))

    def raise_event(self, instance: str, name: str, value: Any = None) -> None:
        """Raise an event to an instance now, as the SDK's client does; one that is unknown or has ended misses it."""
        self._store.raise_event(instance, event_raised(name, json.dumps(value), self.now))
        self._wake(instance)

    def terminate(self, instance: str) -> None:
        """Terminate an instance now."""
        self._apply(self._store.switch(instance, "Terminated", now=self.now, reason="terminated")[1])

    def kill_host(self) -> None:
        """Let the host die: what runs is lost, and is taken up again when its message is seen again."""
        for activity, began in self._running.values():
            begin = max(self.seconds, (began - START).total_seconds() + HIDDEN)
            self.at(begin, lambda activity=activity: self._take(activity))
        self._running.clear()

    def kill_worker(self) -> None:
        """Let the worker die: the activities that it runs fail."""
        for number, (activity, began) in list(self._running.items()):
            self._finish(number, activity, began, Played(error="WorkerProcessExitException: the worker exited"))

    def run(self, seconds: float = 7 * 86_400) -> None:
        """Let time pass until nothing is left to be done, or until so many seconds after the start."""
        end = START + timedelta(seconds=seconds)
        while self._agenda and self._agenda[0][0] <= end:
            moment, _, do = heapq.heappop(self._agenda)
            self.now = max(self.now, moment)
            do()

    def ended(self) -> dict[str, Ended]:
        """Give every instance by its id."""
        return {
            one.id: Ended(one.name, one.status, json.loads(one.output or "null"), self._longest[one.id])
            for one in self.instances()
        }

    def failed(self) -> dict[str, Any]:
        """Give the outputs of the instances that failed."""
        return {name: one.output for name, one in self.ended().items() if one.status == "Failed"}

    def unended(self) -> list[str]:
        """Name the instances that have not ended."""
        return [name for name, one in self.ended().items() if one.status not in FINAL]

    def history(self, instance: str) -> list[dict[str, Any]]:
        """Give the history of an instance."""
        return [json.loads(text) for text in self._store.history(instance)]

    def instances(self) -> list[Instance]:
        """Give every instance as the task hub knows it."""
        return self._store.read_after("", lambda _: True, _ALL)

    def _later(self, seconds, do):
        heapq.heappush(self._agenda, (self.now + timedelta(seconds=seconds), next(self._order), do))

    def _wake(self, instance):
        self._later(HOP + self.polling.wait(control_queue(instance), self.now), lambda: self._deliver(instance))

    def _apply(self, effects):
        for timer in effects.timers:
            self._arm(timer)
        for activity in effects.activities:
            wait = HOP + self.polling.wait(WORK_ITEMS, self.now)
            self._later(wait, lambda activity=activity: self._take(activity))
        for instance in effects.wake:
            self._wake(instance)

    def _arm(self, timer: Timer):
        whole = max(0, (timer.fire_at - self.now) // timedelta(seconds=1))
        self._later(whole, lambda: self._fire(timer))

    def _fire(self, timer):
        if self._store.fire_timer(timer, timer_fired(timer.task, timer.fire_at, self.now)):
            self._wake(timer.instance)

    def _deliver(self, instance):
        work = self._store.next_work(instance)
        if work is None:
            return
        first, *rest = work.arrived
        arrived = [first, *self.shuffle(rest)] if not work.past else self.shuffle(list(work.arrived))
        episode = Episode(work.instance, [json.loads(text) for text in work.past], arrived, self.now)
        turn = take_turn(episode, self._ask(work, episode), self._known, f"{instance}/{next(self._order)}")
        effects = self._store.commit(work, turn)
        self._weigh(*(task.call.input for task in turn.tasks), turn.instance.output)
        self._longest[instance] = max(self._longest[instance], len(work.past) + len(turn.events))
        self._apply(effects)
        if turn.fresh:
            self._deliver(instance)

    def _ask(self, work, episode) -> Reply:
        number = self._episodes[work.instance.id]
        self._episodes[work.instance.id] += 1
        if self.dies(work.instance.id, number):
            return Reply(done=True, error="The language worker process has exited.")
        text = trigger_input(work.instance, work.past, episode.opening)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                reply = read_reply(self._functions[work.instance.name](text))
            except Exception as error:
                reply = read_failure(f"Exception: {error}")
        self.duplicates += sum("duplicate" in str(one.message) for one in told)
        return reply

    def _weigh(self, *payloads):
        self.largest = max(self.largest, *(len(one or "") for one in payloads))

    def _take(self, activity: Activity):
        played = self.play(activity.name, json.loads(activity.input or "null"), self.seconds)
        number, began = next(self._order), self.now
        self._running[number] = (activity, began)
        self._later(played.seconds, lambda: self._finish(number, activity, began, played))

    def _finish(self, number, activity, began, played):
        if self._running.pop(number, None) is None:
            return
        given, started = json.loads(activity.input or "null"), (began - START).total_seconds()
        self.calls.append(Call(activity.name, given, activity.instance, started, self.seconds))
        result = None if played.error else json.dumps(played.result)
        self._weigh(result)
        ended = activity_result(activity.task, activity.name, result=result, error=played.error, now=self.now)
        if self._store.finish_activity(activity, ended):
            self._wake(activity.instance)


class _Every(frozenset):
    """Knows every activity: those that a test does not mean, `play` refuses."""

    def __contains__(self, name):
        return True
