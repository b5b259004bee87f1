from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.storage.fake import FakeLedger
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.request import OpenRequest
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Slice, Window
from shared.errors import RequestRejected
from shared.flows.open_windows import PlanFactory
from shared.flows.request_windows import (
    STOP_NOTICE,
    claim_requested,
    first_of_queue,
    list_windows,
    mark_stopped,
    show_window,
    stop_orchestrations,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURLY = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)
STREAM = StreamPlan("trades", "trades", "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(5 * MINUTE, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
PLANS = PlanFactory({"trades": TEMPLATE}, lambda feed: "", lambda template: {})


@pytest.fixture
def ledger():
    return FakeLedger()


def opened(ledger, start, end, now=NOON, plans=PLANS):
    return claim_requested(ledger, plans, HOURLY, OpenRequest("trades", start, end), now)


def claim(ledger, start, end):
    return list(opened(ledger, start, end).rows)


def refusal(work):
    with pytest.raises(RequestRejected) as caught:
        work()
    return caught.value.reason, caught.value.field


def test_a_window_to_come_is_claimed_and_starts_at_once(ledger):
    rows = claim(ledger, NOON + MINUTE, NOON + 2 * MINUTE)

    assert [row.window.id for row in rows] == ["trades-20261122T120100Z"]
    assert first_of_queue(ledger, rows) == rows


def test_past_windows_queue_and_only_the_first_starts(ledger):
    rows = claim(ledger, NOON - 3 * HOUR, NOON)

    assert [row.queued for row in rows] == [True] * 3
    assert first_of_queue(ledger, rows) == rows[:1]


def test_a_second_back_fill_waits_for_the_first(ledger):
    claim(ledger, NOON - 3 * HOUR, NOON - 2 * HOUR)

    later = claim(ledger, NOON - 2 * HOUR, NOON)

    assert first_of_queue(ledger, later) == []


def test_an_open_window_is_not_opened_again(ledger):
    window = Window("trades", NOON - 10 * MINUTE, NOON + 50 * MINUTE)
    ledger.claim(WindowRow(window, "open", "timer", NOON))

    assert refusal(lambda: claim(ledger, window.start, window.end)) == ("conflict", "start")


def test_a_window_that_overlaps_another_is_refused_and_nothing_is_claimed(ledger):
    ledger.claim(WindowRow(Window("trades", NOON - 2 * HOUR, NOON - HOUR), "closed", "timer", NOON))

    assert refusal(lambda: claim(ledger, NOON - 3 * HOUR, NOON)) == ("conflict", "start")
    assert len(ledger.windows("trades")) == 1


def test_stopping_marks_the_row_once(ledger):
    (row,) = claim(ledger, NOON, NOON + HOUR)

    first = mark_stopped(ledger, row.window.id, NOON + MINUTE)
    second = mark_stopped(ledger, row.window.id, NOON + 2 * MINUTE)

    assert first.stop_at == second.stop_at == NOON + MINUTE + STOP_NOTICE


def test_an_unknown_window_cannot_be_stopped_or_shown(ledger):
    assert refusal(lambda: mark_stopped(ledger, "trades-20261122T120000Z", NOON)) == ("unknown", "id")
    assert refusal(lambda: show_window(ledger, "no window at all")) == ("unknown", "id")


def test_an_ended_window_cannot_be_stopped(ledger):
    ledger.claim(WindowRow(Window("trades", NOON, NOON + HOUR), "closed", "timer", NOON))

    assert refusal(lambda: mark_stopped(ledger, "trades-20261122T120000Z", NOON)) == ("conflict", "start")


async def test_the_stop_reaches_the_window_and_its_legs(ledger):
    orchestrations = FakeOrchestrations()
    (row,) = claim(ledger, NOON, NOON + HOUR)

    await stop_orchestrations(row, orchestrations)

    assert orchestrations.stopped == ["trades-20261122T120000Z", "trades-20261122T120000Z-leg0"]


def test_windows_are_listed_newest_first_by_state(ledger):
    claim(ledger, NOON - 2 * HOUR, NOON)

    listed = list_windows(ledger, ["trades", "payments"], None, "planned")

    assert [row.window.id for row in listed] == ["trades-20261122T110000Z", "trades-20261122T100000Z"]


@pytest.mark.parametrize(("feed", "state", "field"), [("weather", None, "feed"), (None, "ajar", "state")])
def test_an_unknown_feed_or_state_is_refused(ledger, feed, state, field):
    assert refusal(lambda: list_windows(ledger, ["trades"], feed, state)) == ("invalid", field)


def test_a_window_is_shown_with_every_try_at_its_slices(ledger):
    (row,) = claim(ledger, NOON, NOON + HOUR)
    part = Slice(row.window.id, 0, NOON, NOON + 5 * MINUTE)
    attempts = [SliceRow(part, number, "done", NOON, NOON, {"trades": {"read": 7}}) for number in (1, 2)]
    for attempt in attempts:
        ledger.write_attempt(attempt)

    assert show_window(ledger, row.window.id) == (row, attempts)
