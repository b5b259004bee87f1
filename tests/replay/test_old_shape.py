"""The harness bites: where the extension failed or mixed up results on the old shape, it does too."""

import pytest

from emulators.functions_host.durable.polling import Polling
from tests.replay.old_shape import ORCHESTRATORS
from tests.replay.task_hub import START, Played, TaskHub
from tests.replay.worlds import NOTHING, Outage, window

WINDOW = "trades-20261101T000010Z"


def run(*, hub=NOTHING, topic=NOTHING, start_after=0.0):
    """Run one window of ten slices of 20 s in the old shape; gives its hub of tasks, all at rest."""

    def play(name, given, now):
        if name == "publish_opening" and topic.covers(now):
            return Played(error="RuntimeError: Unavailable: the topic does not answer")
        if name != "ingest_slice":
            return Played({"proceed": True, "state": "closed"}, seconds=0.05)
        seconds = max(0.3, 10 + given["slice"] * 20 + 23 - now)
        if hub.meets(now, now + seconds):
            return Played(error="RuntimeError: SendFailed: hub away", seconds=max(0.3, hub.start - now))
        return Played({"slice": given["slice"], "state": "done"}, seconds=seconds)

    with TaskHub(ORCHESTRATORS, play, Polling(5)) as tasks:
        tasks.at(start_after, lambda: tasks.start("ingest_window", WINDOW, {"plan": window(START, 10, 200, 20)}))
        tasks.run()
        return tasks.ended(), tasks.calls


def test_in_fair_weather_the_old_shape_ends_well():
    ended, calls = run()

    assert ended[WINDOW].status == "Completed"
    assert [one["slice"] for one in ended[f"{WINDOW}-leg0"].output] == list(range(10))
    assert [call.name for call in calls][-3:] == ["close_window", "write_marker", "publish_closing"]


def test_a_topic_away_past_the_windows_end_fails_it_before_it_is_closed():
    ended, calls = run(topic=Outage(0, 260))

    assert ended[WINDOW].status == "Failed"
    assert "named 'publish_opening', but the current orchestration replay instead scheduled" in ended[WINDOW].output
    assert "close_window" not in [call.name for call in calls]


@pytest.mark.parametrize("length", [60, 120, 240])
def test_a_hub_away_for_minutes_mixes_up_results_or_fails_the_leg_at_some_moments(length):
    bad = []
    for start in range(20, 70, 11):
        leg = run(hub=Outage(start, length))[0][f"{WINDOW}-leg0"]
        told = leg.output if leg.status == "Completed" else []
        # Every slice answers, or fails with a reason: none gives nothing.
        bad += [start] if None in told or not told else []

    assert bad
