"""The three streams of a call on their way: a whole window on fakes, and which partition each event goes to."""

from collections import defaultdict

import pytest

from shared.feeds.call_centre.feed import FEED
from shared.feeds.feed import Position
from shared.feeds.packing import Packing, as_events
from tests.architecture.app_on_fakes import App
from tests.unit.shared.feeds.call_centre.conftest import START, WINDOW

STREAMS = ("ura", "calls", "surveys")


async def test_a_window_ends_closed_and_all_that_was_drawn_is_accepted(tmp_path):
    app = App(FEED, tmp_path / "pools", CALL_CENTRE_RATE="30")
    plan = app.claim()

    state = await app.run(plan)

    sent = {stream: app.records(stream) for stream in STREAMS}
    passed_on = {record["id_chamada"] for record in sent["ura"] if record["derivado_atendimento"]}
    assert state == "closed"
    assert app.counts(plan) == {stream: (len(records), len(records)) for stream, records in sent.items()}
    assert len(sent["ura"]) == 300
    assert {record["id_chamada"] for record in sent["calls"]} == passed_on
    assert {record["id_chamada"] for record in sent["surveys"]} < passed_on


def events_of(call_centre, packing):
    batch = call_centre.draw(Position(WINDOW, 0, 0, 500, START, 1.0))
    return {
        stream: as_events(batch[stream], packing, contract=f"{stream}/1", slice_id="s", partitions=4)[0]
        for stream in STREAMS
    }


def test_an_event_of_one_record_has_its_call_as_partition_key(call_centre):
    events = events_of(call_centre, Packing("row"))

    for stream in STREAMS:
        assert len(events[stream]) > 50
        assert all(f'"id_chamada":"{event.partition_key}"'.encode() in event.body for event in events[stream])


def test_the_packs_of_all_streams_have_a_call_in_the_same_partition(call_centre):
    partitions = defaultdict(set)

    for events in events_of(call_centre, Packing("pack")).values():
        for event in events:
            for line in event.body.splitlines():
                partitions[line[15:51]].add(event.partition_id)

    assert len(partitions) == 500
    assert {len(of_one) for of_one in partitions.values()} == {1}
    assert len(set.union(*partitions.values())) == 4


@pytest.mark.parametrize("stream", STREAMS)
def test_packs_are_cut_by_size(call_centre, stream):
    events = events_of(call_centre, Packing("pack", limit=2_000))[stream]

    assert max(len(event.body) for event in events) <= 2_000
    assert max(event.rows for event in events) > 1
