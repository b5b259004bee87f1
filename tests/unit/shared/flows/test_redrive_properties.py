"""Whatever the hub does and wherever the redriver dies: each key's events stay in order, and none is lost."""

import asyncio
import contextlib
from collections import defaultdict
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.storage.spill_encoding import decode
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.unit.shared.flows.spill_fakes import MOST_DEATHS, SpillWorld

KEYS = ("BTC", "ETH", None)
AWAY = st.sampled_from(["away", "busy", "stored", "partly", "denied", "killed before", "killed after"])
FATES = st.lists(AWAY, max_size=8).filter(lambda fates: sum("killed" in fate for fate in fates) < MOST_DEATHS)
BATCHES = st.lists(st.lists(st.sampled_from(KEYS), min_size=1, max_size=6), min_size=1, max_size=6)


class FickleHub:
    """A hub that meets each send with the next fate, refuses the bodies in `poison`, and keeps what it took."""

    def __init__(self, fates, poison):
        self.fates, self.poison, self.received = list(fates), poison, []

    @contextlib.asynccontextmanager
    async def sender(self, hub, on_refusal=None):
        self.on_refusal = on_refusal
        yield self

    async def send(self, events):
        fate = self.fates.pop(0) if self.fates else ""
        if fate == "killed before":
            raise RuntimeError(fate)
        if fate in {"away", "busy"}:
            raise SendFailed(fate, kind=FailureKind.THROTTLED if fate == "busy" else FailureKind.UNAVAILABLE)
        if fate == "denied":
            raise LoginRefused(fate)
        good = [event for event in events if event.body not in self.poison]
        self.received += good[: len(good) // 2] if fate == "partly" else good
        if fate == "killed after":
            raise RuntimeError(fate)
        if fate in {"stored", "partly"}:
            raise SendFailed(fate, Delivery(unknown=len(good)))
        refused = [event for event in events if event.body in self.poison]
        for event in refused:
            self.on_refusal(event, "poison")
        return Delivery(len(good), refusals=tuple(Refusal(1, "poison") for _ in refused))


def spilled(world, batches):
    """Spill batches of events with these keys, each event with a body of its own; gives all of them."""
    events = []
    for number, keys in enumerate(batches):
        own = [Event(b"%d.%d" % (number, place), 1, {}, key) for place, key in enumerate(keys)]
        world.keep(number, own)
        events += own
    return events


def kept(world, *states):
    """Give the bodies that lie in the batches of these states."""
    batches = [batch for batch in world.spill.batches() if batch.state in states]
    return [event.body for batch in batches for event in decode(batch, world.blob(batch).content)]


def first_arrivals(events):
    """Give each key's bodies in the order in which they first came."""
    by_key = defaultdict(list)
    for event in events:
        if event.body not in by_key[event.partition_key]:
            by_key[event.partition_key].append(event.body)
    return by_key


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(BATCHES, FATES, st.sets(st.integers(0, 30), max_size=4), st.sampled_from(["pass", "wait"]))
def test_nothing_is_lost_and_each_key_keeps_its_order(batches, fates, spoilt, after_dead):
    world = SpillWorld(after_dead)
    events = spilled(world, batches)
    poison = {event.body for place, event in enumerate(events) if place in spoilt}
    world.hubs = FickleHub(fates, poison)

    asyncio.run(world.drain(hours=24))

    sent = {event.body for event in world.hubs.received}
    assert world.poison == []
    assert sent.isdisjoint(poison)
    assert sent | set(kept(world, "dead", "waiting")) == {event.body for event in events}
    assert set(kept(world, "dead")) == poison - set(kept(world, "waiting"))
    assert sum(batch.rows for batch in world.spill.batches()) == len(events)
    for key, bodies in first_arrivals(world.hubs.received).items():
        expected = [event.body for event in events if event.partition_key == key and event.body in sent]
        assert bodies == expected
    if after_dead == "pass":
        assert sent == {event.body for event in events} - poison


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(BATCHES, st.sets(st.integers(0, 30), min_size=1, max_size=4))
def test_where_the_setting_says_wait_no_later_batch_sends_a_key_that_a_dead_batch_has(batches, spoilt):
    world = SpillWorld("wait")
    events = spilled(world, batches)
    poison = {event.body for place, event in enumerate(events) if place in spoilt}
    world.hubs = FickleHub([], poison)

    asyncio.run(world.drain())

    first_dead = {}
    for event in events:
        if event.body in poison and event.partition_key is not None:
            first_dead.setdefault(event.partition_key, int(event.body.split(b".")[0]))
    for event in world.hubs.received:
        assert int(event.body.split(b".")[0]) <= first_dead.get(event.partition_key, len(batches))
