"""F12: each opening comes three times, at once and in any order, and Databricks loses answers after their effect."""

from collections import Counter
from types import SimpleNamespace

import pytest

from blueprints import enrichment
from tests.faults.enrichments import DELIVERIES, Enriching

KINDS = ({"kind": "lost_answer"}, {"kind": "unavailable"}, {"kind": "too_many_requests", "retry_after": 0.05})


@pytest.mark.filterwarnings("ignore")  # the SDK speaks of duplicates, and of its next version
def test_each_opening_is_one_run_and_what_hangs_is_cancelled_once(tables, sized, figures, monkeypatch):
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
    seconds = sorted(second for world in worlds for second in world.seconds)
    assert len(seconds) == DELIVERIES * windows
    assert sum(world.jobs.lost for world in worlds) > windows
    figures.all_of("openings, each delivered three times, with exactly one run", once, windows)
    figures.all_of("runs that hung and were cancelled, and no other was", cancelled(worlds), hanging(worlds))
    figures.all_of("runs that ended succeeded, or superseded where they hung", ended(worlds), windows)
    figures.exactly("most runs of a feed at the same time", max(world.jobs.most_at_once for world in worlds), 1)
    figures.at_most("handler, 99 % of deliveries", seconds[int(len(seconds) * 0.99)], 10, "s")


def hanging(worlds):
    return sum(len(world.hanging) for world in worlds)


def cancelled(worlds):
    """Count the cancelled runs that hung; one that did not hang takes one away."""
    ids = [(world, world.jobs.parameters[run_id]["window_id"]) for world in worlds for run_id in world.jobs.cancelled]
    right = {window_id for world, window_id in ids if window_id in {window.id for window in world.hanging}}
    return len(right) - (len(ids) - len(right))


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
