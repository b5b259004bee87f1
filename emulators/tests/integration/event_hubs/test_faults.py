"""Each fault on demand has the effect on the unmodified client that was measured for the real failure."""

import asyncio
import time
from dataclasses import dataclass

import pytest
import requests
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient as AioProducer
from azure.eventhub.exceptions import AuthenticationError, EventDataSendError, EventHubError, OperationTimeoutError

from tests.integration.event_hubs.conftest import FAULTY, grown, outcome, send

EVENT = [EventData("a")]


@dataclass(frozen=True)
class Faced:
    """What a client met: its error or None, how many copies are stored, how often the fault struck."""

    error: Exception | None
    stored: int
    injected: int


def aio(seconds=10, **options):
    def send_by(hub, name):
        return outcome(send(hub.aio_producer(name, **options), EVENT), seconds)

    return send_by


def sync(timeout, maker):
    def send_once(hub, name):
        with getattr(hub, maker)(name) as producer:
            producer.send_batch(EVENT, timeout=timeout)

    return lambda hub, name: outcome(asyncio.to_thread(send_once, hub, name))


SCENARIOS = {
    "stalled, with a deadline": ({"kind": "stall", "next": 1}, aio(seconds=2)),
    "stalled but stored, sync with a timeout": (
        {"kind": "stall", "next": 2, "stored": True},
        sync(1, "plain_producer"),
    ),
    "acknowledgement lost": ({"kind": "lose_ack", "next": 1}, aio()),
    "acknowledgement lost, sync": ({"kind": "lose_ack", "next": 1}, sync(5, "producer")),
    "dropped before storing": ({"kind": "drop", "next": 1}, aio()),
    "rejected twice": ({"kind": "reject_busy", "next": 2}, aio()),
    "refused for good": ({"kind": "refuse", "share": 1.0, "holding": "a"}, aio()),
    "detached once": ({"kind": "detach_busy", "next": 1}, aio(retry_total=3)),
    "detached always": ({"kind": "detach_busy", "share": 1.0}, aio()),
    "token refused": ({"kind": "refuse_token", "share": 1.0}, aio()),
}


@pytest.fixture(scope="module")
def faced(hub):
    """What becomes of one send in each of SCENARIOS, all at once, each with a hub of its own."""
    places = dict(zip(SCENARIOS, FAULTY, strict=True))
    growth = {name: grown(hub, place) for name, place in places.items()}
    for name, (fault, _) in SCENARIOS.items():
        hub.admin("POST", "/faults", {"hub": places[name]} | fault)

    async def send_all():
        return await asyncio.gather(*(send_by(hub, places[name]) for name, (_, send_by) in SCENARIOS.items()))

    errors = dict(zip(SCENARIOS, asyncio.run(send_all()), strict=True))
    struck = {fault["hub"]: fault["injected"] for fault in hub.admin("GET", "/faults")["faults"]}
    return {name: Faced(errors[name], sum(growth[name]()), struck[place]) for name, place in places.items()}


def test_a_stalled_send_ends_with_the_callers_deadline_and_stores_nothing(faced):
    met = faced["stalled, with a deadline"]

    assert isinstance(met.error, TimeoutError)
    assert (met.stored, met.injected) == (0, 1)


def test_a_stalled_send_with_a_timeout_is_tried_twice_and_may_be_stored_twice(faced):
    met = faced["stalled but stored, sync with a timeout"]

    assert isinstance(met.error, OperationTimeoutError)
    assert (met.stored, met.injected) == (2, 2)


@pytest.mark.parametrize("client", ["acknowledgement lost", "acknowledgement lost, sync"])
def test_a_lost_acknowledgement_ends_in_two_copies_and_success(faced, client):
    assert faced[client] == Faced(error=None, stored=2, injected=1)


def test_a_dropped_connection_before_storing_ends_in_one_copy(faced):
    assert faced["dropped before storing"] == Faced(error=None, stored=1, injected=1)


def test_a_busy_hub_that_rejects_is_tried_twice_without_a_pause(faced):
    met = faced["rejected twice"]

    assert isinstance(met.error, EventDataSendError)
    assert "server-busy" in str(met.error)
    assert (met.stored, met.injected) == (0, 2)


def test_a_message_that_the_hub_never_takes_is_tried_twice_and_its_reason_is_told(faced):
    met = faced["refused for good"]

    assert isinstance(met.error, EventDataSendError)
    assert "never takes it" in str(met.error)
    assert (met.stored, met.injected) == (0, 2)


def test_a_busy_hub_that_detaches_once_costs_one_more_try(faced):
    assert faced["detached once"] == Faced(error=None, stored=1, injected=1)


def test_a_busy_hub_that_keeps_detaching_fails_the_send(faced):
    met = faced["detached always"]

    assert isinstance(met.error, EventHubError)
    assert met.stored == 0


def test_refused_tokens_fail_the_send(faced):
    met = faced["token refused"]

    assert isinstance(met.error, AuthenticationError)
    assert "refused on request" in str(met.error)
    assert met.stored == 0


async def test_a_fault_of_one_hub_leaves_the_others_alone(hub):
    hub.admin("POST", "/faults", {"hub": "faulty", "kind": "reject_busy", "share": 1.0})

    await send(hub.aio_producer("single"), EVENT)

    assert [fault["injected"] for fault in hub.admin("GET", "/faults")["faults"]] == [0]


def test_over_the_throughput_units_the_hub_is_busy_until_they_fill_again(hub):
    hub.admin("POST", "/throttle", {"units": 1})

    with hub.plain_producer("faulty") as producer:
        producer.send_batch([EventData("x") for _ in range(4000)], timeout=5)
        with pytest.raises(EventDataSendError, match="server-busy"):
            producer.send_batch(EVENT, timeout=5)
        hub.admin("POST", "/throttle", {"units": None})
        producer.send_batch(EVENT, timeout=5)


async def test_latency_delays_each_acknowledgement_but_not_the_others(hub):
    async with hub.aio_producer("single") as first, hub.plain_producer("single", kind=AioProducer) as second:
        for producer in (first, second):
            await asyncio.wait_for(producer.send_batch(EVENT), 5)
        hub.admin("POST", "/latency", {"seconds": 0.8})
        start = time.monotonic()
        await asyncio.gather(*(asyncio.wait_for(one.send_batch(EVENT), 5) for one in (first, second)))

    assert 0.8 <= time.monotonic() - start < 1.6


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/faults", '{"kind": "drop"}', "next"),
        ("/faults", "not json", "malformed"),
        ("/throttle", '{"units": 0}', "units"),
        ("/throttle", "{}", "units"),
        ("/latency", '{"seconds": -1}', "seconds"),
        ("/latency", '{"seconds": "long"}', "seconds"),
    ],
)
def test_what_cannot_be_carried_out_is_answered_with_the_field(hub, path, body, named):
    answer = requests.post(hub.addresses["admin"] + path, data=body, timeout=5)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert named in answer.json()["error"]


def test_the_admin_port_tells_health_and_epoch(hub):
    health = hub.admin("GET", "/health")

    assert health["status"] == "ok"
    assert hub.partition("faulty")["epoch"] == health["epoch"]
