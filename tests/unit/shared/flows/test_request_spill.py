"""What people ask of the spill: redrive it, discard it, look at it."""

from dataclasses import replace

import pytest

from shared.clients.storage.fake import FakeLedger
from shared.domain.spill_request import SpillRequest
from shared.errors import RequestRejected
from shared.flows import request_spill
from shared.flows.request_spill import SpillRequestTools, list_spill, request_discard, request_redrive
from tests.unit.shared.flows.spill_fakes import MINUTE, NEXT_WINDOW, WINDOW, SpillWorld, events

ALL_WAITING = SpillRequest(states=("waiting",))
ALL_UNSETTLED = SpillRequest(states=("waiting", "dead"))
DISCARD_DEAD = SpillRequest(states=("dead",), reason="not needed")
DISCARD_ALL = replace(DISCARD_DEAD, states=("dead", "waiting"))


class Desk(SpillWorld):
    """The spill as people ask it."""

    @property
    def asked(self):
        return SpillRequestTools(self.spill, FakeLedger(), ("trades", "gps"), self.after_dead)


@pytest.fixture
def desk():
    return Desk()


async def test_what_waits_for_a_hub_that_is_away_is_redriven_at_once(desk):
    desk.hubs.fail_next("unavailable")
    desk.keep(0, events("a"))
    desk.keep(1, events("b", "c"))
    await desk.deliver()

    changed = request_redrive(desk.asked, ALL_WAITING)
    await desk.deliver()

    assert (len(changed.batches), sum(batch.rows for batch in changed.batches)) == (2, 6)
    assert desk.sent() == ["a", "b", "c"]


async def test_dead_batches_are_redriven_only_where_that_is_asked_for(desk):
    dead = desk.keep(0, events("a"), state="dead", reason="no such hub", tries=3)
    await desk.deliver()

    assert request_redrive(desk.asked, ALL_WAITING).batches == []
    assert request_redrive(desk.asked, ALL_UNSETTLED).batches == [replace(dead, state="waiting", reason="", tries=0)]

    await desk.deliver()
    assert desk.sent() == ["a"]
    assert desk.states() == {"000000": ("redriven", 2)}


async def test_a_feeds_or_windows_batches_alone_are_meant(desk):
    own = desk.keep(0, events("a"))
    later = desk.keep(0, events("b"), window=NEXT_WINDOW)
    other = desk.keep(0, events("c"), window="gps-20261122T110000Z", stream="gps")

    def meant(**which):
        return [batch.path for batch in request_redrive(desk.asked, replace(ALL_WAITING, **which)).batches]

    assert meant(feed="trades") == [own.path, later.path]
    assert meant(window_id=NEXT_WINDOW) == [later.path]
    assert meant() == [other.path, own.path, later.path]


async def test_a_later_windows_redrive_goes_through_what_waits_before_it(desk):
    desk.hubs.fail_next("unavailable")
    desk.keep(0, events("a"))
    desk.keep(0, events("b"), window=NEXT_WINDOW)
    await desk.deliver()

    request_redrive(desk.asked, replace(ALL_WAITING, window_id=NEXT_WINDOW))
    await desk.deliver()

    assert desk.sent() == ["a", "b"]


def test_a_feed_or_window_that_nobody_knows_is_unknown_and_one_without_spill_has_none(desk):
    assert request_redrive(desk.asked, replace(ALL_WAITING, feed="gps")).batches == []
    with pytest.raises(RequestRejected, match="There is no feed 'shop'") as caught:
        request_redrive(desk.asked, replace(ALL_WAITING, feed="shop"))
    assert (caught.value.reason, caught.value.field) == ("unknown", "feed")
    with pytest.raises(RequestRejected, match="There is no window 'trades-20200101T000000Z'") as caught:
        request_discard(desk.asked, replace(DISCARD_DEAD, window_id="trades-20200101T000000Z"))
    assert (caught.value.reason, caught.value.field) == ("unknown", "window")


def test_a_feed_that_is_not_enabled_any_more_can_still_be_redriven(desk):
    batch = desk.keep(0, events("a"), window="shop-20261122T110000Z", stream="stars")

    assert request_redrive(desk.asked, replace(ALL_WAITING, feed="shop")).batches == [batch]


async def test_dead_batches_are_given_up_with_the_reason_and_the_window_is_told_of(desk):
    dead = desk.keep(0, events("a"), state="dead", reason="no such hub")
    waiting = desk.keep(1, events("b"))
    sent = desk.keep(2, events("c"), state="redriven")

    changed = request_discard(desk.asked, DISCARD_DEAD)

    assert changed.batches == [replace(dead, state="discarded", reason="not needed")]
    assert desk.spill.batches() == [*changed.batches, waiting, sent]

    await desk.deliver()
    assert desk.sent() == ["b"]
    assert set(desk.told) == {WINDOW}


async def test_waiting_batches_are_given_up_only_where_that_is_asked_for(desk):
    desk.keep(0, events("a"))

    assert request_discard(desk.asked, DISCARD_DEAD).batches == []
    assert len(request_discard(desk.asked, DISCARD_ALL).batches) == 1

    await desk.deliver()
    assert desk.sent() == []
    assert set(desk.told) == {WINDOW}


async def test_where_the_first_batch_is_given_up_while_the_hub_is_away_the_next_is_redriven(desk):
    desk.hubs.fail_next("unavailable", 2)
    first, second = desk.keep(0, events("a")), desk.keep(1, events("b"), tries=1)
    await desk.deliver()
    desk.spill.mark(replace(second, state="waiting", tries=3))

    desk.spill.mark(replace(desk.spill.batch(first.path), state="dead"))
    request_discard(desk.asked, DISCARD_DEAD)
    desk.hubs._failures.clear()
    await desk.deliver()

    assert desk.sent() == ["b"]


async def test_what_was_redriven_meanwhile_is_not_discarded(desk):
    batch = desk.keep(0, events("a"), state="dead")
    batches = desk.spill.batches

    def redriven_meanwhile(*arguments, **named):
        found = batches(*arguments, **named)
        desk.spill.mark(replace(batch, state="redriven"))
        return found

    desk.spill.batches = redriven_meanwhile

    assert request_discard(desk.asked, DISCARD_DEAD).batches == []
    assert desk.states() == {"000000": ("redriven", 2)}


async def test_what_waited_for_a_dead_batch_goes_on_when_that_is_given_up():
    desk = Desk("wait")
    desk.hubs.limit = 10
    desk.keep(0, events("x" * 11), events("a", key="ETH"))
    desk.keep(1, events("b"))
    await desk.deliver()
    assert desk.sent() == ["a"]

    request_discard(desk.asked, DISCARD_DEAD)
    await desk.deliver()

    assert desk.sent() == ["a", "b"]


def test_no_more_is_changed_in_one_request_than_its_caller_waits_for(desk, monkeypatch):
    monkeypatch.setattr(request_spill, "MOST_CHANGED", 2)
    for number in range(5):
        desk.keep(number, events(f"{number}"), state="dead")

    assert request_redrive(desk.asked, ALL_UNSETTLED).left == 3
    assert [request_discard(desk.asked, DISCARD_ALL).left for _ in range(3)] == [3, 1, 0]


def test_the_spill_is_summed_up_by_window_stream_and_state(desk):
    desk.keep(0, events("a"), tries=2, reason="away")
    desk.now += MINUTE
    desk.keep(1, events("b", "c"), tries=7, reason="away")
    desk.keep(2, events("d"), state="dead", reason="no such hub")
    desk.keep(0, events("e"), window=NEXT_WINDOW)

    listed = list_spill(desk.asked, SpillRequest(), 10, "")

    assert [(one.window_id, one.stream, one.state) for one in listed.summaries] == [
        (WINDOW, "trades", "dead"),
        (WINDOW, "trades", "waiting"),
        (NEXT_WINDOW, "trades", "waiting"),
    ]
    _, waiting, _ = listed.summaries
    assert (waiting.batches, waiting.rows, waiting.tries) == (2, 6, 7)
    assert waiting.oldest == desk.now - MINUTE
    assert waiting.reasons == (("away", 2),)
    assert (listed.after, listed.messages) == (None, (4, 0))


def test_pages_follow_each_other_without_a_gap(desk):
    for day in range(10, 15):
        desk.keep(0, events("a"), window=f"trades-202611{day}T110000Z")
        desk.keep(0, events("b"), window=f"trades-202611{day}T110000Z", stream="trades_b")

    seen, after = [], ""
    while after is not None:
        page = list_spill(desk.asked, SpillRequest(), 3, after)
        seen += [(one.window_id, one.stream) for one in page.summaries]
        after = page.after

    assert seen == sorted(set(seen))
    assert len(seen) == 10


def test_a_list_shows_the_state_that_is_asked_for(desk):
    desk.keep(0, events("a"))
    desk.keep(1, events("b"), state="dead")

    listed = list_spill(desk.asked, SpillRequest(states=("dead",)), 10, "")

    assert [one.state for one in listed.summaries] == ["dead"]


@pytest.mark.parametrize("change", [{"spilled_at": "yesterday"}, {"state": "paused"}, {"version": "2"}])
async def test_a_batch_that_can_not_be_read_stays_dead_with_its_reason_until_it_is_given_up(desk, change):
    batch = desk.keep(0, events("a"))
    before = desk.blob(batch).metadata
    before.update(change)
    await desk.deliver()
    dead = desk.spill.batch(batch.path)

    assert request_redrive(desk.asked, ALL_UNSETTLED).batches == []
    assert (desk.spill.batch(batch.path), dead.state) == (dead, "dead")

    (given_up,) = request_discard(desk.asked, DISCARD_DEAD).batches
    await desk.deliver()

    left = desk.spill.batch(batch.path)
    assert (left.state, left.reason, given_up.state) == ("discarded", "not needed", "discarded")
    assert desk.blob(batch).metadata == before | change | {"state": "discarded", "reason": "not needed"}
    assert (desk.sent(), set(desk.told)) == ([], {WINDOW})


async def test_what_waits_for_a_batch_that_can_not_be_read_goes_on_when_that_is_given_up():
    desk = Desk("wait")
    spoilt = desk.keep(0, events("a"))
    desk.keep(1, events("b", key="ETH"))
    desk.blob(spoilt).metadata["spilled_at"] = "yesterday"
    await desk.deliver()
    assert desk.sent() == []

    request_discard(desk.asked, DISCARD_DEAD)
    await desk.deliver()

    assert desk.sent() == ["b"]
