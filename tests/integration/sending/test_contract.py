"""One contract for the fake and for the client against the local hub, so that the fake can't lie."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.event_hubs.hubs import AzureEventHubs, HubConnection
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.integration.sending.stage import HUBS, Platform, read_back


class Fake:
    """The fake, and what a test may ask about it."""

    def __init__(self) -> None:
        self.hubs = FakeEventHubs(HUBS)

    def fail(self, fate: str) -> None:
        self.hubs.fail_next(fate)

    async def received(self, hub: str) -> list[tuple[str | None, bytes]]:
        return [(event.partition_key, event.body) for event in self.hubs.received[hub]]


class Real:
    """The client and the local hub, and what a test may ask about them."""

    def __init__(self, platform: Platform, connection: HubConnection) -> None:
        self._platform = platform
        self.hubs: AzureEventHubs = platform.hubs(
            connection=connection, retry=RetryPolicy(Timeouts(3.5, 2.5, Backoff(0.02, 0.3), Backoff(0.1, 0.5)))
        )
        self._before = {hub: platform.stored(hub) for hub in HUBS}

    def fail(self, fate: str) -> None:
        if fate == "unavailable":
            closed = replace(self.hubs.connection, custom_endpoint="sb://127.0.0.1:9")
            self.hubs = replace(self.hubs, connection=closed)
            return
        kind = {"throttled": "reject_busy", "unknown": "lose_ack", "unauthorized": "refuse_token"}[fate]
        self._platform.order("faults", kind=kind, next=1_000)

    async def received(self, hub: str) -> list[tuple[str | None, bytes]]:
        found = await read_back(self._platform, hub, self._before[hub])
        return [(_key(event), event.body_as_str().encode()) for events in found.values() for event in events]


def _key(event) -> str | None:
    return event.partition_key.decode() if event.partition_key else None


@pytest.fixture(params=["fake", "amqp", "websockets"])
def side(request: pytest.FixtureRequest) -> Fake | Real:
    if request.param == "fake":
        return Fake()
    platform: Platform = request.getfixturevalue("platform")
    return Real(platform, platform.connection() if request.param == "amqp" else platform.websocket_connection())


def keyed(count: int) -> list[Event]:
    return [Event(b"%04d" % n, 1, {"contract": "trades/1", "slice": "w/1.1"}, f"key-{n % 7}") for n in range(count)]


async def test_all_is_accepted_and_arrives_in_the_order_of_each_key(side):
    async with side.hubs.sender("trades") as sender:
        delivery = await sender.send(keyed(50)) + await sender.send(keyed(50))

    assert delivery == Delivery(accepted=100, events=100)
    by_key = defaultdict(list)
    for key, body in await side.received("trades"):
        by_key[key].append(body)
    assert by_key == {f"key-{k}": [b"%04d" % n for n in range(50) if n % 7 == k] * 2 for k in range(7)}


async def test_an_event_over_the_limit_is_refused_by_name_and_the_rest_goes(side):
    events = [Event(b"a", 1, {}, "us"), Event(b"x" * 1_200_000, 30, {}, "us"), Event(b"b", 1, {}, "us")]

    told: list[tuple[Event, str]] = []

    async with side.hubs.sender("single", lambda event, reason: told.append((event, reason))) as sender:
        delivery = await sender.send(events)

    assert (delivery.accepted, delivery.refused, delivery.unknown) == (2, 30, 0)
    assert told == [(events[1], delivery.refusals[0].reason)]
    assert "1200000 bytes" in delivery.refusals[0].reason
    assert [body for _, body in await side.received("single")] == [b"a", b"b"]


async def test_a_hub_tells_how_far_each_partition_is(side):
    before = (await side.hubs.properties("transactions")).last_sequence_numbers
    async with side.hubs.sender("transactions") as sender:
        await sender.send([Event(b"{}", 1, {}, partition_id="7")])

    after = (await side.hubs.properties("transactions")).last_sequence_numbers

    assert sorted(before, key=int) == [str(partition) for partition in range(10)]
    assert after == before | {"7": before["7"] + 1}


async def test_a_hub_tells_when_it_was_made_always_the_same(side):
    first = (await side.hubs.properties("single")).created_at
    async with side.hubs.sender("single") as sender:
        await sender.send([Event(b"{}", 1, {})])

    second = (await side.hubs.properties("single")).created_at

    assert first == second
    assert first.utcoffset() == timedelta()
    assert first.microsecond % 1_000 == 0
    assert first < datetime.now(UTC)


async def test_an_unknown_hub_is_a_failed_send_for_good(side):
    with pytest.raises(SendFailed, match="nowhere") as asked:
        await side.hubs.properties("nowhere")
    async with side.hubs.sender("nowhere") as sender:
        with pytest.raises(SendFailed, match="nowhere") as sent:
            await sender.send(keyed(1))

    assert asked.value.kind is sent.value.kind is FailureKind.PERMANENT


@pytest.mark.parametrize(
    ("fate", "unknown", "kind"),
    [
        ("throttled", 0, FailureKind.THROTTLED),
        ("unavailable", 0, FailureKind.UNAVAILABLE),
        ("unknown", 3, FailureKind.UNAVAILABLE),
    ],
)
async def test_a_send_that_fails_says_what_may_be_stored_and_what_it_means(side, fate, unknown, kind):
    side.fail(fate)
    async with side.hubs.sender("single") as sender:
        with pytest.raises(SendFailed) as caught:
            await sender.send([Event(b"a", 1, {}), Event(b"b", 2, {})])

    assert (caught.value.delivery, caught.value.kind) == (Delivery(unknown=unknown), kind)
    assert caught.value.unsettled == [Event(b"a", 1, {}), Event(b"b", 2, {})]


async def test_an_identity_that_is_denied_access_is_named(side):
    side.fail("unauthorized")

    with pytest.raises(LoginRefused, match=r"hub single.* denied access to client id"):
        await side.hubs.properties("single")


async def test_an_event_for_a_partition_that_the_hub_has_not_is_a_failed_send_for_good(side):
    async with side.hubs.sender("single") as sender:
        with pytest.raises(SendFailed, match="hub single") as caught:
            await sender.send([Event(b"a", 1, {}, partition_id="7")])

    assert caught.value.kind is FailureKind.PERMANENT
