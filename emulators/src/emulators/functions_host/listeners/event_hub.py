"""Event Hubs triggers: batches of each partition in order, each at least once, from checkpoints in blob.

Microsoft.Azure.WebJobs.Extensions.EventHubs around the Python client's own processor, which shares the partitions among
hosts by ownership blobs and writes checkpoints in the format of all Event Hubs clients.
"""

import asyncio
import itertools
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web
from azure.core.exceptions import ResourceExistsError
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, PartitionContext
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore

from emulators.clocks import utc_now
from emulators.functions_host.app_worker import Function, Given
from emulators.functions_host.backoff import RetryCount, random_jitter
from emulators.functions_host.connections import STORAGE, connection, resolved
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.host_json import HostConfig
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.listeners.event_batches import UnreadableEvent, WaitingEvents, many, one
from emulators.functions_host.listeners.event_hub_clients import (
    Subscription,
    blob_service,
    checkpoint_store,
    consumer_client,
)

CONTAINER = "azure-webjobs-eventhub"
_PAUSE = 5.0
_LONGEST_LOOK = 1.0
_logger = logging.getLogger("Host.Triggers.EventHubs")


class EventHubSurroundings(Protocol):
    """The part of a listener's surroundings that hubs use."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The app settings."""

    @property
    def config(self) -> HostConfig:
        """What host.json says."""


@dataclass(slots=True)
class Partition:
    """What a reader holds of one partition: events that wait to be a batch, and batches since the last checkpoint."""

    waiting: WaitingEvents
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """One function and the hub that it reads."""

    function: Function
    hub: str
    partitions: dict[str, Partition] = field(default_factory=dict)

    @property
    def one_by_one(self) -> bool:
        """Whether a call gets a single event; the default of the binding is so too."""
        return str(self.function.trigger.get("cardinality") or "one").lower() != "many"

    @property
    def binary(self) -> bool:
        """Whether the function gets bytes instead of text."""
        return str(self.function.trigger.get("dataType") or "").lower() == "binary"

    @property
    def facts(self) -> dict[str, str]:
        """What a log line says of it."""
        return {"function": self.function.name, "hub": self.hub}


class EventHubListener:
    """Keeps one processor per Event Hubs function."""

    trigger = "eventHubTrigger"

    def __init__(self, surroundings: EventHubSurroundings) -> None:
        self._settings = surroundings.settings
        self._options = surroundings.config.event_hubs
        self._readers: dict[str, Reader] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Begin to read; raises AppRefused for a hub or a connection that no app setting gives."""
        self._invoke = invoke
        self._readers = {function.name: self._reader(function) for function in functions}
        for reader in self._readers.values():
            self._spawn(self._read(reader))

    def routes(self, _guard: object) -> Sequence[web.RouteDef]:
        """Listen at no address."""
        return ()

    def fire(self, function: str, given: str) -> None:
        """Run a function with one event that no hub holds: `given` is its body."""
        reader = self._readers[function]
        self._spawn(self._run(reader, self._given(reader, [EventData(given)], None)))

    async def stop(self) -> None:
        """Read no more; a run that is under way is abandoned, its batch comes again. Partitions are given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _reader(self, function: Function) -> Reader:
        try:
            _, client = self._clients(function)  # connect to nothing yet, but tell what is refused
        except (AppRefused, ValueError) as error:
            raise AppRefused(f"function {function.name!r}: {error}") from error
        return Reader(function, client.eventhub_name)

    def _clients(self, function: Function) -> tuple[BlobCheckpointStore, EventHubConsumerClient]:
        """Make a store of checkpoints and the client around it; once closed, neither can be opened again."""
        trigger, options = function.trigger, self._options
        what = Subscription(
            resolved(trigger["eventHubName"], self._settings),
            resolved(trigger.get("consumerGroup") or "$Default", self._settings),
            options.endpoint,
            options.websockets,
        )
        store = checkpoint_store(connection(self._settings, STORAGE), CONTAINER)
        client = consumer_client(
            connection(self._settings, trigger["connection"]),
            what,
            store,
            load_balancing_interval=options.balancing_interval.total_seconds(),
            partition_ownership_expiration_interval=options.ownership_expires.total_seconds(),
        )
        return store, client

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, reader: Reader) -> None:
        """Process for ever; the client itself tries again what fails in a partition."""
        while True:
            try:
                await self._make_container()
                store, client = self._clients(reader.function)
                reader.partitions.clear()  # what waited there comes again
                async with store, client:
                    await self._process(reader, client)
            except Exception:  # a listener outlives whatever happens to its connections
                _logger.exception("event_hub.not_read", extra=reader.facts)
            await asyncio.sleep(_PAUSE)

    async def _make_container(self) -> None:
        async with blob_service(connection(self._settings, STORAGE)) as service:
            try:
                await service.create_container(CONTAINER)
            except ResourceExistsError:
                return

    async def _process(self, reader: Reader, client: EventHubConsumerClient) -> None:
        options = self._options

        async def on_events(context: PartitionContext, events: list[EventData]) -> None:
            await self._take(reader, context, events)

        async def on_error(context: PartitionContext | None, error: Exception) -> None:
            where = {"partition": context.partition_id} if context else {}
            _logger.warning("event_hub.error", extra={**reader.facts, **where, "error": str(error)})

        async def on_close(context: PartitionContext, _reason: object) -> None:
            reader.partitions.pop(context.partition_id, None)

        await client.receive_batch(
            on_events,
            on_error=on_error,
            on_partition_close=on_close,
            max_batch_size=options.max_batch_size,
            max_wait_time=min(_LONGEST_LOOK, options.max_wait.total_seconds()) if options.min_batch_size > 1 else None,
            prefetch=options.prefetch,
            starting_position=options.initial_position,
        )

    async def _take(self, reader: Reader, context: PartitionContext, events: list[EventData]) -> None:
        """Run the function for what arrived. The checkpoint moves on whatever became of it, as in Azure."""
        partition = reader.partitions.setdefault(context.partition_id, self._partition(reader))
        batch = partition.waiting.take(events, utc_now())
        if not batch:
            return
        partition.batches += 1
        due = partition.batches >= self._options.checkpoint_every
        place = _partition_context(context, checkpoints=due)
        for part in [[event] for event in batch] if reader.one_by_one else [batch]:
            try:
                await self._run(reader, self._given(reader, part, place))
            except UnreadableEvent as error:
                _logger.error("event_hub.unreadable", extra={**reader.facts, "error": str(error)})  # noqa: TRY400
        if due:
            await context.update_checkpoint(batch[-1])
            partition.batches = 0

    def _partition(self, reader: Reader) -> Partition:
        options = self._options
        least = 1 if reader.one_by_one else options.min_batch_size
        return Partition(WaitingEvents(least, options.max_batch_size, options.max_wait))

    def _given(self, reader: Reader, events: Sequence[EventData], place: Mapping[str, Any] | None) -> Given:
        if reader.one_by_one:
            return one(events[0], place, binary=reader.binary)
        return many(events, place, binary=reader.binary)

    async def _run(self, reader: Reader, given: Given) -> None:
        """Run the function, again as its retry policy says; the partition waits meanwhile."""
        policy = reader.function.retry
        for retries in itertools.count():
            count = RetryCount(retries, policy.count if policy else 0)
            reason = f"New batch of '{reader.hub}'."
            outcome = await self._invoke(reader.function.name, Given(given.value, given.metadata, count), reason=reason)
            if outcome.error is None or policy is None or not policy.allows(retries):
                return
            await asyncio.sleep(policy.seconds(retries, random_jitter()))


def _partition_context(context: PartitionContext, *, checkpoints: bool) -> dict[str, Any]:
    """Write the metadata `PartitionContext`, as TriggerPartitionContext of the extension is in JSON."""
    return {
        "FullyQualifiedNamespace": context.fully_qualified_namespace,
        "EventHubName": context.eventhub_name,
        "ConsumerGroup": context.consumer_group,
        "PartitionId": context.partition_id,
        "IsCheckpointingAfterInvocation": checkpoints,
    }
