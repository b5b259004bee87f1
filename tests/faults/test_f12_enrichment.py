"""F12: each opening comes three times, at once and in any order, and Databricks loses answers after their effect."""

from collections import Counter
from types import SimpleNamespace

import pytest

from blueprints import enrichment
from tests.faults.enrichments import DELIVERIES, Enriching
from tests.faults.figures import percentile

MOST_CANCELS = 10
"""A newer run that waits for its place asks for the older one's end at each try, until that has ended."""

KINDS = ({"kind": "lost_answer"}, {"kind": "unavailable"}, {"kind": "too_many_requests", "retry_after": 0.05})


@pytest.mark.filterwarnings("ignore")  # the SDK speaks of duplicates, and of its next version
def test_each_opening_is_one_run_and_what_hangs_is_cancelled(tables, sized, figures, monkeypatch):
    worlds = [Enriching(tables, seed, 9) for seed in range(sized(1, 20))]
    for world in worlds:
        monkeypatch.setattr(
            enrichment, "services", lambda world=world: SimpleNamespace(enrichment_tools=world.tools, report_tools=None)
        )
        with world.tasks:
            world.live()

    windows = sum(len(world.windows) for world in worlds)
    runs = [Counter(given["window_id"] for given in world.jobs.parameters.values()) for world in worlds]
    once = sum(times == 1 for world_runs in runs for times in world_runs.values())
    seconds = [second for world in worlds for second in world.seconds]
    asked = Counter((world.feed, run_id) for world in worlds for run_id in world.jobs.cancelled)
    assert len(seconds) == DELIVERIES * windows
    assert sum(world.jobs.lost for world in worlds) > windows
    figures.all_of("openings, each delivered three times, with exactly one run", once, windows)
    figures.all_of("runs that hung and were cancelled", len(asked.keys() & hung(worlds)), hanging(worlds))
    figures.exactly("requests to cancel any other run", sum(asked[one] for one in asked.keys() - hung(worlds)), 0)
    figures.at_most("most requests to cancel a run", max(asked.values()), MOST_CANCELS)
    figures.all_of("runs that ended succeeded, or superseded where they hung", ended(worlds), windows)
    figures.exactly("most runs of a feed at the same time", max(world.jobs.most_at_once for world in worlds), 1)
    figures.at_most("handler, 99 % of deliveries", percentile(seconds, 99), 10, "s")


def hanging(worlds):
    return sum(len(world.hanging) for world in worlds)


def hung(worlds):
    """Give the runs that hung, each with its feed."""
    return {
        (world.feed, run_id)
        for world in worlds
        for run_id, given in world.jobs.parameters.items()
        if given["window_id"] in {window.id for window in world.hanging}
    }


def ended(worlds):
    """Count the windows whose one run the ledger says to have ended as it must."""
    return sum(
        [run.state for run in world.runs.of_window(window)]
        == ["superseded" if window in world.hanging else "succeeded"]
        for world in worlds
        for window in world.windows
    )


def test_a_run_whose_answers_are_lost_after_their_effect_is_one_run(workspace, sized, figures):
    job_id, tokens = workspace.jobs.find("queued"), [f"lost-{number}" for number in range(sized(9, 100))]

    for number, token in enumerate(tokens):
        workspace.order(**KINDS[number % 3], call="jobs/run-now", count=1 + number % 2)
        workspace.jobs.run_now(job_id, token, {"act": "say"})

    once = sum(len(workspace.runs(token=token)) == 1 for token in tokens)
    assert workspace.faults() == []
    figures.all_of("runs whose answer Databricks' own interface lost or refused, started once", once, len(tokens))
