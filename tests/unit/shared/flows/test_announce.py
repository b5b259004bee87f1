import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.domain.delivery import Event
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Slice, Window
from shared.errors import LoginRefused, Unavailable
from shared.flows.announce import WindowEvents, announce_closing, announce_opening, mark_closed, note

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window("trades", NOON, NOON + HOUR)
COUNTS = {"trades": {"read": 3, "accepted": 3}}


@pytest.fixture
def events():
    stream = StreamPlan("trades", "market-trades", "trades/1", "row", "identity", 0)
    template = PlanTemplate(HOUR, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (stream,))
    ledger = FakeLedger()
    plan = template.freeze(WINDOW, NOON, "", {}).as_wire()
    ledger.claim(WindowRow(WINDOW, "closed", "timer", NOON, plan, result={"counts": COUNTS}))
    return WindowEvents(
        ledger, FakeEventHubs({"market-trades": 2}), FakeReference(lambda: NOON), FakeTopic(), lambda: NOON
    )


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
