"""F14: promoting and pushing are killed before the checkpoint moves, given poison, and meet a slow receiver."""

import json
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path

import pytest
import requests
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from emulators.key_files import make_key, write_key
from emulators.testing import running_service
from shared.clients.kept_connections import KeptConnections
from shared.clients.storage.dead_promotions import CONTAINER
from shared.domain.delivery import Event
from shared.errors import IngestionError
from shared.flows.push_promotions import push_promotions
from tests.faults.killing import kill, kill_at_halt, prepare, run
from tests.faults.promoting import (
    DELIVERIES_HUB,
    HUB,
    Partition,
    PromotingPlace,
    expected_of,
    points_of,
    promote_all,
    promotion,
    push_all,
    with_body,
)
from tests.integration.sending.stage import read_back

BATCHES, SIZE = 4, 30
BOTH = (signal.SIGKILL, signal.SIGTERM)


class Phones:
    """What the phones behind the notification hub show, and what goes wrong there."""

    def __init__(self, addresses):
        self.address, self.admin = addresses["hub"], addresses["admin"]
        self.earlier = self.all_sends()

    def fault(self, kind, **options):
        requests.post(f"{self.admin}/faults", json={"kind": kind} | options, timeout=5).raise_for_status()

    def shown(self, prefix):
        inboxes = requests.get(f"{self.admin}/inboxes", timeout=5).json()["inboxes"]
        return [one["id"] for device, some in inboxes.items() if device.startswith(prefix) for one in some]

    def sends(self):
        return self.all_sends() - self.earlier

    def all_sends(self):
        return requests.get(f"{self.admin}/health", timeout=5).json()["sends"]


@pytest.fixture(scope="session", autouse=True)
def prepared():
    """Have what is killed import its modules while the services start."""
    prepare()


@pytest.fixture(scope="module")
def hub_key(tmp_path_factory):
    key, path = make_key(), tmp_path_factory.mktemp("push") / "push.key"
    write_key(key, path)
    return key, path


@pytest.fixture(scope="module")
def notification_hub(hub_services, hub_key):
    served = ("--port", 0, "--admin-port", 0, "--certificate", hub_services.tls.server, "--key-file", hub_key[1])
    with running_service("notification_hubs", *served) as addresses:
        yield addresses


@pytest.fixture
def phones(notification_hub):
    """The phones of one hub, each test with its own ones, and no fault left of it."""
    found = Phones(notification_hub)
    yield found
    requests.delete(f"{found.admin}/faults", timeout=5).raise_for_status()


@pytest.fixture
def place(platform, storage, phones, hub_key):
    bundle = str(platform.tls.authority)
    return PromotingPlace(storage, platform.connection(), platform.login(), phones.address, bundle, hub_key[0])


@pytest.fixture
def push(place):
    """Push a batch as the function does; gives the counts, or None where the batch must come again."""
    with TableServiceClient.from_connection_string(place.storage) as service, closing(KeptConnections()) as kept:
        tools = place.push_tools(service, kept)

        def once(events):
            try:
                return push_promotions(tools, events)
            except IngestionError:
                return None

        yield once


@dataclass
class Stretches:
    """Work in stretches, each killed and then let go to its end; `make` gives the batches of one by its number.

    halted: those of which the first batch was worked off when a kill kept the checkpoint from moving.
    """

    folder: Path
    make: Callable[[int], list[list[Event]]]
    batches: list[list[list[Event]]] = field(default_factory=list)
    halted: list[int] = field(default_factory=list)
    kills: int = 0

    def next(self):
        self.batches.append(self.make(len(self.batches)))
        partition = Partition(self.folder / f"{len(self.batches)}")
        partition.write(self.batches[-1])
        return partition

    def work_off(self, work, place, kills, rolled):
        """Kill the work of each stretch before its first checkpoint, and once or twice wherever it is then."""
        run(work, place, self.next())  # the first one starts the process from which all are forked
        longest = run(work, place, self.next())
        while self.kills < kills:
            partition = self.next()
            kill_at_halt(work, place, partition, by=rolled.choice(BOTH))
            self.halted.append(len(self.batches) - 1)
            self.kills += 1
            for _ in range(rolled.randint(1, 2)):
                after = rolled.uniform(0, longest)
                self.kills += kill(work, place, partition, after=after, by=rolled.choice(BOTH))
            run(work, place, partition)


async def test_promoting_that_is_killed_loses_nothing_and_keeps_the_cap(place, platform, tmp_path, sized, figures):
    before = platform.stored(HUB)
    stretches = Stretches(tmp_path, lambda number: points_of(number, BATCHES, SIZE))

    stretches.work_off(promote_all, place, sized(4, 60), random.Random(14))

    expected = set().union(*map(expected_of, stretches.batches))
    found = Counter(id_of(e) for some in (await read_back(platform, HUB, before)).values() for e in some)
    unsettled = [one for number in stretches.halted for one in expected_of(stretches.batches[number][:1])]
    figures.at_least("promoting: kills by SIGKILL and SIGTERM", stretches.kills, sized(4, 60))
    figures.at_least("promoting: of them between send and checkpoint", len(stretches.halted), sized(2, 20))
    figures.exactly("promoting: promotions lost", len(expected - set(found)), 0)
    figures.exactly("promoting: promotions beyond cap or cool-down", len(set(found) - expected), 0)
    sent_again = sum(found[one] > 1 for one in unsettled)
    figures.all_of(
        "promoting: promotions before a checkpoint that did not move, sent again", sent_again, len(unsettled)
    )
    # What was sent before the checkpoint moved is sent again: the bar is what the points of a batch can bring.
    figures.at_most("promoting: events sent again by a kill", (found.total() - len(found)) / stretches.kills, SIZE)


async def test_pushing_that_is_killed_shows_each_promotion_once(place, phones, platform, tmp_path, sized, figures):
    before = platform.stored(DELIVERIES_HUB)

    def batches_of(number):
        events = [promotion(f"killed{number}-{device}", 1) for device in range(40)]
        return [list(some) for some in batched(events, 10, strict=True)]

    stretches = Stretches(tmp_path, batches_of)
    stretches.work_off(push_all, place, sized(4, 60), random.Random(41))

    done = len(stretches.batches)
    expected = {f"killed{number}-{device}/s1/20261122" for number in range(done) for device in range(40)}
    shown = phones.shown("killed")
    again = phones.sends() - len(shown)
    told = {id_of(one) for some in (await read_back(platform, DELIVERIES_HUB, before)).values() for one in some}
    figures.at_least("pushing: kills by SIGKILL and SIGTERM", stretches.kills, sized(4, 60))
    figures.at_least("pushing: of them between push and checkpoint", len(stretches.halted), sized(2, 20))
    figures.at_least("pushing: pushes again", again, 10 * len(stretches.halted))
    figures.exactly("pushing: promotions that no phone shows", len(expected - set(shown)), 0)
    figures.exactly("pushing: deliveries that the hub of deliveries is not told", len(expected - told), 0)
    figures.exactly("pushing: promotions shown twice", len(shown) - len(set(shown)), 0)
    figures.exactly("pushing: pushes of nothing that was promoted", len(set(shown) - expected), 0)
    figures.at_most("pushing: pushes again by a kill", again / stretches.kills, 10)


def id_of(event):
    return json.loads(event.body_as_str())["id"]


def test_poison_is_dead_with_its_reason_and_stops_no_batch(place, phones, push, sized, figures):
    rounds = sized(2, 100)
    phones.fault("gone", device="poison-left", count=rounds)
    counts = []
    for number in range(rounds):
        good = [promotion(f"poison-{number}-{device}", 1) for device in range(20)]
        bad = [
            Event(b"\xff\xfe" + b"%d" % number, 1, {"contract": "promotions/1"}),
            Event(b"{%d" % number, 1, {"contract": "promotions/1"}),
            Event(b"{}%d" % number, 1, {"contract": "promotions/9"}),
            with_body(good[0], id=f"late-{number}", valid_until="2026-11-22T12:00:00Z"),
            with_body(good[0], id=f"left-{number}", appid="poison-left"),
            with_body(good[0], id=f"large-{number}", merchant="x" * 70_000),
        ]
        counts.append(push([*good[:7], *bad, *good[7:]]))

    reasons = [reason.partition(":")[0] for reason in dead_reasons(place)]
    figures.all_of("poison: batches that were through at once", sum(one is not None for one in counts), rounds)
    figures.all_of("poison: good promotions shown", len(set(phones.shown("poison-"))), 20 * rounds)
    figures.all_of("poison: not readable, dead with the reason", reasons.count("record"), 2 * rounds)
    for reason, what in REASONS.items():
        figures.all_of(f"poison: {what}, dead with the reason", reasons.count(reason), rounds)


REASONS = {
    "contract": "of an unknown contract",
    "ended": "ended before it was pushed",
    "gone": "for a device that is gone",
    "refused": "over 64 KiB",
}


def dead_reasons(place):
    with ContainerClient.from_connection_string(place.storage, CONTAINER) as container:
        blobs = [container.download_blob(name).readall() for name in container.list_blob_names()]
    return [json.loads(blob)["reason"] for blob in blobs]


def test_a_slow_receiver_delays_promotions_and_loses_none(phones, push, sized, figures):
    count, rolled = sized(40, 2_000), random.Random(7)
    failures = ["unavailable", "too_many_requests", "lost_answer"]
    events = [promotion(f"slow-{number}", 1) for number in range(count)]
    tries = 0
    for some in batched(events, 20, strict=False):
        for kind in rolled.choices(failures, k=12):
            phones.fault(kind)
        phones.fault("slow", seconds=0.2, count=3)
        tries += 1
        while push(some) is None:
            tries += 1

    phones.fault("too_many_requests", retry_after=30)
    before = phones.sends()
    given_up = [push([promotion("rested", number)]) for number in range(5)]

    shown = phones.shown("slow-")
    assert tries >= count / 20
    figures.exactly("slow receiver: promotions that no phone shows", count - len(set(shown)), 0)
    figures.exactly("slow receiver: promotions shown twice", len(shown) - len(set(shown)), 0)
    figures.all_of("slow receiver: batches that wait while it asks to be left alone", given_up.count(None), 5)
    figures.exactly("slow receiver: pushes while it asks to be left alone", phones.sends() - before - 1, 0)
