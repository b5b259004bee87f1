"""The hub's decisions against Microsoft's SDK itself, with outcomes and their order drawn at random."""

import json
import sqlite3
import warnings
from contextlib import closing
from datetime import UTC, datetime, timedelta

import azure.durable_functions as df
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.functions_host.durable.decisions import Catalogue, opening, take_turn
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
    stop = context.wait_for_external_event("stop")
    running = [context.call_activity_with_retry("work", RETRY, n) for n in range(2)]
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
    done = []
    while running:
        winner = yield context.task_any([timer, *running, stop] if timer else [*running, stop])
        if winner is timer:
            timer = None
            running.append(context.call_sub_orchestrator("kid", len(done)))
        elif winner is stop:
            break
        else:
            running.remove(winner)
            done.append("failed" if isinstance(winner.result, Exception) else winner.result)
    if timer:
        timer.cancel()
    both = yield context.task_all([context.call_activity("work", 10), context.call_activity("work", 11)])
    return {"done": done, "both": both}


def kid(context):
    try:
        value = yield context.call_activity_with_retry("work", RETRY, 20 + context.get_input())
    except Exception:
        value = "kid gave up"
    return value


ORCHESTRATORS = {"main": df.Orchestrator.create(main), "kid": df.Orchestrator.create(kid)}
KNOWN = Catalogue(frozenset({"work"}), frozenset(ORCHESTRATORS))


class Hub:
    """A hub in memory whose clock and outcomes are the test's."""

    def __init__(self, store, draw):
        self.store, self.draw, self.now = store, draw, START
        self.activities, self.timers, self.scheduled = [], [], 0

    def drive(self, instance_id):
        while work := self.store.next_work(instance_id):
            text = trigger_input(work.instance, work.past, opening(self.now, work.arrived))
            try:
                reply = read_reply(ORCHESTRATORS[work.instance.name](text))
            except Exception as error:
                reply = read_failure(f"Exception: {error}")
            self.apply(
                self.store.commit(work, take_turn(work.instance, work.arrived, reply=reply, now=self.now, known=KNOWN))
            )

    def apply(self, effects):
        self.activities += effects.activities
        self.timers += effects.timers
        for instance_id in effects.wake:
            self.drive(instance_id)

    def step(self):
        """End an activity or fire the earliest timer, as drawn."""
        if self.activities and (not self.timers or self.draw(st.booleans())):
            activity = self.activities.pop(self.draw(st.integers(0, len(self.activities) - 1)))
            error = "ValueError: no" if self.draw(st.integers(0, 2)) == 0 else None
            ended = activity_result(activity.task, "work", result=activity.input, error=error, now=self.now)
            if self.store.finish_activity(activity, ended):
                self.drive(activity.instance)
        else:
            timer = min(self.timers, key=lambda timer: timer.fire_at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.fire_at)
            if self.store.fire_timer(timer, event(EventType.TIMER_FIRED, self.now, TimerId=timer.task, FireAt="")):
                self.drive(timer.instance)


def scheduled_ids(store):
    events = [json.loads(text) for text in store.history("i")]
    return [e["EventId"] for e in events if e["EventId"] >= 0]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_host_and_sdk_agree_on_every_task_whatever_ends_in_whatever_order(data):
    with closing(sqlite3.connect(":memory:")) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a codec that its 2.x will have
        warnings.filterwarnings("error", "Potential duplicate Task completion")
        hub = Hub(TaskStore(connection), data.draw)
        hub.store.create(Instance("i", "e", "main", "Pending", START, START), START)
        hub.drive("i")
        stop_after = data.draw(st.integers(0, 30))
        for step in range(200):
            if hub.store.read("i").status != "Running" or not (hub.activities or hub.timers):
                break
            if step == stop_after:
                hub.store.raise_event("i", event(EventType.EVENT_RAISED, hub.now, Name="stop", Input="null"))
                hub.drive("i")
            else:
                hub.step()

        ended, ids = hub.store.read("i"), scheduled_ids(hub.store)

    assert ended.status in {"Completed", "Failed"}
    assert ids == sorted(set(ids))
    assert ended.status == "Completed" or "work" in ended.output
