"""What the end of a window says of its spill."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.spill import SpilledBatch, batch_path
from shared.domain.windows.spilled import drained, spill_of_window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = "shop-20261122T120000Z"
NONE = {"waiting": 0, "redriven": 0, "dead": 0, "discarded": 0, "waiting_of_all_tries": 0}


def batch(rows, slice_try, state="waiting", stream="stars"):
    path = batch_path(stream, f"{WINDOW}/{slice_try}", 0)
    return SpilledBatch(path, "shop", stream, rows, 1, "ab", NOON, state=state)


def test_records_are_counted_by_stream_and_state():
    batches = [
        batch(1, "0.1"),
        batch(20, "11.1", "redriven"),
        batch(300, "close.1", "dead"),
        batch(4000, "0.1", "discarded", "pageviews"),
    ]

    spill = spill_of_window(batches, {"0": 1, "11": 1, "close": 1})

    assert spill == {
        "stars": NONE | {"waiting": 1, "redriven": 20, "dead": 300, "waiting_of_all_tries": 1},
        "pageviews": NONE | {"discarded": 4000},
    }


def test_only_what_waits_is_counted_of_tries_that_did_not_complete_their_slice():
    batches = [batch(1, "0.1"), batch(20, "0.2"), batch(300, "0.1", "redriven"), batch(4000, "1.1"), batch(5, "2.1")]

    spill = spill_of_window(batches, {"0": 2, "2": 2, "close": 1})

    assert spill == {"stars": NONE | {"waiting": 20, "waiting_of_all_tries": 4026}}


@pytest.mark.parametrize(
    ("states", "is_drained"),
    [
        (["redriven", "dead", "discarded"], True),
        (["redriven", "waiting"], False),
    ],
)
def test_a_window_is_drained_where_nothing_of_it_waits(states, is_drained):
    spill = spill_of_window([batch(1, f"{number}.1", state) for number, state in enumerate(states)], {})

    assert drained(spill) == (spill if is_drained else {})


def test_what_waits_for_cosmos_does_not_keep_the_hubs_from_being_drained_nor_the_other_way_round():
    hub, other, cosmos = batch(1, "0.1"), batch(2, "0.1", stream="pageviews"), batch(4, "0.1", stream="stars.cosmos")
    states = {"stars": hub, "pageviews": other, "stars.cosmos": cosmos}

    def left(*settled):
        batches = [replace(one, state="redriven") if name in settled else one for name, one in states.items()]
        return set(drained(spill_of_window(batches, {"0": 1})))

    assert left("stars", "pageviews") == {"stars", "pageviews"}
    assert left("stars", "stars.cosmos") == {"stars.cosmos"}
    assert left(*states) == set(states)
