"""The end of a window of which Cosmos DB gets a stream too: what its marker says of both."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.delivery import Delivery
from shared.domain.sinks import SinkMeter
from shared.domain.spill import SpilledBatch, batch_path
from shared.flows.announce import mark_closed
from tests.unit.shared.flows.test_announce import (
    NOON,
    SCHEMAS,
    WINDOW,
    breaches,
    complete,
    events,
    keep,
    mark,
    marker_of,
    redrive,
)

CONTAINER = "ingestion/trades"
MINUTE = timedelta(minutes=1)

__all__ = ["events"]


@pytest.fixture
def beside(events):
    """A window of which the hub took 3 records, and Cosmos DB 2 of them."""
    cosmos = SinkMeter(read=3, delivery=Delivery(accepted=2, spilled=1, events=2)).as_wire()
    sinks = {"trades": {"hub": SinkMeter(read=3, delivery=Delivery(accepted=3, events=3)).as_wire(), "cosmos": cosmos}}

    def sent(row):
        (stream,) = row.plan["streams"]
        plan = {**row.plan, "streams": [{**stream, "cosmos": CONTAINER}]}
        return replace(row, plan=plan, result={**row.result, "sinks": sinks})

    events.ledger.change(WINDOW.id, sent)
    complete(events)
    return events


def keep_for_cosmos(events, slice_try="0.1"):
    """Spill a record of a try that Cosmos DB did not take."""
    path = batch_path("trades.cosmos", f"{WINDOW.id}/{slice_try}", 0)
    batch = SpilledBatch(path, "trades", CONTAINER, 1, 1, "0" * 64, NOON)
    events.spill.keep(batch, b"")
    return batch


def settle(events, batch):
    events.spill.mark(replace(batch, state="redriven"))


def close(events):
    asyncio.run(mark_closed(events, WINDOW.id))
    return marker_of(events)


def announced(events):
    return events.ledger.window(WINDOW.id).announced


def at(events, minutes):
    """The same world so many minutes later."""
    return replace(events, clock=lambda: NOON + minutes * MINUTE)


def test_the_marker_says_what_cosmos_took_and_what_waits_for_it_and_the_hubs_part_is_as_without(beside):
    keep_for_cosmos(beside)
    keep_for_cosmos(beside, slice_try="0.7")

    marker = close(beside)

    assert marker["cosmos"] == {
        "trades": {
            "counts": {"read": 3, "accepted": 2, "refused": 0, "unknown": 0, "spilled": 1, "events": 2},
            "spill": {"waiting": 1, "redriven": 0, "dead": 0, "discarded": 0, "waiting_of_all_tries": 2},
        }
    }
    assert (marker["spill"], marker["counts"]["trades"]["accepted"]) == ({}, 3)
    assert breaches(SCHEMAS["documents/window_closed.v1.schema.json"], marker | {"counts": {}}) == []
    assert "drained" not in announced(beside)


def test_a_stream_of_which_cosmos_took_all_has_no_spill_there(beside):
    assert close(beside)["cosmos"]["trades"].keys() == {"counts"}


def test_a_window_that_ended_before_anything_was_sent_has_counts_of_nothing(beside):
    beside.ledger.change(WINDOW.id, lambda row: replace(row, result={}))

    counts = close(beside)["cosmos"]["trades"]["counts"]

    assert set(counts.values()) == {0}


def test_once_cosmos_has_what_waited_the_marker_is_written_anew_and_runs_are_told(beside):
    batch = keep_for_cosmos(beside)
    close(beside)
    settle(beside, batch)

    marked = [mark(at(beside, 5)), mark(at(beside, 6))]

    assert marked == [True, False]
    assert marker_of(beside)["cosmos"]["trades"]["spill"]["redriven"] == 1
    assert announced(beside) == {"drained": "2026-11-22T12:05:00+00:00"}


def test_a_hub_that_has_everything_is_told_of_though_cosmos_still_waits_and_so_is_cosmos_later(beside):
    of_hub, of_cosmos = keep(beside), keep_for_cosmos(beside)
    close(beside)

    redrive(beside, of_hub)
    mark(at(beside, 5))
    of_the_hub = announced(beside)
    asyncio.run(mark_closed(at(beside, 6), WINDOW.id))
    again = announced(beside)
    settle(beside, of_cosmos)
    mark(at(beside, 7))

    assert of_the_hub == again == {"drained": "2026-11-22T12:05:00+00:00"}
    assert announced(beside) == {"drained": "2026-11-22T12:07:00+00:00"}


def test_what_was_redriven_to_cosmos_stays_counted_when_its_batches_are_purged(beside):
    settle(beside, keep_for_cosmos(beside))
    before = close(beside)
    beside.spill.blobs.blobs.clear()

    assert not mark(beside)
    assert close(beside) == before


def test_a_stream_that_goes_to_cosmos_alone_has_its_counts_and_spill_there_and_no_hub(beside):
    def alone(row):
        (stream,) = row.plan["streams"]
        return replace(row, plan={**row.plan, "streams": [{**stream, "hub": "", "destination": "cosmos"}]})

    beside.ledger.change(WINDOW.id, alone)
    batch = keep_for_cosmos(beside)
    before = close(beside)
    settle(beside, batch)

    assert mark(beside)
    after = marker_of(beside)
    assert (before["spill"], before["hubs"], before["last_sequence_numbers"]) == ({}, {}, {})
    assert [one["cosmos"]["trades"]["spill"]["waiting"] for one in (before, after)] == [1, 0]
    assert breaches(SCHEMAS["documents/window_closed.v1.schema.json"], after | {"counts": {}}) == []
