import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.delivery import Event
from shared.domain.spill import SpilledBatch, batch_path
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Slice, Window
from shared.errors import LoginRefused, SendFailed, Unavailable
from shared.flows.announce import WindowEvents, announce_closing, announce_opening, mark_closed, mark_spill, note
from tests.unit.shared.test_contracts_documents import SCHEMAS, breaches

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window("trades", NOON, NOON + HOUR)
COUNTS = {"trades": {"read": 3, "accepted": 3}}


@pytest.fixture
def events():
    stream = StreamPlan("trades", ("market-trades",), "trades/1", "row", "identity", 0)
    template = PlanTemplate(HOUR, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (stream,))
    ledger = FakeLedger()
    plan = template.freeze(WINDOW, NOON, "", {}).as_wire()
    ledger.claim(WindowRow(WINDOW, "closed", "timer", NOON, plan, result={"counts": COUNTS}))
    hubs, reference, spill = FakeEventHubs({"market-trades": 2}), FakeReference(lambda: NOON), FakeSpill(lambda: NOON)
    return WindowEvents(ledger, hubs, reference, spill, FakeTopic(), lambda: NOON)


def keep(events, number=0, slice_try="0.1"):
    """Spill five records of a try."""
    path = batch_path("trades", f"{WINDOW.id}/{slice_try}", number)
    batch = SpilledBatch(path, "trades", "market-trades", 5, 5, "0" * 64, NOON)
    events.spill.keep(batch, b"")
    return batch


def redrive(events, batch):
    events.hubs.received["market-trades"] += [Event(b"{}", 1, {}, partition_id="1")] * batch.rows
    events.spill.mark(replace(batch, state="redriven"))


def complete(events):
    events.ledger.write_attempt(SliceRow(Slice(WINDOW.id, 0, NOON, NOON + HOUR), 1, "done", NOON, NOON, COUNTS))


def marker_of(events):
    return json.loads(events.reference.read(f"windows/{WINDOW.id}/closed.json"))


def mark(events):
    return asyncio.run(mark_spill(events, WINDOW.id))


def test_an_opening_is_published_once_and_the_ledger_says_when(events):
    first = announce_opening(events, WINDOW.id)
    second = announce_opening(events, WINDOW.id)

    assert (first, second) == ({"published": True}, {"published": False})
    assert [(one.id, one.subject) for one in events.topic.published] == [(WINDOW.id, "ADF_Trigger_Trades")]
    assert events.ledger.window(WINDOW.id).announced == {"opened": "2026-11-22T12:00:00+00:00"}


def test_a_closing_tells_state_and_counts(events):
    announce_closing(events, WINDOW.id)

    (told,) = events.topic.published
    assert (told.id, told.event_type, told.subject) == (f"{WINDOW.id}/closed", "Window_Closed", "Window_Closed_Trades")
    assert (told.data["state"], told.data["counts"]) == ("closed", COUNTS)


def test_a_topic_that_is_down_is_an_error_to_retry_and_the_ledger_says_since_when(events):
    events.topic.failure = Unavailable("down")

    for minutes in (0, 1):
        with pytest.raises(Unavailable):
            announce_opening(replace(events, clock=lambda m=minutes: NOON + timedelta(minutes=m)), WINDOW.id)

    assert events.ledger.window(WINDOW.id).announced == {"postponed": "2026-11-22T12:00:00+00:00"}


@pytest.mark.parametrize("failure", [Unavailable("down"), LoginRefused("wrong key")])
def test_from_the_windows_end_on_its_closing_does_not_wait_for_the_topic_and_makes_up_for_it(events, failure):
    late = replace(events, clock=lambda: WINDOW.end)
    events.topic.failure = failure

    postponed = announce_opening(late, WINDOW.id)
    events.topic.failure = None
    announce_closing(late, WINDOW.id)

    assert postponed == {"published": False}
    assert [one.id for one in events.topic.published] == [WINDOW.id, f"{WINDOW.id}/closed"]
    assert events.ledger.window(WINDOW.id).announced.keys() == {"postponed", "opened", "closed"}


def as_next_attempt(events):
    events.ledger.change(WINDOW.id, lambda row: replace(row, attempt=2))
    return events


def test_the_opening_of_a_next_attempt_is_an_event_of_its_own_and_takes_the_last_ones_end_back(events):
    asyncio.run(mark_closed(events, WINDOW.id))

    announce_opening(as_next_attempt(events), WINDOW.id)

    (published,) = events.topic.published
    assert (published.id, published.data["window"], published.data["attempt"]) == (f"{WINDOW.id}/a2", WINDOW.id, 2)
    assert events.reference.blobs == {}


def test_the_end_of_a_next_attempt_names_the_tries_that_completed_it_and_no_earlier_ones(events):
    for number, attempt in ((0, 1), (1, 1), (0, 2)):
        row = events.ledger.begin_attempt(Slice(WINDOW.id, number, NOON, WINDOW.end), NOON, attempt)
        events.ledger.write_attempt(replace(row, state="done"))

    asyncio.run(mark_closed(as_next_attempt(events), WINDOW.id))
    announce_closing(events, WINDOW.id)

    marker = json.loads(events.reference.read(f"windows/{WINDOW.id}/closed.json"))
    assert marker["attempts"] == {"0": 2, "close": 2}
    assert [one.id for one in events.topic.published] == [f"{WINDOW.id}/a2/closed"]


def test_what_was_told_of_an_earlier_attempt_is_not_noted_of_the_next_one(events):
    earlier = events.ledger.window(WINDOW.id)
    as_next_attempt(events)

    note(events, earlier, "opened")

    assert events.ledger.window(WINDOW.id).announced == {}


def test_an_opening_that_nobody_tried_to_publish_is_not_made_up_for(events):
    announce_closing(events, WINDOW.id)

    assert [one.id for one in events.topic.published] == [f"{WINDOW.id}/closed"]


def test_without_a_topic_nothing_is_published(events):
    assert announce_opening(replace(events, topic=None), WINDOW.id) == {"published": False}


def test_the_marker_says_how_far_each_partition_is_and_when_the_window_really_ended(events):
    events.hubs.received["market-trades"] += [Event(b"{}", 1, {}, partition_id="1")] * 3
    events.ledger.change(WINDOW.id, lambda row: replace(row, state="stopped", stop_at=NOON + HOUR / 2))
    part = Slice(WINDOW.id, 0, NOON, NOON + HOUR)
    events.ledger.write_attempt(SliceRow(part, 1, "done", NOON, NOON, COUNTS))

    written = asyncio.run(mark_closed(events, WINDOW.id))

    marker = json.loads(events.reference.read(written["path"]))
    assert written["path"] == f"windows/{WINDOW.id}/closed.json"
    assert marker["last_sequence_numbers"] == {"trades": {"0": -1, "1": 2}}
    assert marker["hubs"] == {"trades": {"name": "market-trades", "created_at": "2026-11-01T10:00:00.123000+00:00"}}
    assert (marker["end"], marker["state"]) == ("2026-11-22T12:30:00+00:00", "stopped")
    assert marker["attempts"] == {"0": 1, "close": 1}


def test_the_marker_says_what_waits_in_the_spill_of_the_tries_that_completed_their_slices(events):
    complete(events)
    keep(events)
    keep(events, slice_try="0.7")

    asyncio.run(mark_closed(events, WINDOW.id))

    counts = {"waiting": 5, "redriven": 0, "dead": 0, "discarded": 0, "waiting_of_all_tries": 10}
    assert marker_of(events)["spill"] == {"trades": counts}
    assert "drained" not in events.ledger.window(WINDOW.id).announced


def test_a_window_without_spill_has_an_empty_one(events):
    asyncio.run(mark_closed(events, WINDOW.id))

    assert marker_of(events)["spill"] == {}
    assert (mark(events), events.ledger.window(WINDOW.id).announced) == (False, {})


def test_a_spill_that_can_not_be_asked_lets_the_step_fail_so_that_it_is_tried_again(events):
    events.spill.failure = Unavailable("The container spill is away.")

    with pytest.raises(Unavailable):
        asyncio.run(mark_closed(events, WINDOW.id))

    assert events.reference.blobs == {}


def test_once_the_spill_is_drained_the_marker_is_written_anew_with_how_far_the_hubs_are_then(events):
    complete(events)
    batch = keep(events)
    asyncio.run(mark_closed(events, WINDOW.id))
    before = marker_of(events)
    redrive(events, batch)

    marked = mark(replace(events, clock=lambda: NOON + HOUR))

    after = marker_of(events)
    assert (marked, before["last_sequence_numbers"]["trades"]["1"], before["spill"]["trades"]["waiting"]) == (
        True,
        -1,
        5,
    )
    assert (after["last_sequence_numbers"]["trades"]["1"], after["spill"]["trades"]["redriven"]) == (4, 5)
    assert {name: after[name] for name in ("hubs", "attempts", "state")} == {
        name: before[name] for name in ("hubs", "attempts", "state")
    }
    assert events.ledger.window(WINDOW.id).announced == {"drained": "2026-11-22T13:00:00+00:00"}


def test_what_was_marked_is_not_marked_again_and_a_later_change_is(events):
    complete(events)
    first, second = keep(events, 0), keep(events, 1)
    events.spill.mark(replace(second, state="dead"))
    redrive(events, first)

    marked = [mark(events), mark(events)]
    events.spill.mark(replace(second, state="discarded"))
    marked += [mark(replace(events, clock=lambda: NOON + HOUR)), mark(events)]

    assert marked == [True, False, True, False]
    assert events.ledger.window(WINDOW.id).announced == {"drained": "2026-11-22T13:00:00+00:00"}


def test_a_marker_that_was_never_written_is_written_when_the_spill_is_drained(events):
    redrive(events, keep(events))

    assert mark(events)
    assert marker_of(events)["spill"]["trades"]["waiting_of_all_tries"] == 0


def test_a_marker_that_can_not_be_read_is_written_anew(events):
    redrive(events, keep(events))
    events.reference.write(f"windows/{WINDOW.id}/closed.json", b"[")

    assert mark(events)
    assert marker_of(events)["state"] == "closed"


def test_nothing_is_marked_while_a_window_goes_on_nor_of_one_that_is_not_known_any_more(events):
    redrive(events, keep(events))
    events.ledger.change(WINDOW.id, lambda row: replace(row, state="open"))

    assert not mark(events)
    assert not asyncio.run(mark_spill(events, "trades-20251122T120000Z"))
    assert events.reference.blobs == {}


def test_a_hub_that_can_not_be_asked_leaves_the_marker_to_the_next_call(events):
    redrive(events, keep(events))
    events.hubs.fail_next("unavailable")

    with pytest.raises(SendFailed):
        mark(events)

    assert mark(events)


class Meanwhile:
    """A reference store; `then` is called once, after the first time that something was written."""

    def __init__(self, reference, then):
        self.reference, self.then = reference, [then]

    def write(self, path, content):
        self.reference.write(path, content)
        if self.then:
            self.then.pop()()

    def __getattr__(self, name):
        return getattr(self.reference, name)


def test_a_marker_says_that_the_spill_is_drained_also_where_it_was_while_the_marker_was_written(events):
    complete(events)
    batch = keep(events)
    racing = replace(events, reference=Meanwhile(events.reference, lambda: redrive(events, batch)))

    asyncio.run(mark_closed(racing, WINDOW.id))

    assert marker_of(events)["spill"]["trades"]["redriven"] == 5
    assert marker_of(events)["last_sequence_numbers"]["trades"]["1"] == 4
    assert "drained" in events.ledger.window(WINDOW.id).announced


def test_what_is_redriven_while_more_waits_is_left_to_the_call_that_finds_it_drained(events):
    first, _ = keep(events, 0), keep(events, 1)
    racing = replace(events, reference=Meanwhile(events.reference, lambda: redrive(events, first)))

    asyncio.run(mark_closed(racing, WINDOW.id))

    assert marker_of(events)["spill"]["trades"]["waiting_of_all_tries"] == 10


def test_the_end_of_a_window_that_is_ingested_again_while_it_is_marked_is_taken_back(events):
    redrive(events, keep(events))

    def reopen():
        events.ledger.change(WINDOW.id, lambda row: replace(row, attempt=2, state="planned"))

    mark(replace(events, reference=Meanwhile(events.reference, reopen)))

    assert events.reference.blobs == {}


class Answering:
    """Hubs; `then` is called once, after they first said how far they are."""

    def __init__(self, hubs, then):
        self.hubs, self.received, self.then = hubs, hubs.received, [then]

    async def properties(self, hub):
        answer = await self.hubs.properties(hub)
        if self.then:
            self.then.pop()()
        return answer


def test_a_marker_that_counts_records_as_redriven_has_the_positions_behind_them(events):
    complete(events)
    batch = keep(events)
    racing = replace(events, hubs=Answering(events.hubs, lambda: redrive(events, batch)))

    asyncio.run(mark_closed(racing, WINDOW.id))

    marker = marker_of(events)
    assert (marker["spill"]["trades"]["redriven"], marker["last_sequence_numbers"]["trades"]["1"]) == (5, 4)


def test_what_was_deleted_from_the_spill_by_hand_is_not_said_to_wait_any_more(events):
    complete(events)
    batch = keep(events)
    asyncio.run(mark_closed(events, WINDOW.id))
    del events.spill.blobs.blobs[batch.path]

    assert mark(events)
    assert (marker_of(events)["spill"], mark(events)) == ({}, False)


def test_what_was_redriven_stays_counted_when_its_batches_are_purged(events):
    complete(events)
    redrive(events, keep(events))
    mark(events)
    before = marker_of(events)
    events.spill.blobs.blobs.clear()

    assert not mark(events)
    asyncio.run(mark_closed(events, WINDOW.id))
    assert marker_of(events) == before


def test_a_hub_that_is_gone_leaves_what_the_marker_said_of_it(events):
    complete(events)
    batch = keep(events)
    asyncio.run(mark_closed(events, WINDOW.id))
    before = marker_of(events)
    events.hubs.hubs = {}
    events.spill.mark(replace(batch, state="dead", reason="no such hub"))

    assert mark(events)

    after = marker_of(events)
    assert (after["hubs"], after["last_sequence_numbers"]) == (before["hubs"], before["last_sequence_numbers"])
    assert after["spill"]["trades"]["dead"] == 5


def test_a_hub_that_was_gone_before_the_window_ended_has_no_positions(events):
    events.hubs.hubs = {}

    asyncio.run(mark_closed(events, WINDOW.id))

    marker = marker_of(events)
    assert (marker["hubs"], marker["last_sequence_numbers"]) == ({}, {"trades": {}})
    assert breaches(SCHEMAS["documents/window_closed.v1.schema.json"], marker | {"counts": {}}) == []


def test_the_marker_says_how_far_the_hubs_are_of_what_the_app_makes_of_the_windows_records(events):
    def with_answers(row):
        promotions = {**row.plan["streams"][0], "name": "promotions", "hub": "offers", "contract": "promotions/1"}
        return replace(row, plan={**row.plan, "answers": [promotions]})

    events.ledger.change(WINDOW.id, with_answers)
    events.hubs.hubs = {**events.hubs.hubs, "offers": 1}

    asyncio.run(mark_closed(events, WINDOW.id))

    marker = marker_of(events)
    assert marker["last_sequence_numbers"]["promotions"] == {"0": -1}
    assert marker["hubs"]["promotions"]["name"] == "offers"
    assert "promotions" not in marker["counts"]


@pytest.fixture
def spread(events):
    """A window whose stream is spread over three hubs."""

    def with_hubs(row):
        stream = {**row.plan["streams"][0], "hubs": ["a", "b", "c"]}
        return replace(row, plan={**row.plan, "streams": [stream]})

    events.ledger.change(WINDOW.id, with_hubs)
    events.hubs.hubs = {"a": 1, "b": 2, "c": 1}
    events.hubs.received["b"] += [Event(b"{}", 1, {}, partition_id="1")] * 3
    return events


def test_the_marker_says_of_each_hub_of_a_stream_how_far_it_is(spread):
    asyncio.run(mark_closed(spread, WINDOW.id))

    marker, made = marker_of(spread), "2026-11-01T10:00:00.123000+00:00"
    assert (marker["hubs"], marker["last_sequence_numbers"]) == (
        {"trades": {"name": "a", "created_at": made}},
        {"trades": {"0": -1}},
    )
    assert marker["further_hubs"] == {
        "trades": [
            {"name": "b", "created_at": made, "last_sequence_numbers": {"0": -1, "1": 2}},
            {"name": "c", "created_at": made, "last_sequence_numbers": {"0": -1}},
        ]
    }
    assert breaches(SCHEMAS["documents/window_closed.v1.schema.json"], marker | {"counts": {}}) == []


@pytest.mark.parametrize("gone", ["a", "b"])
def test_one_hub_of_several_that_is_gone_leaves_what_the_marker_said_of_it(spread, gone):
    complete(spread)
    batch = keep(spread)
    asyncio.run(mark_closed(spread, WINDOW.id))
    before = marker_of(spread)
    del spread.hubs.hubs[gone]
    spread.spill.mark(replace(batch, state="dead", reason="no such hub"))

    assert mark(spread)

    positions = ("hubs", "further_hubs", "last_sequence_numbers")
    assert [marker_of(spread)[name] for name in positions] == [before[name] for name in positions]


def test_a_further_hub_that_was_gone_before_the_window_ended_has_a_name_and_no_positions(spread):
    del spread.hubs.hubs["c"]

    asyncio.run(mark_closed(spread, WINDOW.id))

    assert marker_of(spread)["further_hubs"]["trades"][1] == {"name": "c", "last_sequence_numbers": {}}
    assert breaches(SCHEMAS["documents/window_closed.v1.schema.json"], marker_of(spread) | {"counts": {}}) == []


def test_the_end_of_a_next_attempt_that_ended_meanwhile_is_written_in_the_place_of_the_first(events):
    redrive(events, keep(events))

    def ingest_again():
        events.ledger.change(WINDOW.id, lambda row: replace(row, attempt=2, state="incomplete"))

    mark(replace(events, reference=Meanwhile(events.reference, ingest_again)))

    assert marker_of(events)["state"] == "incomplete"


def test_a_window_id_that_is_none_is_marked_nothing_of(events):
    assert not asyncio.run(mark_spill(events, "trades-20269922T110000Z"))
