"""Promotions on their way to the hub: one connection for all batches, a new one where that broke."""

import gc

import psutil
import pytest

from shared.clients.event_hubs.kept_sender import KeptSender
from shared.domain.delivery import Event
from tests.integration.sending.conftest import CLIENTS_OWN
from tests.integration.sending.stage import ROOMY, running_platform

HUB = "promotions"
pytestmark = [pytest.mark.filterwarnings(warning) for warning in CLIENTS_OWN]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with running_platform(tmp_path_factory.mktemp("promotions"), {HUB: 4}) as platform:
        yield platform
    gc.collect()


@pytest.fixture
def sender(platform):
    sender = KeptSender(platform.hubs(retry=ROOMY), HUB)
    yield sender
    sender.close()
    platform.calm()


def batch(user):
    return [Event(b"{}", 1, {"contract": "promotions/1"}, user)]


def connections(platform):
    """The own ends of this process's connections to the hub."""
    port = int(platform.amqps.rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return {one.laddr.port for one in found if one.raddr and one.raddr.port == port and one.status == "ESTABLISHED"}


def test_two_batches_share_a_connection(platform, sender):
    before = platform.stored_events(HUB)
    sender.send(batch("a"))
    first = connections(platform)

    delivery = sender.send(batch("a"))

    assert connections(platform) == first
    assert first
    assert delivery.accepted == 1
    assert platform.stored_events(HUB) == before + 2


def test_a_connection_that_broke_is_replaced_and_the_batch_is_sent(platform, sender):
    sender.send(batch("a"))
    first = connections(platform)
    platform.order("faults", kind="drop", next=2)

    delivery = sender.send(batch("a"))

    assert delivery.accepted == 1
    assert platform.injected() == 2
    assert connections(platform).isdisjoint(first)
    second = connections(platform)
    sender.send(batch("a"))
    assert connections(platform) == second
