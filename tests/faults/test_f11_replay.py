"""F11: the present orchestrators go on with the last release's histories, through 10,000 slices, and bear any text."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from emulators.functions_host.durable.polling import Polling
from shared.domain.windows.window import Window
from tests.faults.histories import departures, recorded
from tests.replay.app import ORCHESTRATORS, PLAN, World
from tests.replay.task_hub import START, Played, TaskHub
from tests.replay.worlds import Outage

MOST_EVENTS = 200
MOST_PAYLOAD = 16 * 1024
MOST_REASON = 300
MARKETS = tuple(f"coinbase:ASSET{number}-USD" for number in range(40))


def plan(hours):
    """Give the plan of a long window with many markets; that of a day has as many slices as one may have."""
    window = Window("payments", START + timedelta(minutes=1), START + timedelta(minutes=1, hours=hours))
    return replace(PLAN, window=window, slice_length=timedelta(seconds=150), sources=MARKETS)


@pytest.mark.filterwarnings("ignore")  # the SDK speaks of duplicates, and of its next version
def test_the_present_orchestrators_go_on_with_every_recorded_history(figures):
    rows = [row for kept in recorded().values() for row in kept]

    found = [one for row in rows for one in departures(row, ORCHESTRATORS)]

    figures.all_of("histories of the last release that go on", len(rows) - len(found), len(rows), found)
    figures.exactly("their orchestrators", len({row["instance"]["name"] for row in rows}), len(ORCHESTRATORS))


def asks_twice(context):
    """A `complete_step` that asks once more than the released one."""
    step = context.get_input()
    yield context.call_activity(step["activity"], step["request"])
    return (yield context.call_activity("another", step["request"]))


@pytest.mark.filterwarnings("ignore")
def test_an_orchestrator_that_was_changed_under_running_instances_is_named():
    (rows, *_) = recorded().values()
    changed = {**ORCHESTRATORS, "complete_step": asks_twice}

    found = [one for row in rows if row["world"] == "fair" for one in departures(row, changed)]

    assert found
    assert all(one.startswith("complete_step (") for one in found)


@pytest.mark.filterwarnings("ignore")
def test_thousands_of_slices_are_replayed_without_departing_from_their_histories(sized, figures):
    days = [lived(seed, plan(hours=sized(6, 24))) for seed in range(sized(1, 18))]

    ended = [one for day, _ in days for one in day]
    slices = outcomes(ended)
    figures.at_least("slices", len(slices), sized(140, 10_000))
    figures.exactly("orchestrations that departed from their history", sum(map(departed, ended)), 0)
    figures.exactly("orchestrations that failed or never ended", sum(one.status != "Completed" for one in ended), 0)
    undone = [one for one in slices if one["state"] != "done" and "is away" not in one["reason"]]
    figures.exactly("slices not done, but where closing makes up for an outage", len(undone), 0)
    figures.at_most("events in the longest history", max(one.events for one in ended), MOST_EVENTS)
    figures.at_most("bytes in the largest payload", max(largest for _, largest in days), MOST_PAYLOAD)


def lived(seed, plan):
    """Run a window in which something is away for up to half an hour, and a worker and a host die."""
    rolled, length = random.Random(seed), (plan.window.end - plan.window.start) // timedelta(seconds=1)
    away, start = rolled.choice(["hub", "ledger", "topic", "login"]), rolled.randrange(length - 1800)
    world = World(away, Outage(start, rolled.randrange(10, 1800)))
    order = lambda batch: rolled.sample(batch, len(batch))  # noqa: E731
    with TaskHub(ORCHESTRATORS, world.play, Polling(10.0, seed), shuffle=order) as tasks:
        tasks.start("ingest_window", plan.instance, {"plan": plan.as_wire()})
        tasks.at(rolled.randrange(length), tasks.kill_worker)
        tasks.at(rolled.randrange(length), tasks.kill_host)
        tasks.run()
        return list(tasks.ended().values()), tasks.largest


def outcomes(ended):
    return [one for leg in ended if leg.name == "ingest_leg" for one in leg.output]


def departed(ended):
    return ended.status == "Failed" and "Non-Deterministic" in str(ended.output)


@pytest.mark.filterwarnings("ignore")
def test_an_exception_of_64_kb_is_cut_and_the_instance_ends(figures):
    ended = [one for name in CRASHING for one in crashed(name)]

    unended = [one for one in ended if one.status not in {"Completed", "Failed"}]
    texts = [text for one in ended for text in texts_in(one.output)]
    assert max(map(len, texts)) > 200
    figures.exactly("exceptions of 64 KB: instances that do not end", len(unended), 0)
    figures.at_most("exceptions of 64 KB: characters of the longest reason", max(map(len, texts)), MOST_REASON)


CRASHING = ("begin_window", "publish_opening", "ingest_slice", "close_window", "fail_window")


def crashed(name):
    """Run a window whose activity of this name raises 64 KB each time."""

    def play(activity, given, now):
        crashes = activity == name or (name, activity) == ("fail_window", "close_window")
        return Played(error="RuntimeError: " + "x" * 65_536) if crashes else World().play(activity, given, now)

    with TaskHub(ORCHESTRATORS, play, Polling(10.0)) as tasks:
        tasks.start("ingest_window", PLAN.instance, {"plan": PLAN.as_wire()})
        tasks.run()
        return list(tasks.ended().values())


def texts_in(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return [value] if isinstance(value, str) else []
