"""A link to a hub by Microsoft's own client: the only module that knows azure.eventhub."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from azure.eventhub import EventData, EventDataBatch, TransportType
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventDataSendError, EventHubError

from shared.clients.event_hubs.answers import BY_CONDITION, NO_SUCH_PARTITION, REJECTIONS
from shared.clients.event_hubs.link import Batch, HubProperties
from shared.clients.failures import causes_of, kind_of
from shared.clients.identity.credentials import Identity, LoopIdentity
from shared.clients.links import LinkFault
from shared.domain.delivery import Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Unavailable


@dataclass(frozen=True, slots=True)
class HubConnection:
    """Where the hubs are, and how they are reached.

    The endpoint and the CA bundle (a PEM file) are for one machine only; None in Azure. A proxy, whose URL may hold a
    password, takes websockets only.
    """

    fully_qualified_namespace: str
    custom_endpoint: str | None = None
    ca_bundle: str | None = None
    over_websockets: bool = False
    proxy: str | None = field(default=None, repr=False)


class AmqpLink:
    """One client of one hub for one event loop.

    The client retries once inside `send_batch` whatever `retry_total` says, so one attempt may store a message twice;
    its own deadlines do not hold while it connects, so the caller's must (measured on 5.15.1; docs/adr/0008).
    """

    def __init__(self, connection: HubConnection, hub: str, identity: Identity) -> None:
        """Prepare; connects at `open`."""
        self._identity = LoopIdentity(identity)
        self._client = EventHubProducerClient(
            connection.fully_qualified_namespace,
            hub,
            self._identity,
            transport_type=TransportType.AmqpOverWebsocket if connection.over_websockets else TransportType.Amqp,
            http_proxy=_client_proxy(connection.proxy) if connection.proxy else None,
            retry_total=0,
            custom_endpoint_address=connection.custom_endpoint,
            connection_verify=connection.ca_bundle,
        )
        self._is_open = False

    async def open(self) -> None:
        """Log in and connect; raises LinkFault, LoginRefused or Unavailable."""
        if self._is_open:
            return
        await self._identity.get_token(EVENT_HUBS_SCOPE)
        with _as_faults(sending=False):
            await self._client.create_batch()
        self._is_open = True

    async def connect(self, partitions: Sequence[str]) -> None:
        """Connect to those partitions; raises LinkFault.

        The client's public ways connect with the first message alone, which would wait half a second for it.
        """
        with _as_faults(sending=False):
            await asyncio.gather(*(self._connect(partition) for partition in partitions))

    async def _connect(self, partition: str) -> None:
        client: Any = self._client
        await client._start_producer(partition, None)  # noqa: SLF001 - no public way: docs/adr/0008
        await client._producers[partition]._open_with_retry()  # noqa: SLF001

    async def fill(self, partition_id: str | None, events: Sequence[Event]) -> Batch:
        """Make one batch of the first events; rejects where not even the first one fits."""
        with _as_faults(sending=False):
            batch = await self._client.create_batch(partition_id=partition_id)
        taken = _fill(batch, events)
        if taken == 0:
            raise LinkFault(FailureKind.REJECTED, f"the hub takes messages of {batch.max_size_in_bytes} bytes at most")
        return Batch(taken, batch)

    async def send(self, batch: Batch) -> None:
        """Send a batch; a fault says whether it may be stored."""
        with _as_faults(sending=True):
            await self._client.send_batch(_client_batch(batch))

    async def partitions(self) -> tuple[str, ...]:
        """Ask the hub for the ids of its partitions, once a client."""
        client: Any = self._client
        with _as_faults(sending=False):
            await client._get_partitions()  # noqa: SLF001 - by its public name it would ask again with the first message
        return tuple(client._partition_ids)  # noqa: SLF001

    async def properties(self) -> HubProperties:
        """Ask the hub for itself, and each of its partitions for its last event."""
        with _as_faults(sending=False):
            hub = await self._client.get_eventhub_properties()
            partitions = hub["partition_ids"]
            asked = await asyncio.gather(*(self._client.get_partition_properties(name) for name in partitions))
        last = {str(one["id"]): int(one["last_enqueued_sequence_number"]) for one in asked}
        return HubProperties(hub["created_at"], last)

    async def close(self) -> None:
        """Disconnect; a peer that does not answer is left alone after three seconds."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.close()


def _client_proxy(url: str) -> dict[str, Any]:
    """Split a proxy's URL as the client wants it, whose aio form needs the scheme in the host's name."""
    parts = urlsplit(url)
    return {
        "proxy_hostname": f"http://{parts.netloc.rpartition('@')[2].removesuffix(f':{parts.port}')}",
        "proxy_port": parts.port,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }


def _fill(batch: EventDataBatch, events: Sequence[Event]) -> int:
    for taken, event in enumerate(events):
        data = EventData(event.body)
        data.properties = cast("dict[str | bytes, Any]", dict(event.properties))
        if event.partition_key:
            data.raw_amqp_message.annotations = {_PARTITION_KEY: event.partition_key}
        try:
            batch.add(data)
        except ValueError:  # the client's way to say that the batch is full
            return taken
    return len(events)


def _client_batch(batch: Batch) -> EventDataBatch:
    if not isinstance(batch.content, EventDataBatch):
        raise TypeError(f"a batch of {type(batch.content).__name__} is not one of this link's")
    return batch.content


@contextlib.contextmanager
def _as_faults(*, sending: bool) -> Iterator[None]:
    """Translate whatever the client raises: besides its own errors it leaks those of sockets and its own slips."""
    try:
        yield
    except (LinkFault, LoginRefused, Unavailable):
        raise
    except Exception as error:
        raise _fault_of(error, sending=sending) from error


def _fault_of(error: Exception, *, sending: bool) -> LinkFault:
    """Tell what an error means; it may hide an earlier one, for the client tries twice within a send."""
    kind, retry_after = _kind(error)
    tries = [link for link in causes_of(error) if isinstance(link, EventHubError)]
    surely_not_stored = kind is FailureKind.PERMANENT or (bool(tries) and all(_is_refusal(link) for link in tries))
    stored = sending and not surely_not_stored
    return LinkFault(kind, _describe(error), may_be_stored=stored, retry_after=retry_after)


def _kind(error: Exception) -> tuple[FailureKind, float]:
    """Give the meaning, and for how long nobody may ask again."""
    causes = list(causes_of(error))
    for login in (link for link in causes if isinstance(link, Unavailable)):
        return login.kind, login.retry_after  # the client asked for a new token and got none
    untrusted = any(isinstance(link, ssl.SSLCertVerificationError) for link in causes)
    if untrusted or str(error).startswith(NO_SUCH_PARTITION):
        return FailureKind.PERMANENT, 0.0
    if any(getattr(link, "status", None) == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED for link in causes):
        return FailureKind.UNAUTHORIZED, 0.0
    condition = (error.error if isinstance(error, EventHubError) else None) or ""
    if isinstance(error, EventDataSendError):
        kind = BY_CONDITION.get(condition, FailureKind.THROTTLED)
        return (FailureKind.REJECTED if condition in REJECTIONS else kind), 0.0
    if isinstance(error, AuthenticationError) and condition != _TIMEOUT_IN_DISGUISE:
        return _meaning_of_login(causes), 0.0
    return BY_CONDITION.get(condition, FailureKind.UNAVAILABLE), 0.0


def _meaning_of_login(causes: Sequence[BaseException]) -> FailureKind:
    """Give what the hub's answer to a token means, whose status is that of HTTP (CBS for AMQP, 2.4).

    Where a socket failed instead, no hub answered: over WebSockets the client takes that for a refused login, too.
    """
    answer = next((link for link in causes if isinstance(link, OSError) or hasattr(link, "status_code")), None)
    if isinstance(answer, OSError):
        return FailureKind.UNAVAILABLE
    status = getattr(answer, "status_code", None)
    kind = kind_of(status) if isinstance(status, int) else FailureKind.UNAUTHORIZED
    return kind if kind.may_pass or status == HTTPStatus.NOT_FOUND else FailureKind.UNAUTHORIZED


def _is_refusal(error: EventHubError) -> bool:
    return isinstance(error, EventDataSendError) and error.error in {_SERVER_BUSY, *REJECTIONS}


def _describe(error: Exception) -> str:
    """Give the client's text without its repetitions; the name of the error alone where it has no text."""
    lines = (line.strip().removeprefix("Error Description: ") for line in str(error).splitlines())
    return " ".join(dict.fromkeys(lines))[:_LONGEST_REASON] or type(error).__name__


EVENT_HUBS_SCOPE = "https://eventhubs.azure.net//.default"
_PARTITION_KEY = b"x-opt-partition-key"
_SERVER_BUSY = "server-busy"
_TIMEOUT_IN_DISGUISE = "internal-error"  # the client's word for a login that was not answered in time
_CLOSE_SECONDS = 3.0
_LONGEST_REASON = 300
