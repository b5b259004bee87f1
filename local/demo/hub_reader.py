"""Reading a hub back with the official consumer client: every record in it, with its key."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from azure.eventhub import EventData, TransportType
from azure.eventhub.aio import EventHubConsumerClient
from azure.identity.aio import ClientSecretCredential

from local.demo.verification import Key, Record

_SILENCE_SECONDS = 20.0


async def read_hub(connection: Mapping[str, str], authority: Path, hub: str, columns: Sequence[str]) -> list[Record]:
    """Read all records of a hub, with the keys that `columns` make; raises what `read_events` does."""
    events = await read_events(connection, authority, hub)
    return [record for event in events for record in records_of(event, columns)]


async def read_events(connection: Mapping[str, str], authority: Path, hub: str) -> list[EventData]:
    """Read all events of a hub.

    `connection` has the settings `EVENT_HUBS__…` of a client that may receive.
    Raises TimeoutError where a partition that should hold more events gives none for 20 s.
    """
    async with (
        _credential(connection, authority) as credential,
        _client(connection, authority, hub, credential) as client,
    ):
        partitions = await client.get_partition_ids()
        events = await asyncio.gather(*(_read_partition(client, partition) for partition in partitions))
    return [event for part in events for event in part]


def records_of(event: EventData, columns: Sequence[str]) -> list[Record]:
    """Open one event, a row or a pack."""
    properties = {_text(name): _text(value) for name, value in (event.properties or {}).items()}
    body = b"".join(cast("Iterable[bytes]", event.body))
    if properties.get("encoding") == "zstd":
        body = pa.input_stream(pa.BufferReader(body), compression="zstd").read()
    return [Record(properties["slice"], _key(line, columns)) for line in body.splitlines()]


def hubs_of(stream: Mapping[str, Any]) -> list[str]:
    """Name the hubs of a stream by the plan of a window: several, one, or none where it goes elsewhere."""
    several: list[str] = stream.get("hubs") or [stream["hub"]]
    return [hub for hub in several if hub]


def key_columns(contracts: Path, contract: str) -> list[str]:
    """Read which columns identify a record: the contract's `x-key`."""
    name, version = contract.split("/")
    schema = json.loads((contracts / f"{name}.v{version}.schema.json").read_text(encoding="utf-8"))
    columns: list[str] = schema["x-key"]
    return columns


def _key(line: bytes, columns: Sequence[str]) -> Key:
    record = json.loads(line)
    return tuple(record[column] for column in columns)


def _text(value: Any) -> str:  # noqa: ANN401 - AMQP gives bytes or text
    return value.decode() if isinstance(value, bytes) else str(value)


async def _read_partition(client: EventHubConsumerClient, partition: str) -> list[EventData]:
    properties = await client.get_partition_properties(partition)
    if properties["is_empty"]:
        return []
    last, found, all_read = properties["last_enqueued_sequence_number"], [], asyncio.Event()
    progress = asyncio.Event()

    async def take(_: Any, events: list[EventData]) -> None:  # noqa: ANN401 - the client's partition context
        found.extend(events)
        progress.set()
        if events and events[-1].sequence_number >= last:
            all_read.set()

    receiving = asyncio.create_task(
        client.receive_batch(take, partition_id=partition, starting_position="-1", max_wait_time=1, prefetch=3000)
    )
    try:
        while not all_read.is_set():
            progress.clear()
            await asyncio.wait_for(progress.wait(), _SILENCE_SECONDS)
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    return found


def _credential(connection: Mapping[str, str], authority: Path) -> ClientSecretCredential:
    return ClientSecretCredential(
        connection["EVENT_HUBS__tenantId"],
        connection["EVENT_HUBS__clientId"],
        connection["EVENT_HUBS__clientSecret"],
        authority=connection["EVENT_HUBS__authorityHost"],
        disable_instance_discovery=True,
        connection_verify=str(authority),
    )


def _client(
    connection: Mapping[str, str], authority: Path, hub: str, credential: ClientSecretCredential
) -> EventHubConsumerClient:
    return EventHubConsumerClient(
        fully_qualified_namespace=connection["EVENT_HUBS__fullyQualifiedNamespace"],
        eventhub_name=hub,
        consumer_group="$Default",
        credential=credential,
        custom_endpoint_address=connection["EVENT_HUBS__customEndpointAddress"],
        transport_type=TransportType.Amqp,
        connection_verify=str(authority),
    )
