"""Each kind of table, however its rows came: it equals one build over all of silver, and so does its target."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gold_stage import FIRST, SECOND, record
from gold_tables import (
    buckets,
    days,
    days_onward,
    first_places,
    firsts_of_buckets,
    groups,
    latest,
    pairs,
    per_row,
    totals,
)

KINDS = {
    "per row": lambda left, right: per_row(left),
    "buckets": lambda left, right: buckets(left),
    "groups in buckets": lambda left, right: firsts_of_buckets(left),
    "day": lambda left, right: days(left),
    "days onward": lambda left, right: days_onward(left),
    "correlate": pairs,
    "totals": totals,
    "snapshot": lambda left, right: latest(left),
    "groups": lambda left, right: groups(left),
}


class Killed(Exception):
    """The process ended here."""


minutes = st.integers(0, 59)
rows = st.builds(
    record,
    st.integers(1, 6),
    minutes,
    window=st.sampled_from([FIRST, SECOND]),
    kind=st.sampled_from("ab"),
    amount=st.integers(0, 3),
)
batches = st.fixed_dictionaries(
    {
        "left": st.lists(rows, max_size=4, unique_by=lambda row: row["id"]),
        "right": st.lists(rows, max_size=4, unique_by=lambda row: row["id"]),
        "gone": st.sets(st.integers(1, 6), max_size=2),
        "own": st.sampled_from([FIRST, SECOND]),
        "then": st.sampled_from(["pass", "killed before the target", "new process", "no pass"]),
    }
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_equals_one_build_over_all_of_silver(kind, stages):
    @settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(batches, min_size=2, max_size=3))
    def holds(steps):
        stage = stages()
        left, right = stage.stream("left"), stage.stream("right")
        table = stage.named(KINDS[kind](left, right))
        gold = stage.gold(table)
        for step in steps:
            stage.put(left, *step["left"], gone=step["gone"] - {row["id"] for row in step["left"]})
            if right in table.inputs:
                stage.put(right, *step["right"])
            gold = after(stage, gold, step, table)

        gold.run_pass(SECOND)

        assert stage.rows(table) == stage.built(table)
        assert stage.published(table) == stage.built(table)

    holds()


@pytest.mark.timeout(600)
def test_a_table_of_a_table_equals_one_build_over_all_of_silver(stages):
    @settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(batches, min_size=2, max_size=3))
    def holds(steps):
        stage = stages()
        stream = stage.stream("left")
        places = stage.named(groups(stream))
        firsts = stage.named(first_places(places.name))
        gold = stage.gold(firsts, places)
        for step in steps:
            stage.put(stream, *step["left"], gone=step["gone"] - {row["id"] for row in step["left"]})
            gold = after(stage, gold, step, firsts, places)

        gold.run_pass(SECOND)

        for table in (places, firsts):
            assert stage.rows(table) == stage.published(table) == stage.built(table)

    holds()


def after(stage, gold, step, *tables):
    if step["then"] == "no pass":
        return gold
    stage.target.fails = Killed() if step["then"] == "killed before the target" else None
    try:
        gold.run_pass(step["own"])
    except Killed:
        return stage.gold(*tables)
    return stage.gold(*tables) if step["then"] == "new process" else gold
