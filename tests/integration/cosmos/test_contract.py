"""One contract for the fake and for the client against the local Cosmos DB, so that the fake can't lie."""

import itertools
import json
from dataclasses import replace

import pyarrow as pa
import pytest

from emulators.cosmos.partitions import hash_of, share_of
from shared.clients.cosmos.containers import AzureCosmos
from shared.clients.cosmos.fake import FakeCosmos
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.integration.cosmos.stage import CONTAINER, ITEMS, QUICK, Platform

RUNS = itertools.count()


class Fake:
    """The fake, and what a test may ask about it."""

    def __init__(self) -> None:
        self.cosmos = FakeCosmos({CONTAINER})

    def fail(self, fate: str) -> None:
        self.cosmos.fail_next(fate)

    def lose(self, keys: set[str]) -> set[str]:
        self.cosmos.away = frozenset(sorted(keys)[: len(keys) // 2])
        return set(self.cosmos.away)

    def stored(self) -> dict[tuple[str, str], dict[str, object]]:
        return {(key, name): item for (_, key, name), item in self.cosmos.stored.items()}


class Real:
    """The client and the local account, and what a test may ask about them."""

    def __init__(self, platform: Platform, cosmos: AzureCosmos) -> None:
        self._platform = platform
        self.cosmos = cosmos

    def fail(self, fate: str) -> None:
        if fate == "unavailable":
            away = replace(self.cosmos.connection, endpoint="https://localhost:9")
            self.cosmos = replace(self.cosmos, connection=away, retry=QUICK)
            return
        if fate != "unauthorized":  # there Microsoft's client asks for the account again, for 1.5 s
            self.cosmos = replace(self.cosmos, retry=QUICK)
        kind = {"throttled": "too_many_requests", "unknown": "lost_answer", "unauthorized": "refuse_tokens"}[fate]
        self._platform.order("faults", kind=kind, count=1_000)

    def lose(self, keys: set[str]) -> set[str]:
        self.cosmos = replace(self.cosmos, retry=QUICK)
        self._platform.order("faults", kind="unavailable", count=1_000, share=0.5)
        return {key for key in keys if share_of(hash_of(key)) < 0.5}

    def stored(self) -> dict[tuple[str, str], dict[str, object]]:
        return self._platform.stored()


@pytest.fixture(params=["fake", "identity", "key"])
def side(request: pytest.FixtureRequest) -> Fake | Real:
    if request.param == "fake":
        return Fake()
    platform: Platform = request.getfixturevalue("platform")
    key = platform.key if request.param == "key" else None
    return Real(platform, platform.cosmos(connection=platform.connection(key=key)))


@pytest.fixture
def names() -> list[str]:
    """Ids that no other test has."""
    run = next(RUNS)
    return [f"run-{run}-{n:03d}" for n in range(250)]


def line(name: str, country: str | None = "BR", **more: object) -> bytes:
    return json.dumps({"transactionID": name, "ipCountryCode": country, "amount": 1.5, **more}).encode()


def rows(*lines: bytes) -> list[Event]:
    return [Event(each, 1, {"contract": "transactions/1"}, "BR") for each in lines]


def pack(*lines: bytes, encoding: str = "identity") -> Event:
    body = b"".join(each + b"\n" for each in lines)
    if encoding == "zstd":
        body = pa.Codec("zstd").compress(body, asbytes=True)
    return Event(body, len(lines), {"rows": len(lines), "encoding": encoding}, partition_id="0")


async def failure_of(side, events) -> SendFailed:
    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        with pytest.raises(SendFailed) as caught:
            await sender.send(events)
    return caught.value


async def test_each_record_becomes_an_item_under_its_key_with_an_end_of_its_life(side, names):
    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send(rows(line(names[0]), line(names[1], "")))

    found = side.stored()
    item = {name: value for name, value in found["BR", names[0]].items() if not name.startswith("_")}
    assert delivery == Delivery(accepted=2, events=2)
    assert item == {
        "id": names[0],
        "transactionID": names[0],
        "ipCountryCode": "BR",
        "amount": 1.5,
        "ttl": 5_184_000,
        "collectionType": "Transaction",
    }
    assert found["unk", names[1]]["ipCountryCode"] == "unk"


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
async def test_the_records_of_a_pack_are_items_each(side, names, encoding):
    countries = ["BR", "US", "DE"]
    lines = [line(name, countries[n % 3], n=n) for n, name in enumerate(names)]

    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send([pack(*lines[:200], encoding=encoding), pack(*lines[200:], encoding=encoding)])

    found = side.stored()
    assert delivery == Delivery(accepted=250, events=2)
    assert [found[countries[n % 3], name]["n"] for n, name in enumerate(names)] == list(range(250))


async def test_what_is_sent_twice_is_there_once_as_it_was_sent_last(side, names):
    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        await sender.send(rows(line(names[0], n=1), line(names[0], n=2)))
        await sender.send(rows(line(names[0], n=3)))

    found = [item for (_, name), item in side.stored().items() if name == names[0]]
    assert [item["n"] for item in found] == [3]


async def test_records_that_can_never_be_items_are_refused_by_name_and_their_neighbours_go(side, names):
    told: list[tuple[bytes, str]] = []
    bad = [line("a/b"), b"no json", b'{"ipCountryCode": "BR"}', line("", "BR"), line(names[1], x="y" * 2_200_000)]

    async with side.cosmos.sender(CONTAINER, ITEMS, lambda event, why: told.append((event.body, why))) as sender:
        delivery = await sender.send([pack(line(names[0]), *bad, line(names[2]))])

    assert (delivery.accepted, delivery.refused, delivery.unknown, delivery.events) == (2, 5, 0, 1)
    assert {body for body, _ in told} == set(bad)
    assert "'a/b'" in next(why for body, why in told if body == bad[0])
    assert {("BR", names[0]), ("BR", names[2])} <= side.stored().keys()


async def test_an_event_whose_body_is_not_what_it_says_is_refused_whole(side):
    lying = Event(b'{"transactionID": "1"}', 2, {}, "BR")

    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send([lying])

    assert (delivery.accepted, delivery.refused, delivery.events) == (0, 2, 0)
    assert "2 records has 1 lines" in delivery.refusals[0].reason


async def test_a_sender_tells_what_it_cost(side, names):
    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        before = sender.charge
        await sender.send(rows(*(line(name) for name in names[:10])))
        after = sender.charge

    assert before == Charge()
    assert after.units == 50
    assert after.requests >= 1
    assert after.milliseconds > 0
    assert after.units_per_second == pytest.approx(after.units / after.milliseconds * 1000)


@pytest.mark.parametrize(
    ("fate", "unknown", "kind"),
    [
        ("throttled", 0, FailureKind.THROTTLED),
        ("unavailable", 0, FailureKind.UNAVAILABLE),
        ("unknown", 3, FailureKind.UNAVAILABLE),
    ],
)
async def test_a_send_that_fails_says_what_may_be_stored_and_what_it_means(side, names, fate, unknown, kind):
    side.fail(fate)
    events = [*rows(line(names[0])), pack(line(names[1]), line(names[2]))]

    failure = await failure_of(side, events)

    assert (failure.delivery, failure.kind) == (Delivery(unknown=unknown), kind)
    assert failure.unsettled == events


async def test_partition_keys_that_are_away_hold_up_no_others(side, names):
    countries = ["BR", "US", "DE", "FR", "unk", "JP", "IN", "MX"]
    events = [Event(line(name, key), 1, {}, key) for name, key in zip(names, countries, strict=False)]
    away = side.lose(set(countries))

    failure = await failure_of(side, events)

    assert 0 < len(away) < len(countries)
    assert [event.partition_key for event in failure.unsettled] == [key for key in countries if key in away]
    assert failure.delivery == Delivery(accepted=len(countries) - len(away), events=len(countries) - len(away))
    assert {key for key, name in side.stored() if name in names[:8]} == set(countries) - away


async def test_a_pack_of_which_a_part_is_away_is_sent_again_whole(side, names):
    countries = ["BR", "US", "DE", "FR", "unk", "JP", "IN", "MX"]
    mixed = pack(*(line(name, key) for name, key in zip(names, countries, strict=False)))
    away = side.lose(set(countries))

    failure = await failure_of(side, [mixed])

    assert failure.unsettled == [mixed]
    assert failure.delivery == Delivery(unknown=len(countries) - len(away))


async def test_a_container_that_is_not_there_is_a_failed_send_for_good(side, names):
    async with side.cosmos.sender("nowhere", ITEMS) as sender:
        with pytest.raises(SendFailed, match=r"nowhere.*404") as caught:
            await sender.send(rows(line(names[0])))

    assert caught.value.kind is FailureKind.PERMANENT


async def test_an_identity_that_is_denied_access_is_named(side, names):
    side.fail("unauthorized")

    async with side.cosmos.sender(CONTAINER, ITEMS) as sender:
        with pytest.raises(LoginRefused, match=r"container .* denied access to"):
            await sender.send(rows(line(names[0])))
