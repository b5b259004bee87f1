"""What the listener makes of the events that the client hands it, without a hub."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from emulators.functions_host.app_worker import CallOutcome, Function
from emulators.functions_host.backoff import RetryPolicy
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.host_json import EventHubOptions, HostConfig
from emulators.functions_host.listeners import event_hub
from emulators.functions_host.listeners.event_hub import EventHubListener
from tests.unit.functions_host.listeners.test_event_batches import event

KEY = "SharedAccessKeyName=a;SharedAccessKey=b"
SETTINGS = {
    "HUB": f"Endpoint=sb://localhost:1;{KEY};UseDevelopmentEmulator=true",
    "AzureWebJobsStorage": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://localhost:1/a",
}


@dataclass
class Around:
    settings: dict
    config: HostConfig


@dataclass
class Calls:
    """Stands in for the invoker: notes the bodies and retries of each call, and fails the first `failures`."""

    failures: int = 0
    seen: list = field(default_factory=list)

    async def __call__(self, name, given, *, reason):
        value = given.value.value
        self.seen.append((value if isinstance(value, str) else list(value.string), given.retries.now))
        return CallOutcome(error="told to fail" if len(self.seen) <= self.failures else None)


@dataclass
class Context:
    """Stands in for the client's partition context: notes the checkpoints."""

    partition_id: str = "0"
    fully_qualified_namespace: str = "n"
    eventhub_name: str = "h"
    consumer_group: str = "$Default"
    checkpoints: list = field(default_factory=list)

    async def update_checkpoint(self, last):
        self.checkpoints.append(last.sequence_number)


def function(retry=None, **trigger):
    binding = {"name": "e", "type": "eventHubTrigger", "eventHubName": "h", "connection": "HUB", "cardinality": "MANY"}
    return Function("f", "f", (binding | trigger,), retry)


def listener(calls, one_function, settings=None, **options):
    made = EventHubListener(
        Around(SETTINGS if settings is None else settings, HostConfig(event_hubs=EventHubOptions(**options)))
    )
    made._invoke = calls
    return made, made._reader(one_function)


async def test_the_checkpoint_passes_a_batch_whose_function_failed():
    calls, context = Calls(failures=1), Context()
    made, reader = listener(calls, function())

    await made._take(reader, context, [event(b"a", 4), event(b"b", 5)])

    assert calls.seen == [(["a", "b"], 0)]
    assert context.checkpoints == [5]


async def test_the_checkpoint_passes_an_event_that_can_not_be_handed_over():
    calls, context = Calls(), Context()
    made, reader = listener(calls, function(cardinality="one"))

    await made._take(reader, context, [event(None, 4, value={"a": 1}), event(b"b", 5)])

    assert calls.seen == [("b", 0)]
    assert context.checkpoints == [5]


async def test_a_retry_policy_is_over_before_the_checkpoint_moves():
    calls, context = Calls(failures=9), Context()
    made, reader = listener(calls, function(RetryPolicy(2, timedelta(0), timedelta(0))))

    await made._take(reader, context, [event(b"a", 4)])

    assert calls.seen == [(["a"], 0), (["a"], 1), (["a"], 2)]
    assert context.checkpoints == [4]


async def test_single_events_are_called_one_by_one_and_checkpointed_together():
    calls, context = Calls(failures=1), Context()
    made, reader = listener(calls, function(cardinality="one"), min_batch_size=50)

    await made._take(reader, context, [event(b"a", 4), event(b"b", 5)])

    assert calls.seen == [("a", 0), ("b", 0)]
    assert context.checkpoints == [5]


async def test_a_checkpoint_is_written_every_so_many_batches_of_a_partition():
    calls, context, other = Calls(), Context(), Context("1")
    made, reader = listener(calls, function(), checkpoint_every=2)

    for n in range(4):
        await made._take(reader, context, [event(b"a", n)])
    await made._take(reader, other, [event(b"b", 0)])

    assert (context.checkpoints, other.checkpoints) == ([1, 3], [])


async def test_events_that_wait_for_a_batch_hold_the_checkpoint_back():
    calls, context = Calls(), Context()
    made, reader = listener(calls, function(), min_batch_size=3)

    await made._take(reader, context, [event(b"a", 1), event(b"b", 2)])
    waited = list(context.checkpoints)
    await made._take(reader, context, [event(b"c", 3)])

    assert (waited, context.checkpoints) == ([], [3])
    assert calls.seen == [(["a", "b", "c"], 0)]


@pytest.mark.parametrize(
    ("trigger", "settings", "words"),
    [
        ({}, {}, "the connection 'AzureWebJobsStorage' is no app setting"),
        ({"eventHubName": "%NAME%"}, SETTINGS, "%NAME% names an app setting"),
        ({}, SETTINGS | {"HUB": "", "HUB__clientId": "c"}, "HUB__fullyQualifiedNamespace is not set"),
        ({}, SETTINGS | {"HUB": "nonsense"}, "function 'f'"),
    ],
)
async def test_what_no_app_setting_gives_is_refused_by_function(trigger, settings, words):
    with pytest.raises(AppRefused, match=f"function 'f': .*{words}|{words}"):
        listener(Calls(), function(**trigger), settings)


async def test_the_place_of_a_batch_says_whether_the_checkpoint_follows():
    places, context = [], Context()
    made, reader = listener(None, function(), checkpoint_every=2)

    async def note(name, given, *, reason):
        places.append(json.loads(given.metadata["PartitionContext"].json)["IsCheckpointingAfterInvocation"])
        return CallOutcome()

    made._invoke = note
    for n in range(2):
        await made._take(reader, context, [event(b"a", n)])

    assert places == [False, True]


class BreakingOnce(EventHubListener):
    """A listener whose first reading of its hub breaks; it needs no storage account."""

    def __init__(self, surroundings):
        super().__init__(surroundings)
        self.clients = []
        self.reads_again = asyncio.Event()

    async def _make_container(self):
        """Make none."""

    async def _process(self, reader, client):
        self.clients.append(client)
        if len(self.clients) == 1:
            reader.partitions["0"] = self._partition(reader)
            raise ConnectionError("told to break")
        self.waiting = dict(reader.partitions)
        self.reads_again.set()
        await asyncio.Event().wait()


async def test_a_hub_whose_reading_broke_is_read_again_by_another_client(monkeypatch):
    monkeypatch.setattr(event_hub, "_PAUSE", 0.0)
    made = BreakingOnce(Around(SETTINGS, HostConfig(event_hubs=EventHubOptions())))
    await made.start([function()], Calls())

    async with asyncio.timeout(10):
        await made.reads_again.wait()
    await made.stop()

    first, second = made.clients
    assert first is not second
    assert made.waiting == {}
