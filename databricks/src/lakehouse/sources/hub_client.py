"""A hub as Microsoft's client shows it: with `hub_events`, the only module that knows the azure packages."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.eventhub import EventData, EventHubConsumerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumerClient
from azure.identity import ClientSecretCredential

from lakehouse.sources.epoch import epoch_of
from lakehouse.sources.hub import Head, Hub
from lakehouse.sources.login import credential_of_login


class ReadingFailed(Exception):
    """A partition could not be read to the event it should hold."""


def head_of(hub: Hub, partitions: Collection[str] = ()) -> Head:
    """Ask the hub how far it is; those partitions that are known beforehand are asked at once."""
    return asyncio.run(_head_of(hub, partitions))


def events_of(hub: Hub, partition: str, after: int, last: int, epoch: str = "") -> Iterator[list[EventData]]:
    """Yield the events of a partition with sequence numbers in (after, last], in the batches that arrive.

    What the hub has dropped in the meantime is passed over. epoch: of the hub whose events are meant; the hub is asked
    for its own at the end, when no event of another one can have been read unnoticed. Raises what the client raises
    where it gives up, and ReadingFailed where the hub stays silent or is another one by now.
    """
    with _Receiving(hub, partition, after) as receiving:
        yield from _up_to(receiving, last)
        if epoch:
            receiving.check_epoch(epoch)


def _up_to(receiving: "_Receiving", last: int) -> Iterator[list[EventData]]:
    while events := receiving.next_batch(last):
        if _number(events[-1]) >= last:
            yield [event for event in events if _number(event) <= last]
            return
        yield list(events)


class _Receiving:
    """The client's own blocking receive loop in a thread, a few batches ahead of who takes them.

    Its asynchronous twin needs no thread, but takes half as long again by the clock. At the end nobody waits for the
    thread: the client says goodbye to the hub in up to a second (its keep-alive wakes once a second).
    """

    def __init__(self, hub: Hub, partition: str, after: int) -> None:
        self._hub = hub
        self._partition = partition
        self._client = _blocking_client(hub)
        self._arrived: queue.Queue[list[EventData] | Exception] = queue.Queue(_WAITING_BATCHES)
        self._is_over = threading.Event()
        self._after = after

    def __enter__(self) -> Self:
        threading.Thread(target=self._receive, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._client.close()

    def next_batch(self, last: int) -> Sequence[EventData]:
        """Wait for the next events; none where retention has overtaken the reader."""
        try:
            arrived = self._arrived.get(timeout=_SILENCE_SECONDS)
        except queue.Empty:
            self._explain_silence(last)
            return ()
        if isinstance(arrived, Exception):
            raise arrived
        return arrived

    def check_epoch(self, epoch: str) -> None:
        """Raise ReadingFailed where the hub was created at another time than that."""
        found = epoch_of(self._client.get_eventhub_properties()["created_at"].isoformat())
        if found != epoch:
            raise ReadingFailed(
                f"the hub {self._hub.name!r} was created anew at {found} while the one of {epoch} was read: "
                f"run the job again"
            )

    def _receive(self) -> None:
        self._client.receive_batch(
            self._take,
            on_error=self._take,
            partition_id=self._partition,
            starting_position=self._after,
            max_batch_size=_BATCH,
            prefetch=_BATCH,
        )

    def _take(self, _: object, arrived: list[EventData] | Exception) -> None:
        is_waiting = bool(arrived)
        while is_waiting and not self._is_over.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(arrived, timeout=_PUT_SECONDS)
                is_waiting = False

    def _explain_silence(self, last: int) -> None:
        facts = self._client.get_partition_properties(self._partition)
        if not facts["is_empty"] and facts["beginning_sequence_number"] <= last:
            raise ReadingFailed(
                f"partition {self._partition} of hub {self._hub.name!r} sent nothing for {_SILENCE_SECONDS:.0f} s, "
                f"though it holds events up to {facts['last_enqueued_sequence_number']}: run the job again"
            )


async def _head_of(hub: Hub, known: Collection[str]) -> Head:
    async with _asking_client(hub) as client:
        facts, *found = await asyncio.gather(
            client.get_eventhub_properties(), *map(client.get_partition_properties, known)
        )
        others = set(facts["partition_ids"]) - set(known)
        new = await asyncio.gather(*map(client.get_partition_properties, others))
    partitions = sorted([*found, *new], key=lambda one: one["id"])
    last = {one["id"]: int(one["last_enqueued_sequence_number"]) for one in partitions}
    first = {
        one["id"]: last[one["id"]] + 1 if one["is_empty"] else int(one["beginning_sequence_number"])
        for one in partitions
    }
    return Head(epoch_of(facts["created_at"].isoformat()), first, last)


def _number(event: EventData) -> int:
    number = event.sequence_number
    if number is None:
        raise ReadingFailed("an event came without its sequence number: is this an event hub?")
    return number


def _blocking_client(hub: Hub) -> EventHubConsumerClient:
    return EventHubConsumerClient(hub.namespace, hub.name, hub.consumer_group, credential_of(hub), **_way_to(hub))


def _asking_client(hub: Hub) -> AsyncConsumerClient:
    return AsyncConsumerClient(hub.namespace, hub.name, hub.consumer_group, LoopCredential(hub), **_way_to(hub))


def _way_to(hub: Hub) -> dict[str, Any]:
    return {
        "transport_type": TransportType.Amqp,
        "custom_endpoint_address": hub.endpoint or None,
        "connection_verify": hub.ca_bundle or None,
    }


def credential_of(hub: Hub) -> ClientSecretCredential:
    """Return the process's one credential for the hub's login."""
    return credential_of_login(hub.tenant_id, hub.client_id, hub.client_secret, hub.authority_host, hub.ca_bundle)


class LoopCredential:
    """The same credential as the asynchronous clients want it; asks in a thread."""

    def __init__(self, hub: Hub) -> None:
        """Lend the credential of the hub's login."""
        self._credential = credential_of(hub)

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Give a token for the scopes."""
        return await asyncio.to_thread(self._credential.get_token, *scopes)

    async def close(self) -> None:
        """Leave the shared credential open."""

    async def __aenter__(self) -> Self:
        """Enter."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the shared credential open."""


_BATCH = 3_000
_WAITING_BATCHES = 4
_SILENCE_SECONDS = 60.0
_PUT_SECONDS = 0.5
