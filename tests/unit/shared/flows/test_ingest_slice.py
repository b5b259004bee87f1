"""One try at a slice, and the closing of its window, with a drawn feed and fakes of the world."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from shared import telemetry
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Slice, Window, microseconds
from shared.errors import FeedRefused, LoginRefused, Unavailable
from shared.feeds.catalogue import FEEDS, checked
from shared.flows import close_window
from shared.flows.close_window import close, fail
from shared.flows.destinations import DestinationTools, connect
from shared.flows.ingest_slice import SliceTools, begin, ingest, slice_outcome, with_timing
from shared.flows.sources import SourceTools
from shared.flows.stop_watch import StopWatch
from shared.trades.connection.fake import FakeVenueClient
from shared.trades.venues.trade import Trade
from tests.unit.shared.flows.drawn_fakes import NUMBERS
from tests.unit.shared.trades.simulated_venue import PlayedLoop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TRADES = [
    Trade("coinbase", "BTC-USD", number, "1", "1", "buy", "taker", at, at, "history")
    for number, at in enumerate(microseconds(NOON + offset * SECOND) for offset in (-5, 5, 15, 25))
]


class InlineLoop(PlayedLoop):
    """A loop whose time is played, and whose threads do their work at once."""

    def run_in_executor(self, executor, func, *args):
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class SlowProgressLoop(InlineLoop):
    """A loop in whose threads a running slice's progress takes three seconds to write, cancelled or not."""

    def run_in_executor(self, executor, func, *args):
        row = func.args[-1]
        if not (isinstance(row, SliceRow) and row.state == "running"):
            return super().run_in_executor(executor, func, *args)
        done = self.create_future()
        self.call_later(3, lambda: (func(*args), done.done() or done.set_result(None)))
        return done


def played(work, loop=InlineLoop):
    """Run to the end, from NOON on."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.get_loop()._selector.played = 0.0
        return runner.run(work)


def clock():
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


class World:
    """A claimed window of 20 s in two slices, and all that its activities meet."""

    def __init__(self, feed="payments", fingerprint=NUMBERS.fingerprint, script=(), history=()):
        stream = {"payments": "transactions", "trades": "trades"}[feed]
        template = PlanTemplate(
            *(10 * SECOND, SECOND, SECOND),
            *(10.0, 2.0, ("coinbase:BTC-USD",)),
            (StreamPlan(stream, (stream,), f"{stream}/1", "row", "identity", 0),),
        )
        self.window = Window(feed, NOON, NOON + 20 * SECOND)
        self.plan = template.freeze(self.window, NOON, fingerprint, {})
        self.ledger = FakeLedger()
        self.hubs = FakeEventHubs({"transactions": 10, "trades": 4})
        self.spill = FakeSpill(lambda: NOON)
        self.venue = FakeVenueClient(script, history)
        self.recording = self.quarantine = None
        self.ledger.claim(WindowRow(self.window, "planned", "timer", NOON, self.plan.as_wire()))

    @property
    def tools(self):
        return SliceTools(
            ledger=self.ledger,
            feeds=checked(FEEDS).feeds,
            sources=SourceTools(
                drawing=lambda feed, drawn: NUMBERS,
                venues=lambda: {"coinbase": self.venue},
                recording=lambda replay: self.recording,
                quarantine=lambda stream, attempt: self.quarantine,
            ),
            destinations=lambda stream, *_: self.hubs.sender(stream.hubs[0]),
            clock=clock,
            sleep=asyncio.sleep,
        )

    @property
    def spilling(self):
        destinations = DestinationTools(self.hubs, None, None, None, lambda: NOON, self.spill)
        return replace(self.tools, destinations=partial(connect, tools=destinations))

    def change(self, **changes):
        self.ledger.change(self.window.id, lambda row: replace(row, **changes))

    @property
    def row(self):
        return self.ledger.window(self.window.id)

    def ingest(self, number):
        return played(ingest(self.plan, number, self.tools))

    def close(self):
        return played(close(self.plan, self.tools))


def test_beginning_opens_a_planned_window_once():
    world = World()

    first = begin(world.ledger, world.window.id, 1, NOON)
    second = begin(world.ledger, world.window.id, 1, NOON + SECOND)

    assert (first, second) == ({"proceed": True, "state": "open"},) * 2
    assert world.row.opened_at == NOON


def test_an_earlier_attempt_that_starts_late_does_not_begin_the_next_one():
    world = World()
    world.ledger.change(world.window.id, lambda row: replace(row, state="failed"))
    world.ledger.reopen(replace(world.ledger.window(world.window.id), state="planned", attempt=2))

    late = begin(world.ledger, world.window.id, 1, NOON)

    assert late["proceed"] is False
    assert world.ledger.window(world.window.id).state == "planned"
    assert begin(world.ledger, world.window.id, 2, NOON)["proceed"] is True


def test_an_ended_window_does_not_begin_again():
    world = World()
    world.change(state="stopped")

    assert begin(world.ledger, world.window.id, 1, NOON)["proceed"] is False


def test_a_done_slice_is_written_with_its_counts():
    world = World()

    outcome = world.ingest(0)

    (row,) = world.ledger.attempts(world.window.id)
    assert outcome == {"slice": 0, "attempt": 1, "state": "done", "reason": ""}
    assert (row.state, row.counts["transactions"]["accepted"]) == ("done", 100)
    assert world.hubs.received["transactions"][0].properties["slice"] == f"{world.window.id}/0.1"


def test_progress_that_is_being_written_when_a_slice_ends_does_not_overwrite_its_end():
    world = World()

    async def ingest_and_linger():
        await ingest(world.plan, 0, world.tools)
        await asyncio.sleep(10)

    played(ingest_and_linger(), SlowProgressLoop)

    assert [row.state for row in world.ledger.attempts(world.window.id)] == ["done"]


def test_a_slice_that_the_hub_fails_is_written_and_raised_so_that_it_is_tried_again():
    world = World()
    world.hubs.fail_next("unknown")

    with pytest.raises(Unavailable):
        world.ingest(0)
    again = world.ingest(0)

    first, second = world.ledger.attempts(world.window.id)
    assert (first.state, second.state, again["attempt"]) == ("failed", "done", 2)
    assert first.counts["transactions"]["unknown"] > 0


def test_a_slice_whose_hub_is_away_is_done_and_its_records_wait_in_the_spill():
    world = World()
    world.hubs.fail_next("unavailable")

    outcome = played(ingest(world.plan, 0, world.spilling))

    (row,) = world.ledger.attempts(world.window.id)
    counts = row.counts["transactions"]
    assert outcome["state"] == row.state == "done"
    assert (counts["read"], counts["unknown"]) == (100, 0)
    assert counts["spilled"] == sum(batch.rows for batch in world.spill.batches()) > 0
    assert counts["accepted"] + counts["spilled"] == 100
    assert {batch.path.rpartition("/")[0] for batch in world.spill.batches()} == {
        f"transactions/{world.window.id}/0000.1"
    }


def test_a_slice_whose_hub_and_spill_are_away_fails_and_its_next_try_sends_all():
    world = World()
    world.hubs.fail_next("unavailable")
    world.spill.queue_failure = Unavailable("The queue spill can't be reached.")

    with pytest.raises(Unavailable, match="could not be spilled either"):
        played(ingest(world.plan, 0, world.spilling))
    again = played(ingest(world.plan, 0, world.spilling))

    assert (again["state"], again["attempt"]) == ("done", 2)
    assert len(world.hubs.received["transactions"]) == 100


def test_a_slice_that_is_delivered_again_after_it_was_done_is_not_ingested_again():
    world = World()

    first, again = world.ingest(0), world.ingest(0)

    assert again == first
    assert len(world.ledger.attempts(world.window.id)) == 1
    assert len(world.hubs.received["transactions"]) == 100


def test_while_no_slice_may_begin_one_is_put_off_without_a_try():
    world = World()

    def drained():
        raise Unavailable("The app is being drained.", retry_after=15)

    with pytest.raises(Unavailable, match="drained"):
        played(ingest(world.plan, 0, replace(world.tools, may_begin=drained)))

    assert world.ledger.attempts(world.window.id) == []
    assert world.hubs.received == {}


def test_a_slice_that_an_earlier_attempt_of_its_window_did_is_ingested_again_by_the_next_one():
    world = World()
    world.ingest(0)

    again = played(ingest(replace(world.plan, attempt=2), 0, world.tools))

    assert (again["state"], again["attempt"]) == ("done", 2)
    assert len(world.hubs.received["transactions"]) == 200


@pytest.mark.parametrize("state", ["running", "failed", "refused", "skipped"])
def test_a_slice_whose_tries_were_not_done_is_tried_again(state):
    world = World()
    row = world.ledger.begin_attempt(world.plan.slices()[0], NOON)
    world.ledger.write_attempt(replace(row, state=state))

    again = world.ingest(0)

    assert (again["state"], again["attempt"]) == ("done", 2)


def test_a_slice_of_a_stopped_window_is_skipped():
    world = World()
    world.change(stop_at=NOON + 5 * SECOND)

    outcome = world.ingest(1)

    assert outcome["state"] == "skipped"
    assert world.hubs.received == {}


def test_pools_that_are_not_the_plans_are_not_drawn_from():
    world = World(fingerprint="other pools")

    with pytest.raises(Unavailable, match="other pools"):
        world.ingest(0)


def test_a_venue_that_refuses_is_no_error_to_retry_but_an_outcome():
    world = World("trades", script=[FeedRefused("X-YZ is not a valid product")])

    outcome = world.ingest(0)
    ended = world.close()

    assert outcome["state"] == "refused"
    assert (ended["state"], ended["reason"]) == ("failed", "X-YZ is not a valid product")


def test_closing_adds_up_and_ends_the_window():
    world = World()
    world.ingest(0)
    world.ingest(1)

    ended = world.close()

    assert ended["state"] == world.row.state == "closed"
    assert world.row.result["counts"]["transactions"]["accepted"] == 200


def test_a_window_whose_slices_spilled_is_closed_with_that_count():
    world = World()
    world.hubs.fail_next("unavailable")
    for number in (0, 1):
        played(ingest(world.plan, number, world.spilling))

    ended = world.close()

    counts = world.row.result["counts"]["transactions"]
    assert ended["state"] == "closed"
    assert counts["spilled"] == sum(batch.rows for batch in world.spill.batches()) > 0
    assert counts["accepted"] + counts["spilled"] == counts["read"] == 200


def test_what_a_closing_could_not_send_waits_in_the_spill_and_is_counted():
    world = World("trades", history=TRADES)
    world.hubs.fail_next("unavailable", sends=9)

    ended = played(close(world.plan, replace(world.spilling, clock=lambda: clock() + 60 * SECOND)))

    assert ended["state"] == "closed"
    assert world.row.result["counts"]["trades"]["spilled"] == 2
    assert {batch.path.split("/")[2] for batch in world.spill.batches()} == {"close.1"}


def test_closing_twice_changes_nothing():
    world = World()
    world.ingest(0)
    first = world.close()
    world.ingest(1)

    assert world.close() == first
    assert world.row.state == "failed"


def test_slices_that_never_began_are_skipped_when_a_window_is_stopped():
    world = World()
    world.ingest(0)
    world.change(stop_at=NOON + 10 * SECOND)

    ended = world.close()

    assert ended["state"] == "stopped"
    assert [row.state for row in world.ledger.attempts(world.window.id)] == ["done", "skipped"]


def test_a_stop_written_while_a_slice_runs_ends_it_at_its_time():
    world = World()

    async def stopped_after_four_seconds():
        asyncio.get_running_loop().call_later(4, lambda: world.change(stop_at=NOON + 4 * SECOND))
        return await ingest(world.plan, 0, world.tools), clock()

    outcome, ended_at = played(stopped_after_four_seconds())

    assert outcome["state"] == "done"
    assert 40 <= len(world.hubs.received["transactions"]) <= 50
    assert ended_at <= NOON + 6 * SECOND


def test_a_slice_says_how_late_it_was():
    world = World()
    late = replace(world.tools, clock=lambda: clock() + 7 * SECOND)

    played(ingest(world.plan, 0, late))

    (row,) = world.ledger.attempts(world.window.id)
    assert row.report == {"late_begun": 8.0}


def test_a_live_slice_says_how_late_it_was_connected():
    part = Slice("trades-20261122T120000Z", 0, NOON, NOON + 10 * SECOND)
    plan = World("trades").plan
    seen = {"connected_at": (NOON + 3 * SECOND).isoformat(), "warnings": ["a"]}

    report = with_timing(seen, SliceAttempt(plan, part, 1), NOON - SECOND, StopWatch(None))

    assert report == seen | {"late_begun": 0.0, "late_connected": 3.0}


def test_a_past_slice_is_never_late():
    world = World()
    past = replace(world.plan, past=True)

    played(ingest(past, 0, replace(world.tools, clock=lambda: clock() + 60 * SECOND)))

    (row,) = world.ledger.attempts(world.window.id)
    assert row.report == {}


def test_what_nobody_foresaw_is_written_and_raised():
    world = World()
    broken = replace(world.tools, destinations=lambda *_: {}["hub"])

    with pytest.raises(KeyError):
        played(ingest(world.plan, 0, broken))

    (row,) = world.ledger.attempts(world.window.id)
    assert (row.state, row.reason) == ("failed", "'hub'")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"state": "done", "reason": ""}, "done"),
        ({"failure": {"kind": "THROTTLED", "reason": "busy", "retry_after": 9.0}}, "failed"),
        ({"failure": {"kind": "CRASHED", "reason": "gone", "retry_after": 0.0}}, "failed"),
        ({"failure": {"kind": "PERMANENT", "reason": "no such row", "retry_after": 0.0}}, "refused"),
    ],
)
def test_a_slice_ends_as_its_last_answer_says(answer, state):
    assert slice_outcome(3, answer)["state"] == state


@pytest.mark.parametrize("past", [True, False])
@pytest.mark.parametrize(("stopped", "sent"), [(False, 2), (True, 0)])
def test_a_window_that_is_stopped_when_its_time_is_over_sends_nothing_more_when_it_is_closed(past, stopped, sent):
    world = World("trades", history=TRADES)
    world.change(stop_at=NOON + 60 * SECOND if stopped else None)

    ended = played(close(replace(world.plan, past=past), replace(world.tools, clock=lambda: clock() + 60 * SECOND)))

    assert (ended["state"] == "stopped") is stopped
    assert len(world.hubs.received["trades"]) == sent


def test_closing_that_is_stopped_while_it_sends_sends_nothing_more():
    world = World("trades", history=TRADES)
    send = world.venue.page

    async def page(symbol, request=None):
        world.change(stop_at=NOON + 90 * SECOND)
        await asyncio.sleep(2)
        return await send(symbol, request)

    world.venue.page = page

    ended = played(close(world.plan, replace(world.tools, clock=lambda: clock() + 60 * SECOND)))

    assert ended["state"] == "stopped"
    assert world.hubs.received["trades"] == []


def test_a_closing_whose_time_is_over_leaves_off_and_the_next_call_goes_on_and_counts_both():
    world = World("trades", history=TRADES)
    tools = replace(world.tools, clock=lambda: clock() + 60 * SECOND, longest_closing=3 * SECOND)
    give, asked = world.venue.page, []

    async def slow_at_first(symbol, request=None):
        asked.append(request)
        await asyncio.sleep(5 if len(asked) == 1 else 0)
        return await give(symbol, request)

    world.venue.page = slow_at_first

    first = played(close(world.plan, tools))
    was_ended = world.row.ended
    second = played(close(world.plan, tools))

    assert (first.get("pending"), was_ended) == (True, False)
    assert (second.get("pending"), world.row.ended) == (None, True)
    assert world.row.result["counts"]["trades"]["accepted"] == len(world.hubs.received["trades"]) == 2


@pytest.mark.parametrize("refusal", [FeedRefused("NOPEUSDT is no market"), LoginRefused("No such secret.")])
def test_a_window_whose_completion_is_refused_ends_as_failed_with_the_reason(monkeypatch, refusal):
    world = World("trades")

    def refused(*_):
        raise refusal

    monkeypatch.setattr(close_window, "open_completion", refused)

    ended = world.close()

    assert (ended["state"], world.row.state) == ("failed", "failed")
    assert ended["reason"] == f"It could not be closed. {refusal}"


def test_a_window_that_can_not_be_closed_is_failed_with_what_its_slices_did():
    world = World()
    world.ingest(0)

    tools = replace(world.tools, clock=lambda: NOON)

    ended = fail(world.plan, "The history is away.", tools)
    again = fail(world.plan, "Something else.", tools)

    assert ended == again
    assert (world.row.state, world.row.reason) == ("failed", "It could not be closed. The history is away.")
    assert world.row.result["counts"]["transactions"]["accepted"] == 100


def test_whatever_is_logged_for_a_slice_says_its_feed_window_slice_and_attempt(caplog):
    caplog.set_level(logging.INFO)
    world = World()

    def connected(stream, *_):
        telemetry.info(logging.getLogger("shared.clients.event_hubs"), "hub.connected", hub=stream.hubs[0])
        return world.hubs.sender(stream.hubs[0])

    played(ingest(world.plan, 1, replace(world.tools, destinations=connected)))

    about = f"feed=payments window={world.window.id} slice=1 attempt=1"
    assert f"hub.connected {about} hub=transactions" in caplog.messages
    assert len(caplog.messages) > 1
    assert all(about in message for message in caplog.messages)
