"""The replay against every recorded episode: given the same history and answer, the same tasks under the same ids."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from emulators.functions_host.durable.decisions import Catalogue, Episode, take_turn
from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    child_result,
    event,
    event_raised,
    execution_started,
    switched,
    task_event,
    timer_fired,
)
from emulators.functions_host.durable.model import Call, Instance, Parent, Task
from emulators.functions_host.durable.replay import replay
from tests.unit.functions_host.durable.recorded import episodes, instances

TOPIC_AWAY = "topic260-20261127T011620Z"
HUB_AWAY = "o42d60-20261127T011620Z-leg0"
# Non-deterministic at its end, terminated, and two that still waited when the recording ended.
UNFINISHED = {("november", TOPIC_AWAY), ("shapes", "w2"), ("shapes", "w3"), ("shapes", "x1")}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORK, KID = Call("activity", "work"), Call("child", "kid", None, "k")
SCHEDULED = {EventType.TASK_SCHEDULED: "activity", EventType.CHILD_CREATED: "child", EventType.TIMER_CREATED: "timer"}


def recorded_tasks(episode, following):
    """Give what the extension scheduled after an episode: its next history says it, up to the episode's end."""
    for one in following.history[len(episode.history) :]:
        if one["EventType"] == EventType.ORCHESTRATOR_COMPLETED:
            return
        moment = one.get("FireAt") and datetime.fromisoformat(one["FireAt"])
        yield (one["EventId"], SCHEDULED[one["EventType"]], one.get("Name", ""), one.get("InstanceId"), moment)


def told(task):
    return (task.id, task.call.kind, task.call.name, task.call.instance or None, task.fire_at)


@pytest.mark.parametrize(("file", "instance"), instances())
def test_every_recorded_episode_schedules_what_the_extension_scheduled(file, instance):
    recorded = episodes(file)[instance]

    for episode, following in itertools.pairwise(recorded):
        outcome = replay(episode.execution, episode.history, episode.reply)

        if following.execution == episode.execution:
            assert outcome.fault is None
            assert [told(task) for task in outcome.tasks] == list(recorded_tasks(episode, following))
        else:
            assert outcome.returned


class Anything:
    """A catalogue that knows every name."""

    def __contains__(self, name):
        return True


def written(one):
    """Give an event without the moment at which it was written."""
    fields = {name: value for name, value in one.items() if name != "Timestamp"}
    return fields | ({"FireAt": datetime.fromisoformat(one["FireAt"])} if "FireAt" in one else {})


@pytest.mark.parametrize(("file", "instance"), instances())
def test_every_recorded_episode_writes_the_history_that_the_extension_wrote(file, instance):
    begun = 0
    for episode, following in itertools.pairwise(episodes(file)[instance]):
        if following.execution != episode.execution:
            begun = 0
            continue
        past, (opened, *arrived) = episode.history[:begun], episode.history[begun:]
        now = datetime.fromisoformat(opened["Timestamp"])
        current = Instance(instance, episode.execution, "any", "Running", now, now)

        turn = take_turn(Episode(current, past, arrived, now), episode.reply, Catalogue(Anything(), Anything()), "-")

        begun += len(turn.events)
        recorded = following.history[begun - len(turn.events) : begun]
        assert [written(one) for one in turn.events] == [written(one) for one in recorded]


def test_events_of_every_kind_have_the_fields_of_the_recorded_ones():
    recorded = {
        EventType(one["EventType"]): set(one)
        for file, instance in instances()
        for one in episodes(file)[instance][-1].history
    }
    child = Instance("k", "ke", "kid", "Failed", NOW, NOW, output='"no"', parent=Parent("i", "e", 0, "main"))
    ended = replace(child, status="Completed")
    made = [
        event(EventType.ORCHESTRATOR_STARTED, NOW),
        event(EventType.ORCHESTRATOR_COMPLETED, NOW),
        execution_started(child, NOW),
        event_raised("go", "1", NOW),
        activity_result(0, "work", result="1", error=None, now=NOW),
        activity_result(0, "work", result=None, error="no", now=NOW),
        child_result(child, NOW),
        child_result(ended, NOW),
        timer_fired(0, NOW, NOW),
        *(switched(status, NOW, "why") for status in ("Suspended", "Running", "Terminated")),
        *(task_event(task, NOW) for task in (Task(0, WORK), Task(0, KID), Task(0, Call("timer", ""), NOW))),
    ]

    assert {one["EventType"]: set(one) for one in made} == recorded


def last_of(file, instance):
    episode = episodes(file)[instance][-1]
    return episode, replay(episode.execution, episode.history, episode.reply)


@pytest.mark.parametrize(("file", "instance"), sorted(set(instances()) - UNFINISHED))
def test_every_recorded_orchestration_that_returned_has_nothing_open(file, instance):
    episode, outcome = last_of(file, instance)

    assert episode.reply.done
    assert (outcome.returned, outcome.fault, outcome.tasks) == (True, None, ())


def test_a_topic_away_past_the_windows_end_is_non_deterministic_as_recorded():
    _, outcome = last_of("november", TOPIC_AWAY)

    assert outcome.fault == (
        "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task "
        "with sequence number 35 named 'publish_opening', but the current orchestration replay instead scheduled an "
        "activity task named 'close_window' with this sequence number.  Was a change made to the orchestrator code "
        "after this instance had already started running?"
    )


def test_a_terminated_orchestration_ends_with_the_reason():
    _, outcome = last_of("shapes", "w2")

    assert (outcome.terminated, outcome.returned, outcome.tasks) == ("enough", False, ())


def test_a_suspended_orchestration_takes_no_event_until_it_is_resumed():
    paused, resumed = (replay(e.execution, e.history, e.reply) for e in episodes("shapes")["w2"][1:3])

    assert (paused.suspended, resumed.suspended) == ("pause", None)


def test_each_generation_but_the_last_names_the_input_of_the_next():
    generations = [replay(e.execution, e.history, e.reply) for e in episodes("shapes")["g1"][1::2]]

    assert [one.continued_with for one in generations] == ["1", "2", "3", None]
    assert all(one.returned for one in generations)


def test_results_under_the_wrong_tasks_come_out_as_recorded():
    """The hub was away for a minute: the SDK's and the extension's ids part ways, and nothing fails."""
    episode, outcome = last_of("november", HUB_AWAY)

    assert outcome.returned
    assert None in json.loads(episode.reply.output)
