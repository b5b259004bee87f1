import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, takewhile

import pytest

from shared.clients.attempts import Attempts
from shared.clients.breaker import Breaker
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.event_hubs.link import Batch, HubProperties
from shared.clients.event_hubs.sender import HubSender
from shared.clients.links import LinkFault
from shared.clients.retrying import Clock, RetryPolicy, Timeouts, TransientError
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.domain.partitioning import partition_of
from shared.errors import LoginRefused, SendFailed, Untrusted

BUSY = LinkFault(FailureKind.THROTTLED, "server-busy")
DROPPED = LinkFault(FailureKind.UNAVAILABLE, "connection lost", may_be_stored=True)
DENIED = LinkFault(FailureKind.UNAUTHORIZED, "401")
BAD = LinkFault(FailureKind.REJECTED, "decode-error")
NO_HUB = LinkFault(FailureKind.PERMANENT, "not-found")
STALLED = TimeoutError()
PARTITIONS = ("0", "1", "2", "3")
PROPERTIES = HubProperties(datetime(2026, 11, 1, tzinfo=UTC), {"0": 41, "1": -1})


@dataclass
class World:
    """A hub, its links and a clock that moves only by sleeping; `plot` is what the next sends meet."""

    capacity: int = 3
    max_body: int = 1_000
    now: float = 0.0
    draw: float = 0.5
    plot: deque[Exception | None] = field(default_factory=deque)
    opening: deque[Exception] = field(default_factory=deque)
    poison: frozenset[bytes] = frozenset()
    stored: list[tuple[str | None, bytes]] = field(default_factory=list)
    sends: list[float] = field(default_factory=list)
    asked: int = 0
    connected: tuple[str, ...] = ()
    links: int = 0
    closed: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def sender(self, timeouts: Timeouts | None = None) -> HubSender:
        clock = Clock(now=lambda: self.now, pause=self.sleep, jitter=lambda: self.draw)
        retry = RetryPolicy(timeouts or Timeouts(), clock)
        return HubSender(Attempts("hub trades", "client-7", retry, Breaker()), self.make_link)

    def make_link(self) -> "ScriptedLink":
        self.links += 1
        return ScriptedLink(self)


@dataclass
class ScriptedLink:
    world: World

    async def open(self) -> None:
        if self.world.opening:
            raise self.world.opening.popleft()

    async def connect(self, partitions: Sequence[str]) -> None:
        self.world.connected = tuple(partitions)

    async def fill(self, partition_id: str | None, events: Sequence[Event]) -> Batch:
        if len(events[0].body) > self.world.max_body:
            raise LinkFault(FailureKind.REJECTED, f"messages of {self.world.max_body} bytes at most")
        fitting = takewhile(lambda event: len(event.body) <= self.world.max_body, events)
        chosen = list(islice(fitting, self.world.capacity))
        return Batch(len(chosen), [(partition_id, event.body) for event in chosen])

    async def send(self, batch: Batch) -> None:
        world = self.world
        world.sends.append(world.now)
        world.in_flight += 1
        world.most_in_flight = max(world.most_in_flight, world.in_flight)
        await asyncio.sleep(0)
        world.in_flight -= 1
        self._meet(batch)
        world.stored += batch.content

    def _meet(self, batch: Batch) -> None:
        if any(body in self.world.poison for _, body in batch.content):
            raise BAD
        fate = self.world.plot.popleft() if self.world.plot else None
        if fate is not None:
            raise fate

    async def partitions(self) -> tuple[str, ...]:
        await self.open()
        self.world.asked += 1
        return PARTITIONS

    async def properties(self) -> HubProperties:
        await self.open()
        return PROPERTIES

    async def close(self) -> None:
        self.world.closed += 1


def rows(*bodies: bytes, key: str | None = None, partition: str | None = None, count: int = 1) -> list[Event]:
    return [Event(body, count, {}, key, partition) for body in bodies]


def numbered(count: int, **where: str) -> list[Event]:
    return rows(*(b"%03d" % number for number in range(count)), **where)


async def failure_of(sender: HubSender, events: list[Event]) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sender.send(events)
    return caught.value


async def test_every_event_is_accepted_once():
    world = World()

    delivery = await world.sender().send(numbered(10, key="us"))

    assert delivery == Delivery(accepted=10, events=10)
    assert [body for _, body in world.stored] == [b"%03d" % number for number in range(10)]


async def test_records_are_counted_not_events():
    delivery = await World().sender().send(rows(b"a", b"b", count=500))

    assert (delivery.accepted, delivery.events) == (1_000, 2)


async def test_nothing_to_send_asks_the_hub_for_nothing():
    world = World()

    assert await world.sender().send([]) == Delivery()
    assert world.links == 0


async def test_each_event_goes_to_the_partition_that_it_names_or_that_of_its_key_or_any():
    world = World()
    named = [*rows(b"a", key="us"), *rows(b"b", partition="3"), *rows(b"c"), *rows(b"d", key="us", partition="0")]

    await world.sender().send(named)

    assert {body: place for place, body in world.stored} == {
        b"a": partition_of("us", PARTITIONS),
        b"b": "3",
        b"c": None,
        b"d": "0",
    }


async def test_keys_of_one_partition_share_messages():
    world = World(capacity=1_000)

    await world.sender().send([event for key in range(500) for event in rows(b"%d" % key, key=f"user {key}")])

    assert len(world.stored) == 500
    assert len(world.sends) == len(PARTITIONS)


async def test_a_hub_is_asked_for_its_partitions_once_and_only_where_events_have_keys():
    world = World()
    sender = world.sender()

    await sender.send([*rows(b"a"), *rows(b"b", partition="1"), *rows(b"c", key="")])
    before = world.asked
    await sender.send(rows(b"d", key="us"))
    await sender.send(rows(b"e", key="eu"))

    assert (before, world.asked) == (0, 1)
    assert (None, b"c") in world.stored


async def test_a_sender_that_connects_ahead_has_every_partition_before_the_first_events():
    world = World()
    sender = world.sender()

    sender.connect()
    await sender.send(rows(b"a", key="us"))

    assert (world.connected, world.asked, world.links) == (PARTITIONS, 1, 1)


async def test_what_fails_ahead_costs_the_first_send_nothing():
    world = World(opening=deque([LinkFault(FailureKind.UNAVAILABLE, "refused")]))
    sender = world.sender()

    sender.connect()
    delivery = await sender.send(rows(b"a", key="us"))

    assert (delivery.accepted, world.connected, world.now) == (1, (), 0.0)
    await sender.close()
    assert world.links == world.closed == 2


async def test_a_sender_may_be_closed_while_it_connects_ahead():
    class Silent(ScriptedLink):
        async def open(self) -> None:
            await asyncio.Event().wait()

    world = World()
    world.make_link = lambda: Silent(world)
    sender = world.sender()
    sender.connect()
    await asyncio.sleep(0)

    await sender.close()

    assert world.connected == ()


async def test_after_a_failure_a_hub_is_asked_for_its_partitions_again():
    world = World(plot=deque([NO_HUB]))
    sender = world.sender()
    await failure_of(sender, rows(b"a", key="us"))

    await sender.send(rows(b"b", key="us"))

    assert world.asked == 2


async def test_events_are_unsettled_where_the_hub_does_not_name_its_partitions():
    world = World(opening=deque([LinkFault(FailureKind.UNAVAILABLE, "refused")] * 99))
    events = [*rows(b"a", key="us", count=3), *rows(b"b", partition="1")]

    failure = await failure_of(world.sender(), events)

    assert (failure.delivery, failure.unsettled) == (Delivery(), events)
    assert "4 of 4 records were not delivered, of which 0 may be stored" in str(failure)
    assert world.now <= 45.0


async def test_a_refused_login_is_told_where_the_partitions_are_asked_for():
    with pytest.raises(LoginRefused, match="denied access to client id client-7"):
        await World(opening=deque([DENIED] * 9)).sender().send(rows(b"a", key="us"))


async def test_partitions_are_served_side_by_side_but_four_at_most():
    world = World()

    await world.sender().send([event for part in range(9) for event in numbered(6, partition=str(part))])

    assert world.most_in_flight == 4


async def test_order_of_a_partition_survives_failed_attempts():
    world = World(plot=deque([None, BUSY, None, DROPPED, STALLED]))

    await world.sender(Timeouts(total=100)).send(numbered(12, partition="1"))

    assert [body for _, body in world.stored] == [b"%03d" % number for number in range(12)]


async def test_a_busy_hub_is_asked_again_later_on_the_same_connection():
    world = World(plot=deque([BUSY]))

    delivery = await world.sender().send(rows(b"a"))

    assert delivery.accepted == 1
    assert world.sends == [0.0, 2.0]
    assert (world.links, world.closed) == (1, 0)


@pytest.mark.parametrize("failure", [DROPPED, STALLED])
async def test_a_broken_connection_is_thrown_away_and_made_anew(failure):
    world = World(plot=deque([failure]))

    delivery = await world.sender().send(rows(b"a"))

    assert delivery.accepted == 1
    assert (world.links, world.closed) == (2, 1)


async def test_a_message_that_was_perhaps_stored_is_unknown_when_time_is_up():
    world = World(plot=deque([None, DROPPED, *[BUSY] * 99]))

    failure = await failure_of(world.sender(), rows(*(b"%d" % n for n in range(9)), count=10))

    assert failure.delivery == Delivery(accepted=30, unknown=30, events=3)
    assert "60 of 90 records were not delivered, of which 30 may be stored" in str(failure)


async def test_a_message_that_was_surely_not_stored_is_not_unknown():
    world = World(plot=deque([BUSY] * 99))

    failure = await failure_of(world.sender(), rows(b"a"))

    assert failure.delivery == Delivery()
    assert "server-busy" in str(failure)


async def test_a_connection_that_never_opens_leaves_nothing_unknown():
    world = World(opening=deque([LinkFault(FailureKind.UNAVAILABLE, "refused")] * 99))

    assert (await failure_of(world.sender(), rows(b"a"))).delivery == Delivery()


async def test_it_gives_up_within_its_deadline():
    world = World(plot=deque([BUSY] * 999), draw=0.9)

    await failure_of(world.sender(Timeouts(total=45.0)), rows(b"a"))

    assert world.now <= 45.0


async def test_three_failures_in_a_row_leave_the_hub_alone_for_half_a_minute_at_most(caplog):
    world = World(plot=deque([DROPPED] * 4), draw=0.99)

    with caplog.at_level(logging.WARNING):
        await world.sender(Timeouts(total=100.0)).send(rows(b"a"))

    assert 29.0 <= world.sends[3] - world.sends[2] <= 30.0
    assert [record.message.split()[0] for record in caplog.records] == ["hub.breaker_opened"]


async def test_while_the_hub_is_left_alone_a_send_that_can_not_outlast_that_fails_at_once():
    world = World(plot=deque([DROPPED] * 99))
    sender = world.sender(Timeouts(total=20.0))
    await failure_of(sender, rows(b"a"))
    moment, sends = world.now, len(world.sends)

    await failure_of(sender, rows(b"b"))

    assert (world.now, len(world.sends)) == (moment, sends)


async def test_under_a_throttling_storm_the_rate_of_attempts_falls_by_far():
    world = World(plot=deque([BUSY] * 9_999))
    sender = world.sender()

    while world.now < 600:
        await failure_of(sender, numbered(30, partition="1"))
        world.now += 0.1

    assert len(world.sends) / world.now < 0.1


async def test_a_rejected_event_is_found_and_refused_by_name_and_the_rest_goes():
    world = World(capacity=100, poison=frozenset({b"037"}))

    delivery = await world.sender().send(numbered(100, key="us"))

    assert (delivery.accepted, delivery.refused) == (99, 1)
    assert "'us'" in delivery.refusals[0].reason
    assert "decode-error" in delivery.refusals[0].reason
    assert [body for _, body in world.stored] == [b"%03d" % number for number in range(100) if number != 37]


async def test_whoever_asks_is_told_of_each_refused_event_also_of_those_whose_reasons_are_not_kept():
    world, told = World(capacity=100, poison=frozenset(b"%03d" % number for number in range(0, 100, 3))), []
    events = numbered(100, key="us")
    retry = RetryPolicy(Timeouts(), Clock(now=lambda: world.now, pause=world.sleep, jitter=lambda: world.draw))
    attempts = Attempts("hub trades", "client-7", retry, Breaker())
    sender = HubSender(attempts, world.make_link, lambda event, reason: told.append((event, reason)))

    delivery = await sender.send(events)

    assert [event for event, _ in told] == events[::3]
    assert delivery.refused == len(told) > len(delivery.refusals)
    assert all("decode-error" in reason for _, reason in told)


async def test_an_event_too_large_for_the_hub_is_refused_by_name_and_the_rest_goes():
    delivery = await World().sender().send(rows(b"a", b"x" * 2_000, b"b", partition="2"))

    assert (delivery.accepted, delivery.refused) == (2, 1)
    assert "2000 bytes" in delivery.refusals[0].reason
    assert "1000 bytes at most" in delivery.refusals[0].reason


async def test_one_refused_token_may_be_a_mishap():
    world = World(opening=deque([DENIED]))

    assert (await world.sender().send(rows(b"a"))).accepted == 1


async def test_a_token_refused_twice_is_a_login_error_that_names_client_and_hub():
    world = World(opening=deque([DENIED, DENIED]))

    with pytest.raises(LoginRefused, match=r"hub trades denied access to client id client-7"):
        await world.sender().send(rows(b"a"))


async def test_an_identity_provider_that_refuses_is_not_asked_again():
    world = World(opening=deque([LoginRefused("client id client-7 got no token")]))

    with pytest.raises(LoginRefused, match="got no token"):
        await world.sender().send(rows(b"a"))
    assert world.now == 0.0


async def test_a_login_service_that_names_a_wait_is_not_asked_sooner_and_the_send_goes_on():
    world = World(opening=deque([TransientError("busy", throttled=True, retry_after=20.0)]))

    delivery = await world.sender().send([Event(b"a", 1, {})])

    assert (delivery.accepted, world.sends) == (1, [20.0])


@pytest.mark.parametrize(
    "trouble",
    [
        TransientError("busy", throttled=True, retry_after=960.0),
        TransientError("away", retry_after=50.0),
        Untrusted("x"),
    ],
)
async def test_a_send_that_fails_for_its_login_hands_on_what_that_means_and_how_long_to_wait(trouble):
    world = World(opening=deque([trouble]))

    with pytest.raises(SendFailed, match=str(trouble)) as caught:
        await world.sender().send([Event(b"a", 1, {})])

    assert (caught.value.kind, caught.value.retry_after) == (trouble.kind, trouble.retry_after)
    assert world.now == 0.0


async def test_a_hub_that_is_left_alone_fails_a_send_by_what_it_said_last():
    world = World(plot=deque([BUSY] * 9))
    sender = world.sender(Timeouts(total=25.0))

    with pytest.raises(SendFailed, match="it is left alone") as caught:
        await sender.send([Event(b"a", 1, {})])

    assert caught.value.kind is FailureKind.THROTTLED


async def test_a_hub_that_does_not_exist_is_not_asked_again():
    world = World(opening=deque([NO_HUB]))

    failure = await failure_of(world.sender(), rows(b"a"))

    assert "not-found" in str(failure)
    assert world.now == 0.0


async def test_a_failure_of_one_partition_leaves_the_others_delivered():
    class OnePartitionDown(ScriptedLink):
        async def send(self, batch: Batch) -> None:
            if batch.content[0][0] == "1":
                raise BUSY
            await super().send(batch)

    world = World()
    world.make_link = lambda: OnePartitionDown(world)
    failure = await failure_of(world.sender(), [*numbered(3, partition="0"), *numbered(3, partition="1")])

    assert failure.delivery == Delivery(accepted=3, events=3)
    assert failure.unsettled == numbered(3, partition="1")


async def test_a_failed_send_names_what_is_not_settled_in_the_order_in_which_it_was_given():
    world = World(capacity=2, max_body=9)
    events = [*numbered(9, key="us"), *rows(b"x" * 10, key="us"), *rows(b"e0", b"e1", key="eu"), *rows(b"u", key="us")]
    world.plot = deque([None, None, *[DROPPED] * 99])

    failure = await failure_of(world.sender(), events)

    settled = failure.delivery.accepted + failure.delivery.refused
    assert 0 < settled < len(events)
    assert len(failure.unsettled) == len(events) - settled
    given = [(event.partition_key, event.body) for event in events if len(event.body) < 9]
    taken = [body for _, body in world.stored]
    kept = [event.body for event in failure.unsettled if len(event.body) < 9]
    for key in ("us", "eu"):
        own = [body for one, body in given if one == key]
        assert [body for body in taken + kept if body in own] == own


async def test_what_the_hub_refused_is_settled():
    world = World(max_body=9, plot=deque([None, *[BUSY] * 99]))

    failure = await failure_of(world.sender(), rows(b"a", b"x" * 10, b"b", key="us"))

    assert (failure.delivery.accepted, failure.delivery.refused) == (1, 1)
    assert failure.unsettled == rows(b"b", key="us")


async def test_of_several_failures_the_one_that_waiting_does_not_cure_is_told():
    class OneOfTwo(ScriptedLink):
        async def send(self, batch: Batch) -> None:
            raise NO_HUB if batch.content[0][0] == "1" else BUSY

    world = World()
    world.make_link = lambda: OneOfTwo(world)

    failure = await failure_of(world.sender(), [*numbered(1, partition="0"), *numbered(1, partition="1")])

    assert failure.kind is FailureKind.PERMANENT


async def test_a_brief_send_takes_no_longer_than_one_try():
    world = World(plot=deque([BUSY] * 99))

    with pytest.raises(SendFailed):
        await world.sender(Timeouts(total=600.0, attempt=10.0)).send(numbered(1), briefly=True)

    assert world.now <= 10.0


async def test_a_sender_says_for_how_long_it_leaves_its_hub_alone():
    world = World(plot=deque([BUSY] * 99))
    sender = world.sender(Timeouts(total=25.0))
    before = sender.rest

    await failure_of(sender, numbered(1))
    opened = max(world.sends)

    assert before == 0.0
    assert sender.rest == opened + 22.5 - world.now
    world.now = opened + 30.0
    assert sender.rest == 0.0


async def test_a_broken_connection_is_closed_only_when_its_last_user_has_left():
    world = World(plot=deque([DROPPED]))
    sender = world.sender()

    await sender.send([event for part in range(4) for event in numbered(9, partition=str(part))])
    await sender.close()

    assert world.links == world.closed == 2


async def test_a_stop_from_outside_ends_the_send_and_closes_its_connection():
    world, reached = World(), asyncio.Event()

    class Silent(ScriptedLink):
        async def send(self, batch: Batch) -> None:
            reached.set()
            await asyncio.Event().wait()

    world.make_link = lambda: Silent(world)
    sender = world.sender()
    task = asyncio.create_task(sender.send(rows(b"a")))
    await reached.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await sender.close()
    assert world.closed == 1


async def test_a_thousand_events_make_a_line_of_statistics(caplog):
    world = World(capacity=100)

    with caplog.at_level(logging.INFO):
        await world.sender().send(numbered(1_000))

    (line,) = [record.message for record in caplog.records if record.message.startswith("hub.progress")]
    assert line.startswith("hub.progress place=hub trades ")
    assert line.endswith(" pending=0 failed=0 sent=1000 events=1000")


async def test_it_tells_what_the_hub_says_of_itself():
    assert await World().sender().properties() == PROPERTIES


async def test_a_hub_that_does_not_say_how_it_stands_is_a_failed_send():
    world = World(opening=deque([LinkFault(FailureKind.UNAVAILABLE, "refused")] * 99))

    with pytest.raises(SendFailed, match="did not say how it stands: refused"):
        await world.sender().properties()


async def test_the_fake_fails_on_demand_and_then_no_more():
    hubs = FakeEventHubs({"trades": 4})
    hubs.fail_next("unavailable")
    hubs.fail_next("unknown")
    hubs.fail_next("refused")

    async with hubs.sender("trades") as sender:
        assert (await failure_of(sender, rows(b"a"))).delivery == Delivery()
        assert (await failure_of(sender, rows(b"b"))).delivery == Delivery(unknown=1)
        assert (await sender.send(rows(b"c"))).refused == 1
        assert (await sender.send(rows(b"d"))).accepted == 1

    assert [event.body for event in hubs.received["trades"]] == [b"b", b"d"]
