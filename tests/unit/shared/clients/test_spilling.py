"""What a hub does not take is kept, once and in order, and nothing is lost whatever fails."""

import asyncio
import logging
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.spilling import spilling
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.spill_encoding import decode
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed, Unavailable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ATTEMPT = "trades-20261122T120000Z/3.1"
AWAY = Unavailable("The queue spill can't be reached.")


class World:
    def __init__(self):
        self.hubs, self.spill = FakeEventHubs({"market-trades": 4}), FakeSpill(lambda: NOON)

    def connected(self, sender):
        names = {"stream": "trades", "hub": "market-trades", "attempt_id": ATTEMPT}
        return spilling(sender, self.spill, clock=lambda: NOON, **names)

    async def sent(self, *sends):
        """Give the delivery, or the failure, of each send of one try."""
        found = []
        async with self.hubs.sender("market-trades") as hub, self.connected(hub) as sender:
            for events in sends:
                try:
                    found.append(await sender.send(events() if callable(events) else events))
                except (SendFailed, LoginRefused) as failure:
                    found.append(failure)
        return found

    def kept(self):
        return [event for batch in self.spill.batches() for event in decode(batch, self.spill.read(batch.path))]


def numbered(*numbers, rows=1):
    return [Event(b"%03d" % number, rows, {"slice": ATTEMPT}, "us") for number in numbers]


async def test_what_a_hub_takes_is_not_kept():
    world = World()

    (delivery,) = await world.sent(numbered(1, 2))

    assert delivery == Delivery(accepted=2, events=2)
    assert world.spill.batches() == []


@pytest.mark.parametrize("failure", ["throttled", "unavailable", "unknown"])
async def test_what_a_hub_does_not_take_is_counted_as_spilled(failure):
    world = World()
    world.hubs.fail_next(failure)

    (delivery,) = await world.sent(numbered(1, 2, rows=5))

    assert delivery == Delivery(spilled=10)
    assert world.kept() == numbered(1, 2, rows=5)
    assert len(world.spill.queue.documents()) == 1


async def test_what_was_settled_before_is_not_kept():
    world = World()
    world.hubs.fail_next("halfway")

    (delivery,) = await world.sent(numbered(1, 2, 3, 4))

    assert delivery == Delivery(accepted=2, spilled=2, events=2)
    assert world.kept() == numbered(3, 4)


async def test_a_login_that_is_refused_is_a_failure_as_before():
    world = World()
    world.hubs.fail_next("unauthorized")

    (failure,) = await world.sent(numbered(1))

    assert isinstance(failure, LoginRefused)
    assert world.spill.batches() == []


async def test_a_partition_that_the_hub_has_not_is_a_failure_as_before():
    world = World()

    (failure,) = await world.sent([Event(b"a", 1, {}, None, "9")])

    assert failure.kind is FailureKind.PERMANENT
    assert world.spill.batches() == []


async def test_each_send_of_an_outage_is_a_batch_of_its_own_in_the_order_of_time():
    world = World()
    world.hubs.fail_next("unavailable", sends=2)

    await world.sent(numbered(1), numbered(2), numbered(3))

    assert [batch.path.rpartition("/")[2] for batch in world.spill.batches()] == [
        "000000.ndjson.zst",
        "000001.ndjson.zst",
    ]
    assert world.kept() == numbered(1, 2)
    assert world.hubs.received["market-trades"] == numbered(3)


async def test_a_large_send_becomes_batches_of_about_4_mib():
    world = World()
    world.hubs.fail_next("unavailable")

    await world.sent([Event(b"x" * 1_000_000, 1, {}, "us")] * 9)

    assert [batch.events for batch in world.spill.batches()] == [4, 4, 1]


async def test_while_its_sender_leaves_the_hub_alone_events_are_kept_without_asking_it():
    world = World()
    world.hubs.fail_next("unavailable")

    def resting():
        world.hubs.rest = 30.0
        return numbered(2)

    def rested():
        world.hubs.rest = 0.0
        return numbered(3)

    deliveries = await world.sent(numbered(1), resting, rested, numbered(4))

    assert [(each.spilled, each.accepted) for each in deliveries] == [(1, 0), (1, 0), (0, 1), (0, 1)]
    assert world.hubs.brief == [False, True, False]


async def test_a_rest_that_began_before_anything_was_kept_does_not_spare_the_hub():
    world = World()
    world.hubs.rest = 30.0

    (delivery,) = await world.sent(numbered(1))

    assert delivery.accepted == 1


async def test_nothing_to_send_does_not_end_an_outage():
    world = World()
    world.hubs.fail_next("unavailable")

    await world.sent(numbered(1), [], numbered(2))

    assert world.hubs.brief == [False, True, True]


@pytest.mark.parametrize("refusal", [AWAY, LoginRefused("The queue spill answered 403 to client id 7.")])
async def test_where_the_spill_does_not_take_them_either_both_reasons_are_told_and_nothing_is_counted(refusal):
    world = World()
    world.hubs.fail_next("throttled")
    world.hubs.retry_after = 4.0
    world.spill.queue_failure = refusal

    (failure,) = await world.sent(numbered(1, 2))

    assert str(failure) == (
        f"hub market-trades: 2 records were not delivered; they could not be spilled either: {refusal}"
    )
    assert (failure.kind, failure.retry_after) == (FailureKind.THROTTLED, 4.0)
    assert (failure.delivery, failure.unsettled) == (Delivery(), numbered(1, 2))
    assert world.spill.batches() == []


async def test_what_was_kept_before_the_spill_failed_is_counted():
    world = World()
    world.hubs.fail_next("unknown")
    world.hubs.limit, world.spill.queue.most = 4_000_000, 1

    (failure,) = await world.sent([Event(b"x" * 3_200_000, 2, {}, "us")] * 3)

    assert failure.delivery == Delivery(spilled=2, unknown=4)
    assert len(failure.unsettled) == 2
    assert len(world.kept()) == 1


async def test_a_spill_that_hangs_is_given_up(monkeypatch):
    world = World()
    world.hubs.fail_next("unavailable")
    hanging, go_on = world.spill.keep, asyncio.Event()
    loop = asyncio.get_running_loop()

    def keep(batch, content):
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return hanging(batch, content)

    monkeypatch.setattr(world.spill, "keep", keep)
    monkeypatch.setattr("shared.clients.spilling._KEEP_SECONDS", 0.01)

    (failure,) = await world.sent(numbered(1))
    go_on.set()

    assert "did not take a batch within" in str(failure)
    assert failure.unsettled == numbered(1)


async def test_while_a_send_takes_long_the_spill_is_made_ready(monkeypatch):
    world, ready = World(), asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(world.spill, "prepare", lambda: loop.call_soon_threadsafe(ready.set))
    monkeypatch.setattr("shared.clients.spilling._SLOW_SECONDS", 0.0)
    take = world.hubs.take

    class Slow:
        rest = 0.0

        async def send(self, events, *, briefly=False):
            await ready.wait()
            return take("market-trades", events)

    async with world.connected(Slow()) as sender, asyncio.timeout(5):
        delivery = await sender.send(numbered(1))

    assert delivery.accepted == 1


async def test_while_the_spill_is_being_made_ready_no_other_send_begins_to(monkeypatch):
    world, loop, go, begun = World(), asyncio.get_running_loop(), threading.Event(), asyncio.Queue()
    monkeypatch.setattr("shared.clients.spilling._SLOW_SECONDS", 0.0)

    def prepare():
        loop.call_soon_threadsafe(begun.put_nowait, None)
        go.wait(5)

    class Slow:
        rest = 0.0

        async def send(self, events, *, briefly=False):
            for _ in range(3):
                await asyncio.sleep(0.01)
            return world.hubs.take("market-trades", events)

    monkeypatch.setattr(world.spill, "prepare", prepare)
    async with world.connected(Slow()) as sender, asyncio.timeout(5):
        for _ in range(3):
            await sender.send(numbered(1))
        await begun.get()
        go.set()

    assert begun.empty()


async def test_a_try_at_a_closing_that_begins_anew_leaves_earlier_batches_alone():
    world = World()
    for number in (1, 2):
        world.hubs.fail_next("unavailable")
        await world.sent(numbered(number))

    assert world.kept() == numbered(1, 2)


async def test_the_log_says_once_that_spilling_begins_and_once_that_it_ended(caplog):
    caplog.set_level(logging.INFO)
    world = World()
    world.hubs.fail_next("unavailable", sends=3)

    await world.sent(numbered(1), numbered(2, 3), numbered(4), numbered(5), numbered(6))

    told = [message for message in caplog.messages if message.startswith("spill.")]
    assert told[0].startswith("spill.began hub=market-trades ")
    assert told[1:] == ["spill.ended hub=market-trades batches=3 records=4"]


async def test_the_log_says_what_was_kept_where_the_hub_is_not_back_at_the_end(caplog):
    caplog.set_level(logging.INFO)
    world = World()
    world.hubs.fail_next("unavailable")

    await world.sent(numbered(1))

    assert caplog.messages[-1] == "spill.left hub=market-trades batches=1 records=1"


hub_failures = st.sampled_from([None, "refused", "unknown", "throttled", "unavailable", "halfway", "unauthorized"])
spill_failures = st.sampled_from([None, None, "queue", "blobs", "full"])
turns = st.lists(st.tuples(hub_failures, spill_failures, st.booleans(), st.integers(0, 4)), max_size=8)


@given(turns)
def test_whatever_fails_every_record_is_accounted_for_and_every_event_is_somewhere(script):
    world, sends, first = World(), [], 0
    for failure, spill_failure, rests, count in script:
        events = numbered(*range(first, first + count), rows=2)
        first += count
        sends.append((failure, spill_failure, rests, events))

    def ready(failure, spill_failure, rests, events):
        def give():
            world.hubs._failures.clear()
            if failure and events:
                world.hubs.fail_next(failure)
            world.hubs.rest = 30.0 if rests else 0.0
            world.spill.failure = AWAY if spill_failure == "blobs" else None
            world.spill.queue_failure = AWAY if spill_failure in {"queue", "blobs"} else None
            world.spill.queue.most = 0 if spill_failure == "full" else None
            return events

        return give

    found = asyncio.run(world.sent(*(ready(*turn) for turn in sends)))
    world.spill.failure = None

    settled = Counter(event.body for event in [*world.kept(), *world.hubs.received["market-trades"]])
    for (_, _, _, events), outcome in zip(sends, found, strict=True):
        if isinstance(outcome, LoginRefused):
            continue
        delivery = outcome if isinstance(outcome, Delivery) else outcome.delivery
        counted = delivery.accepted + delivery.refused + delivery.unknown + delivery.spilled
        if isinstance(outcome, Delivery):
            assert counted == sum(event.rows for event in events)
            assert delivery.unknown == 0
            assert delivery.refused or all(settled[event.body] for event in events)
        else:
            left = sum(event.rows for event in outcome.unsettled)
            assert counted - delivery.unknown + left == sum(event.rows for event in events)
            assert all(settled[event.body] for event in events if event not in outcome.unsettled)
