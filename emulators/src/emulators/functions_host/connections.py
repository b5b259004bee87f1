"""A binding's connection: the app settings by its name, and the official clients made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.eventhub import TransportType
from azure.eventhub.aio import CheckpointStore, EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from azure.identity.aio import ClientSecretCredential
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from emulators.functions_host.errors import AppRefused

STORAGE = "AzureWebJobsStorage"
_LOGIN = ("tenantId", "clientId", "clientSecret")
_AUTHORITIES = "SSL_CERT_FILE"
# What a storage call waits between its three more tries: 1 s and then 3 and 5, not the minute that is the default.
_STORAGE_RETRY: Mapping[str, Any] = {"retry_total": 3, "initial_backoff": 1, "increment_base": 2}


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection: a connection string, or the settings `<name>__…` of an identity (their names in lower case).

    `authorities` is a PEM file of who TLS trusts, from the setting SSL_CERT_FILE; None is the usual ones.
    """

    name: str
    string: str
    properties: Mapping[str, str]
    authorities: str | None

    def get(self, name: str, default: str = "") -> str:
        """Give the setting `<connection>__<name>`."""
        return self.properties.get(name.lower()) or default

    def required(self, name: str) -> str:
        """Give the setting; raises AppRefused where it is not set."""
        value = self.get(name)
        if not value:
            raise AppRefused(f"the app setting {self.name}__{name} is not set, and {self.name} is no connection string")
        return value

    def credential(self) -> AsyncTokenCredential:
        """Log in as the client of the connection; raises AppRefused for what is no client secret."""
        kind = self.get("credential", "clientsecret").lower()
        if kind != "clientsecret":
            raise AppRefused(f"{self.name}__credential is {kind!r}: this host knows no login but a client secret")
        authority = self.get("authorityHost", "https://login.microsoftonline.com")
        return ClientSecretCredential(
            *(self.required(name) for name in _LOGIN),
            authority=authority,
            disable_instance_discovery=not str(urlsplit(authority).hostname).endswith(".microsoftonline.com"),
            **self.trust,
        )

    @property
    def trust(self) -> dict[str, Any]:
        """The option of Azure's clients that names who they trust."""
        return {"connection_verify": self.authorities} if self.authorities else {}


def connection(settings: Mapping[str, str], name: str) -> Connection:
    """Find the connection `name` in the app settings; with the prefix AzureWebJobs it is looked for first.

    Raises AppRefused where no setting has the name.
    """
    for candidate in (f"AzureWebJobs{name}", name):
        prefix = f"{candidate}__"
        properties = {key[len(prefix) :].lower(): value for key, value in settings.items() if key.startswith(prefix)}
        if settings.get(candidate) or properties:
            return Connection(candidate, settings.get(candidate, ""), properties, settings.get(_AUTHORITIES))
    raise AppRefused(f"the connection {name!r} is no app setting: neither {name} nor one that begins with {name}__ is")


def resolved(text: str, settings: Mapping[str, str]) -> str:
    """Put the app settings in place of each %NAME% in `text`; raises AppRefused where one isn't set."""
    parts = text.split("%")
    if len(parts) % 2 == 0:
        raise AppRefused(f"{text!r} has a % without its second")
    for name in parts[1::2]:
        if name not in settings:
            raise AppRefused(f"%{name}% names an app setting that does not exist")
    return "".join(settings[part] if n % 2 else part for n, part in enumerate(parts))


def queue_service(found: Connection) -> QueueServiceClient:
    """Make a client of an account's queues; its texts are not encoded."""
    if found.string:
        return QueueServiceClient.from_connection_string(found.string, **_STORAGE_RETRY)
    address = found.get("queueServiceUri") or _account(found, "queue")
    return QueueServiceClient(address, found.credential(), **_STORAGE_RETRY, **found.trust)


def blob_service(found: Connection) -> BlobServiceClient:
    """Make a client of an account's blobs."""
    if found.string:
        return BlobServiceClient.from_connection_string(found.string, **_STORAGE_RETRY)
    address = found.get("blobServiceUri") or _account(found, "blob")
    return BlobServiceClient(address, found.credential(), **_STORAGE_RETRY, **found.trust)


def checkpoint_store(found: Connection, container: str) -> BlobCheckpointStore:
    """Make the real processor's store of checkpoints and ownership in a container of an account."""
    if found.string:
        return BlobCheckpointStore.from_connection_string(found.string, container)
    address = found.get("blobServiceUri") or _account(found, "blob")
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


def _account(found: Connection, service: str) -> str:
    return f"https://{found.required('accountName')}.{service}.core.windows.net"
