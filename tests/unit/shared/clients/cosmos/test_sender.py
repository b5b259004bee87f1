"""The sender against a container that plays what it is told, and a clock that moves only by waiting."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.attempts import Attempts
from shared.clients.breaker import Breaker
from shared.clients.cosmos.items import Items
from shared.clients.cosmos.link import ItemRejected
from shared.clients.cosmos.sender import CosmosSender
from shared.clients.links import LinkFault
from shared.clients.retrying import Backoff, Clock, RetryPolicy, Timeouts
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed

ITEMS = Items(("key",), "country", timedelta(days=60), "Transaction")
AWAY = LinkFault(FailureKind.UNAVAILABLE, "503", answered=True)
LOST = LinkFault(FailureKind.UNAVAILABLE, "connection lost", may_be_stored=True)
DENIED = LinkFault(FailureKind.UNAUTHORIZED, "401")
NOWHERE = LinkFault(FailureKind.PERMANENT, "404", answered=True)


def busy(seconds: float) -> LinkFault:
    return LinkFault(FailureKind.THROTTLED, "429", retry_after=seconds, answered=True, paced=True)


@dataclass
class World:
    """A container, its links and a clock; `plot` is what the next batches meet."""

    now: float = 0.0
    plot: deque[Exception | None] = field(default_factory=deque)
    poison: frozenset[str] = frozenset()
    names_poison: bool = True
    away: frozenset[str] = frozenset()
    stored: defaultdict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    batches: list[tuple[float, str, int]] = field(default_factory=list)
    links: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def sender(self, on_refusal=None, side_by_side: int = 8) -> CosmosSender:
        clock = Clock(now=lambda: self.now, pause=self.sleep, jitter=lambda: 0.5)
        retry = RetryPolicy(Timeouts(throttled=Backoff(0.05, 1.0)), clock)
        attempts = Attempts("container a/b at host", "client-7", retry, Breaker(), "cosmos")
        return CosmosSender(attempts, self.make_link, ITEMS, on_refusal, side_by_side)

    def make_link(self) -> "ScriptedLink":
        self.links += 1
        return ScriptedLink(self)


@dataclass
class ScriptedLink:
    world: World

    async def open(self) -> None:
        pass

    async def upsert(self, partition_key: str, items: Sequence[Mapping[str, Any]]) -> float:
        world = self.world
        world.batches.append((world.now, partition_key, len(items)))
        world.in_flight += 1
        world.most_in_flight = max(world.most_in_flight, world.in_flight)
        await asyncio.sleep(0)
        world.in_flight -= 1
        world.now += 0.01
        fate = AWAY if partition_key in world.away else world.plot.popleft() if world.plot else None
        if fate is not None:
            raise fate
        bad = next((at for at, item in enumerate(items) if item["id"] in world.poison), None)
        if bad is not None:
            raise ItemRejected("it answered 400", bad if world.names_poison else None)
        world.stored[partition_key] += items
        return 5.0 * len(items)

    async def close(self) -> None:
        pass


def row(key: str, country: str = "BR") -> Event:
    return Event(json.dumps({"key": key, "country": country}).encode(), 1, {}, country)


def pack(*keys: tuple[str, str]) -> Event:
    lines = [json.dumps({"key": key, "country": country}).encode() + b"\n" for key, country in keys]
    return Event(b"".join(lines), len(lines), {}, partition_id="0")


async def failure_of(sender: CosmosSender, events: Sequence[Event]) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sender.send(events)
    return caught.value


async def test_records_go_in_batches_of_a_hundred_of_one_partition_key_in_their_order():
    world = World()
    events = [row(f"{n:04d}", "BR" if n % 2 else "US") for n in range(500)]

    delivery = await world.sender().send(events)

    assert delivery == Delivery(accepted=500, events=500)
    assert sorted(batch[1:] for batch in world.batches) == sorted(
        [("BR", 100), ("BR", 100), ("BR", 50), ("US", 100), ("US", 100), ("US", 50)]
    )
    assert [item["id"] for item in world.stored["BR"]] == [f"{n:04d}" for n in range(1, 500, 2)]


async def test_a_batch_holds_no_more_bytes_than_a_request_may():
    world = World()
    wide = [Event(json.dumps({"key": str(n), "country": "BR", "x": "y" * 300_000}).encode(), 1, {}) for n in range(10)]

    await world.sender().send(wide)

    assert [size for _, _, size in world.batches] == [3, 3, 3, 1]


async def test_so_many_partition_keys_are_written_to_at_once_and_no_more():
    world = World()

    await world.sender(side_by_side=3).send([row(str(n), f"C{n}") for n in range(20)])

    assert world.most_in_flight == 3


async def test_a_throttled_batch_waits_as_it_was_told_and_the_container_is_not_thought_to_be_away():
    world = World(plot=deque([busy(0.7)] * 6))
    sender = world.sender()

    delivery = await sender.send([row("1")])

    waits = [later[0] - earlier[0] for earlier, later in zip(world.batches, world.batches[1:], strict=False)]
    assert delivery == Delivery(accepted=1, events=1)
    assert all(0.7 < wait < 0.8 for wait in waits)
    assert (sender.rest, world.links, sender.charge.throttled) == (0.0, 1, 6)


async def test_a_container_that_throttles_for_good_is_a_failure_that_may_pass():
    world = World(plot=deque([busy(1.0)] * 1_000))

    failure = await failure_of(world.sender(), [row("1"), row("2")])

    assert (failure.kind, failure.retry_after) == (FailureKind.THROTTLED, 1.0)
    assert failure.delivery == Delivery()
    assert failure.unsettled == [row("1"), row("2")]


async def test_a_container_that_is_away_three_times_in_a_row_is_left_alone_for_a_while():
    world = World(plot=deque([AWAY] * 3))
    sender = world.sender()

    await sender.send([row("1")])

    assert world.batches[3][0] - world.batches[2][0] > 20
    assert sender.rest == 0.0


async def test_a_refused_item_costs_its_own_record_and_is_told_of():
    told: list[tuple[bytes, str]] = []
    world = World(poison=frozenset({"07", "93"}))
    events = [row(f"{n:02d}") for n in range(100)]

    delivery = await world.sender(lambda event, why: told.append((event.body, why))).send(events)

    assert (delivery.accepted, delivery.refused, delivery.events) == (98, 2, 98)
    assert [body for body, _ in told] == [events[7].body, events[93].body]
    assert "(id '07') was refused: it answered 400" in told[0][1]
    assert len(world.batches) == 3


@given(st.sets(st.integers(0, 119)), st.booleans())
@settings(max_examples=30, deadline=None)
def test_whichever_items_are_refused_all_others_are_stored_once_in_their_order(bad, names_them):
    world = World(poison=frozenset(f"{n:03d}" for n in bad), names_poison=names_them)

    delivery = asyncio.run(world.sender().send([row(f"{n:03d}") for n in range(120)]))

    assert [item["id"] for item in world.stored["BR"]] == [f"{n:03d}" for n in range(120) if n not in bad]
    assert (delivery.accepted, delivery.refused) == (120 - len(bad), len(bad))


async def test_partition_keys_that_are_away_hold_up_no_others():
    world = World(away=frozenset({"US"}))

    failure = await failure_of(world.sender(), [row("1", "US"), row("2", "BR"), row("3", "US")])

    assert failure.delivery == Delivery(accepted=1, events=1)
    assert failure.unsettled == [row("1", "US"), row("3", "US")]
    assert failure.kind is FailureKind.UNAVAILABLE


async def test_of_an_event_that_is_settled_in_part_the_stored_records_are_unknown_and_nothing_is_told():
    told: list[str] = []
    world = World(away=frozenset({"US"}), poison=frozenset({"bad"}))
    mixed, whole = pack(("1", "US"), ("2", "BR"), ("bad", "BR")), pack(("3", "BR"), ("4", "BR"))

    failure = await failure_of(world.sender(lambda _, why: told.append(why)), [mixed, whole])

    assert failure.unsettled == [mixed]
    assert failure.delivery == Delivery(accepted=2, unknown=1, events=1)
    assert told == []


async def test_a_batch_whose_answer_was_lost_may_be_stored():
    world = World(plot=deque([LOST] * 1_000))

    failure = await failure_of(world.sender(), [row("1"), row("2")])

    assert failure.delivery == Delivery(unknown=2)
    assert "of which 2 may be stored" in str(failure)


async def test_a_batch_that_was_lost_and_then_taken_is_accepted():
    world = World(plot=deque([LOST]))

    assert await world.sender().send([row("1")]) == Delivery(accepted=1, events=1)
    assert world.links == 2


async def test_what_waiting_does_not_cure_is_not_waited_for():
    world = World(plot=deque([NOWHERE]))

    failure = await failure_of(world.sender(), [row("1")])

    assert failure.kind is FailureKind.PERMANENT
    assert len(world.batches) == 1


async def test_a_client_that_is_denied_twice_is_named():
    world = World(plot=deque([DENIED, DENIED]))

    with pytest.raises(LoginRefused, match="container a/b at host denied access to client id client-7"):
        await world.sender().send([row("1")])


async def test_a_brief_send_takes_no_longer_than_one_try():
    world = World(plot=deque([AWAY] * 1_000))

    with pytest.raises(SendFailed):
        await world.sender().send([row("1")], briefly=True)

    assert world.now <= 10.0


async def test_what_was_sent_is_charged():
    world = World(plot=deque([None, busy(0.5)]))
    sender = world.sender()

    await sender.send([row("1")])
    await sender.send([row(str(n)) for n in range(10)])

    assert sender.charge == Charge(55.0, 2, 1, pytest.approx(530.0))
    assert sender.charge.units_per_second == pytest.approx(55 / 0.53)


async def test_nothing_to_send_asks_nobody():
    world = World()

    assert await world.sender().send([]) == Delivery()
    assert world.links == 0
