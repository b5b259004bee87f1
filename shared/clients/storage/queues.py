"""Queues of a storage account, as a queue trigger reads them: short texts in base64 that never expire."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core.exceptions import ResourceNotFoundError

from shared.clients.identity.credentials import Identity
from shared.clients.retrying import RetryPolicy
from shared.clients.storage.resources import Account, Resource
from shared.domain.failures import FailureKind
from shared.errors import ServiceRefused

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MOST_BYTES: Final = 48 * 1024
"""Of a message before base64, which makes 64 KiB of them: the service's limit."""

_NEVER_EXPIRES: Final = -1


class Queue(Protocol):
    """A queue of short texts that never expire."""

    def make(self) -> None:
        """Make it where it is not there."""

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        """Write a message, visible after `delay`."""

    def length(self) -> int:
        """Say about how many messages it holds."""


class StorageQueue:
    """A queue, which is made when something is written to it and it is not there."""

    def __init__(self, queue: "Resource[QueueClient]") -> None:
        """Keep the queue."""
        self._queue = queue
        self.make = queue.make

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        """Send a message; where the answer to a try was lost, it may be there twice."""
        if len(text.encode()) > MOST_BYTES:
            raise ServiceRefused(f"{self._queue.place} takes {MOST_BYTES} bytes at most.", FailureKind.REJECTED)
        hidden = round(delay.total_seconds())

        def send(queue: "QueueClient", limits: dict[str, Any]) -> None:
            queue.send_message(text, visibility_timeout=hidden, time_to_live=_NEVER_EXPIRES, **limits)

        self._queue.call_or_make(send)

    def length(self) -> int:
        """Ask for its properties."""
        try:
            found = self._queue.call(lambda queue, limits: queue.get_queue_properties(**limits), ResourceNotFoundError)
        except ResourceNotFoundError:
            return 0
        return found.approximate_message_count or 0


def queue_of(
    name: str,
    connection: str | None,
    endpoint: str,
    identity: Identity,
    *,
    ca_bundle: str | None = None,
    retry: RetryPolicy | None = None,
) -> StorageQueue:
    """Give a queue of an account: by connection string, or at `endpoint` (its queue URL) by identity."""

    def connect() -> "QueueClient":
        from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy  # noqa: PLC0415 - at first use

        service = account.service(QueueServiceClient)
        return service.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())

    account = Account(connection, endpoint, identity, ca_bundle)
    place = f"The queue {name}"
    return StorageQueue(Resource(place, connect, lambda made, limits: made.create_queue(**limits), account.who, retry))
