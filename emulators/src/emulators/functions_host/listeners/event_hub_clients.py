"""The clients of an Event Hubs trigger: the hub's, and those of the blobs that keep checkpoints and ownership."""

from dataclasses import dataclass
from typing import Any

from azure.eventhub import TransportType
from azure.eventhub.aio import CheckpointStore, EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from azure.storage.blob.aio import BlobServiceClient

from emulators.functions_host.connections import STORAGE_RETRY, Connection


def blob_service(found: Connection) -> BlobServiceClient:
    """Make a client of an account's blobs."""
    if found.string:
        return BlobServiceClient.from_connection_string(found.string, **STORAGE_RETRY)
    return BlobServiceClient(found.storage_address("blob"), found.credential(), **STORAGE_RETRY, **found.trust)


def checkpoint_store(found: Connection, container: str) -> BlobCheckpointStore:
    """Make the real processor's store of checkpoints and ownership in a container of an account."""
    if found.string:
        return BlobCheckpointStore.from_connection_string(found.string, container)
    address = found.storage_address("blob")
    return BlobCheckpointStore(address, container, credential=found.credential(), **found.trust)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which hub is read by which consumer group, and how: `endpoint` is empty for the namespace's own."""

    hub: str
    group: str
    endpoint: str
    websockets: bool


def consumer_client(
    found: Connection, what: Subscription, store: CheckpointStore, **options: float
) -> EventHubConsumerClient:
    """Make the client that reads a hub; a connection string's EntityPath goes before the binding's hub.

    `options` are the client's `load_balancing_interval` and `partition_ownership_expiration_interval`.
    """
    common: dict[str, Any] = {
        "transport_type": TransportType.AmqpOverWebsocket if what.websockets else TransportType.Amqp,
        "checkpoint_store": store,
        **found.trust,
        **options,
    }
    endpoint = found.get("customEndpointAddress") or what.endpoint
    if endpoint:
        common["custom_endpoint_address"] = endpoint
    if found.string:
        hub: dict[str, Any] = {} if "entitypath=" in found.string.lower() else {"eventhub_name": what.hub}
        return EventHubConsumerClient.from_connection_string(found.string, what.group, **hub, **common)
    return EventHubConsumerClient(
        found.required("fullyQualifiedNamespace"), what.hub, what.group, found.credential(), **common
    )
