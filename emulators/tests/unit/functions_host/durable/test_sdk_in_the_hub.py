"""The hub around Microsoft's SDK itself, with outcomes, their order and their batches drawn at random."""

import json
import sqlite3
import warnings
from contextlib import closing
from datetime import UTC, datetime, timedelta

import azure.durable_functions as df
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.functions_host.durable.decisions import Catalogue, Episode, take_turn
from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    event,
    read_failure,
    read_reply,
    trigger_input,
)
from emulators.functions_host.durable.model import Instance
from emulators.functions_host.durable.store import TaskStore

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRY = df.RetryOptions(1000, 2)


def main(context):
    kids = [context.call_sub_orchestrator("kid", number) for number in range(3)]
    stop = context.wait_for_external_event("stop")
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
    winner = yield context.task_any([timer, stop])
    if winner is stop and not timer.is_completed:
        timer.cancel()
    told = yield context.task_all(kids)
    both = yield context.task_all([context.call_activity("echo", 10), context.call_activity("echo", 11)])
    return {"told": told, "both": both}


def kid(context):
    number = context.get_input()
    try:
        value = yield context.call_activity_with_retry("work", RETRY, number)
    except Exception:
        value = "gave up"
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    return [number, value]


ORCHESTRATORS = {"main": df.Orchestrator.create(main), "kid": df.Orchestrator.create(kid)}
KNOWN = Catalogue(frozenset({"work", "echo"}), frozenset(ORCHESTRATORS))


class Hub:
    """A hub in memory whose clock, outcomes and batches are the test's."""

    def __init__(self, store, draw):
        self.store, self.draw, self.now = store, draw, START
        self.activities, self.timers, self.woken = [], [], []

    def drive(self, instance_id):
        work = self.store.next_work(instance_id)
        if work is None:
            return
        episode = Episode(work.instance, [json.loads(text) for text in work.past], work.arrived, self.now)
        text = trigger_input(work.instance, work.past, episode.opening)
        try:
            reply = read_reply(ORCHESTRATORS[work.instance.name](text))
        except Exception as error:
            reply = read_failure(f"Exception: {error}")
        self.apply(self.store.commit(work, take_turn(episode, reply, KNOWN, "next")))

    def apply(self, effects):
        self.activities += effects.activities
        self.timers += effects.timers
        self.woken += effects.wake

    def step(self):
        """End an activity, fire the earliest timer, or deliver what has arrived for an instance, as drawn."""
        ways = [
            way
            for way, any_ in ((self.end, self.activities), (self.fire, self.timers), (self.look, self.woken))
            if any_
        ]
        self.draw(st.sampled_from(ways))()

    def look(self):
        self.drive(self.woken.pop(self.draw(st.integers(0, len(self.woken) - 1))))

    def end(self):
        activity = self.activities.pop(self.draw(st.integers(0, len(self.activities) - 1)))
        error = "ValueError: no" if activity.name == "work" and self.draw(st.booleans()) else None
        ended = activity_result(activity.task, activity.name, result=activity.input, error=error, now=self.now)
        self.store.finish_activity(activity, ended)
        self.woken.append(activity.instance)

    def fire(self):
        timer = min(self.timers, key=lambda timer: timer.fire_at)
        self.timers.remove(timer)
        self.now = max(self.now, timer.fire_at)
        self.store.fire_timer(timer, event(EventType.TIMER_FIRED, self.now, TimerId=timer.task, FireAt=""))
        self.woken.append(timer.instance)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_task_gets_its_own_result_whatever_ends_in_whatever_order_and_batch(data):
    with closing(sqlite3.connect(":memory:")) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a codec that its 2.x will have
        warnings.filterwarnings("error", "Potential duplicate Task completion")
        hub = Hub(TaskStore(connection), data.draw)
        hub.store.create(Instance("i", "e", "main", "Pending", START, START), START)
        hub.woken.append("i")
        stop_after = data.draw(st.integers(0, 30))
        steps = 0
        while hub.activities or hub.timers or hub.woken:
            if steps == stop_after:
                hub.store.raise_event("i", event(EventType.EVENT_RAISED, hub.now, Name="stop", Input="null"))
                hub.woken.append("i")
            hub.step()
            steps += 1

        ended = hub.store.read("i")

    assert ended.status == "Completed"
    output = json.loads(ended.output)
    assert output["both"] == [10, 11]
    assert [number for number, _ in output["told"]] == [0, 1, 2]
    assert all(value in {number, "gave up"} for number, value in output["told"])
