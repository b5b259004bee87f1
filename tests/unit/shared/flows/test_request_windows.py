from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.storage.fake import FakeLedger, FakeTables
from shared.clients.storage.windows import TableLedger
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import Plan, PlanTemplate, StreamPlan
from shared.domain.windows.request import ListRequest, OpenRequest
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Slice, Window, parse_stamp
from shared.errors import RequestRejected, Unavailable
from shared.flows.open_windows import PlanFactory
from shared.flows.request_windows import (
    STOP_NOTICE,
    STOP_WAIT,
    await_slices,
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
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(5 * MINUTE, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
PLANS = PlanFactory({"trades": TEMPLATE}, lambda feed: "", lambda template: {})
HOUR_BEFORE = Window("trades", NOON - HOUR, NOON)


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


def ended(ledger, start, state, **changes):
    row = WindowRow(Window("trades", start, start + HOUR), state, "timer", NOON, closed_at=NOON, **changes)
    ledger.claim(row)
    return row


@pytest.mark.parametrize("start", [NOON - 3 * HOUR, NOON + HOUR], ids=["past", "to come"])
def test_the_same_request_again_is_answered_with_the_same_windows(ledger, start):
    first = claim(ledger, start, start + HOUR)

    again = claim(ledger, start, start + HOUR)

    assert again == first
    assert ledger.windows("trades") == first


def test_a_request_that_failed_half_way_is_completed_by_the_same_request(ledger):
    class FailingTables(FakeTables):
        """Tables that do not answer after two inserts."""

        left = 2

        def insert(self, table, entity):
            self.left -= 1
            if self.left < 0:
                raise Unavailable("The ledger can't be reached.")
            return super().insert(table, entity)

    ledger = TableLedger(tables := FailingTables())
    with pytest.raises(Unavailable):
        claim(ledger, NOON - 5 * HOUR, NOON)
    left_behind = ledger.windows("trades")

    tables.left = 100
    rows = claim(ledger, NOON - 5 * HOUR, NOON)

    assert len(left_behind) == 2
    assert [row.window.start for row in rows] == [NOON - hours * HOUR for hours in (5, 4, 3, 2, 1)]
    assert ledger.windows("trades") == rows


def test_of_many_callers_at_once_each_is_answered_with_the_one_window(ledger):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: claim(ledger, NOON - HOUR, NOON), range(20)))

    assert [len(rows) for rows in answers] == [1] * 20
    assert len({row.window for rows in answers for row in rows}) == 1


@pytest.mark.parametrize("state", ["missed", "failed", "stopped", "incomplete"])
def test_a_window_that_ended_badly_is_opened_again_as_its_next_attempt_and_what_ended_is_kept(ledger, state):
    before = ended(ledger, NOON - HOUR, state, reason="It went wrong.", result={"counts": {}}, stop_at=NOON)

    (row,) = claim(ledger, NOON - HOUR, NOON)

    assert (row.attempt, row.state, row.queued, row.instance) == (2, "planned", True, f"{row.window.id}-a2")
    assert (row.reason, row.result, row.stop_at, row.closed_at) == ("", {}, None, None)
    assert ledger.window(row.window.id) == row
    assert ledger.ended_attempts(row.window.id) == [before]
    assert first_of_queue(ledger, [row]) == [row]


def test_a_next_attempt_draws_the_same_records_in_the_same_slices_whatever_was_set_since(ledger):
    earlier = replace(TEMPLATE, rate=7.0, slice_length=MINUTE).freeze(HOUR_BEFORE, NOON, "pool", {}).as_wire()
    ended(ledger, NOON - HOUR, "failed", plan=earlier, opened_at=NOON)

    (row,) = claim(ledger, NOON - HOUR, NOON)

    plan = Plan.from_wire(dict(row.plan))
    assert (plan.rate, plan.slice_length, plan.fingerprint) == (7.0, MINUTE, "pool")
    assert (plan.attempt, plan.instance, plan.past) == (2, f"{row.window.id}-a2", True)


def test_a_back_fill_beside_windows_that_are_well_claims_the_others(ledger):
    closed = ended(ledger, NOON - 2 * HOUR, "closed")

    rows = claim(ledger, NOON - 3 * HOUR, NOON)

    assert [(row.window.start, row.state) for row in rows] == [
        (NOON - 3 * HOUR, "planned"),
        (NOON - 2 * HOUR, "closed"),
        (NOON - HOUR, "planned"),
    ]
    assert rows[1] == closed


def test_a_window_that_overlaps_another_is_refused_and_nothing_is_claimed(ledger):
    ledger.claim(WindowRow(Window("trades", NOON - 210 * MINUTE, NOON - 150 * MINUTE), "closed", "timer", NOON))

    assert refusal(lambda: claim(ledger, NOON - 3 * HOUR, NOON)) == ("conflict", "start")
    assert len(ledger.windows("trades")) == 1


def test_a_row_that_cannot_be_read_is_named_to_who_asks_for_its_window(ledger):
    ledger.tables.upsert("windows", {"PartitionKey": "trades", "RowKey": "20261122T110000Z", "version": 99})

    with pytest.raises(RequestRejected, match=r"trades-20261122T110000Z .* can't be read: .*newer version"):
        claim(ledger, NOON - HOUR, NOON)


def test_what_plans_need_from_outside_is_asked_once_a_request(ledger):
    asked = []
    plans = PlanFactory(
        {"trades": TEMPLATE}, lambda feed: asked.append("pool") or "", lambda _: asked.append("hub") or {}
    )

    rows = opened(ledger, NOON - timedelta(days=31), NOON, plans=plans).rows

    assert len(rows) == 744
    assert sorted(asked) == ["hub", "pool"]


def test_one_request_opens_a_bounded_number_of_windows(ledger):
    often = replace(HOURLY, every=5 * MINUTE, length=5 * MINUTE)
    request = OpenRequest("trades", NOON - timedelta(days=31), NOON)

    found = claim_requested(ledger, PLANS, often, request, NOON)

    assert (len(found.rows), len(ledger.windows("trades"))) == (744, 744)
    assert found.rest == OpenRequest("trades", NOON - timedelta(days=31) + 744 * 5 * MINUTE, NOON)


def running(ledger, start=NOON - 10 * MINUTE, length=HOUR):
    window = Window("trades", start, start + length)
    plan = TEMPLATE.freeze(window, NOON, "", {})
    row = WindowRow(window, "open", "timer", NOON, plan.as_wire(), opened_at=NOON)
    ledger.claim(row)
    return row


def test_stopping_a_running_window_marks_the_row_once(ledger):
    row = running(ledger)

    first = mark_stopped(ledger, row.window.id, NOON + MINUTE)
    second = mark_stopped(ledger, row.window.id, NOON + 2 * MINUTE)

    assert first.stop_at == second.stop_at == NOON + MINUTE + STOP_NOTICE
    assert first.state == "open"


def test_a_past_window_that_runs_or_is_being_closed_is_stopped_now(ledger):
    row = running(ledger, NOON - 3 * HOUR)

    assert mark_stopped(ledger, row.window.id, NOON).stop_at == NOON


@pytest.mark.parametrize("start", [NOON - HOUR, NOON + HOUR], ids=["past", "to come"])
def test_a_window_that_has_not_begun_ends_at_once_and_stopping_it_again_changes_nothing(ledger, start):
    (row,) = claim(ledger, start, start + HOUR)

    first = mark_stopped(ledger, row.window.id, NOON)
    second = mark_stopped(ledger, row.window.id, NOON + MINUTE)

    assert first == second
    assert (first.state, first.stop_at, first.closed_at) == ("stopped", NOON, NOON)
    assert "before it began" in first.reason


def test_an_unknown_window_cannot_be_stopped_or_shown(ledger):
    assert refusal(lambda: mark_stopped(ledger, "trades-20261122T120000Z", NOON)) == ("unknown", "id")
    assert refusal(lambda: show_window(ledger, "no window at all")) == ("unknown", "id")


def test_an_ended_window_cannot_be_stopped(ledger):
    ledger.claim(WindowRow(Window("trades", NOON, NOON + HOUR), "closed", "timer", NOON))

    assert refusal(lambda: mark_stopped(ledger, "trades-20261122T120000Z", NOON)) == ("conflict", "start")


async def test_the_stop_reaches_the_slices_that_wait(ledger):
    orchestrations, row = FakeOrchestrations(), running(ledger)
    waiting = [f"{row.window.id}-leg0-slice{number}" for number in (4, 5)]
    orchestrations.standings |= dict.fromkeys(waiting, "alive") | {f"{row.window.id}-leg0-slice3": "completed"}

    await stop_orchestrations(row, orchestrations)

    assert orchestrations.stopped == waiting


async def test_nothing_is_left_to_stop_of_a_window_that_has_ended(ledger):
    orchestrations, row = FakeOrchestrations(), ended(ledger, NOON - HOUR, "stopped")

    await stop_orchestrations(row, orchestrations)

    assert orchestrations.stopped == []


async def test_a_stop_waits_for_the_slices_of_the_present_attempt_but_not_for_ever(ledger):
    row, waits = running(ledger), []
    part = Slice(row.window.id, 0, NOON, NOON + 5 * MINUTE)
    ledger.begin_attempt(part, NOON, 7)
    of_this_attempt = ledger.begin_attempt(part, NOON, 1)

    async def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            ledger.write_attempt(replace(of_this_attempt, state="done"))

    await await_slices(ledger, row, sleep)
    ended_in_time = len(waits)
    ledger.write_attempt(of_this_attempt)
    await await_slices(ledger, row, sleep)

    assert ended_in_time == 3
    assert sum(waits[3:]) == STOP_WAIT


def test_windows_are_listed_newest_first_by_state(ledger):
    claim(ledger, NOON - 2 * HOUR, NOON)
    ended(ledger, NOON - 3 * HOUR, "closed")

    listed = list_windows(ledger, ["trades", "payments"], ListRequest(state="planned"), NOON)

    assert [row.window.id for row in listed.rows] == ["trades-20261122T110000Z", "trades-20261122T100000Z"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_of_a_list_show_each_window_of_each_feed_once_and_the_rows_that_cannot_be_read(ledger, limit):
    for feed in ("trades", "payments"):
        for hours in (-30, -3, -2, 0, 5):
            window = Window(feed, NOON + hours * HOUR, NOON + (hours + 1) * HOUR)
            ledger.claim(WindowRow(window, "closed", "timer", NOON))
    ledger.tables.upsert("windows", {"PartitionKey": "trades", "RowKey": "20261122T070000Z"})

    after, rows, odd, pages = None, [], [], 0
    while pages == 0 or after:
        listed = list_windows(ledger, ["trades", "payments"], ListRequest(limit=limit, after=cursor(after)), NOON)
        rows, odd, after, pages = [*rows, *listed.rows], [*odd, *listed.rows.unreadable], listed.after, pages + 1

    hours = [(row.window.feed, (row.window.start - NOON) // HOUR) for row in rows]
    assert hours == [(feed, hour) for hour in (5, 0, -2, -3, -30) for feed in ("payments", "trades")]
    assert [one.key for one in odd] == ["windows/trades/20261122T070000Z"]
    assert pages == -(-11 // limit)


def cursor(after):
    return (after.rpartition("-")[0], parse_stamp(after.rpartition("-")[2])) if after else None


def test_a_window_is_shown_with_its_ended_attempts_and_every_try_at_its_slices(ledger):
    before = ended(ledger, NOON - HOUR, "failed")
    (row,) = claim(ledger, NOON - HOUR, NOON)
    part = Slice(row.window.id, 0, NOON, NOON + 5 * MINUTE)
    tries = [SliceRow(part, number, "done", NOON, NOON, {"trades": {"read": 7}}) for number in (1, 2)]
    for one in tries:
        ledger.write_attempt(one)

    assert show_window(ledger, row.window.id) == (row, [before], tries)
