"""Queues of a storage account, as a queue trigger reads them: short texts in base64 that never expire."""

import base64
import binascii
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core.exceptions import ResourceNotFoundError

from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.resources import Resource
from shared.domain.failures import FailureKind
from shared.errors import ServiceRefused

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MOST_BYTES: Final = 48 * 1024
"""Of a message before base64, which makes 64 KiB of them: the service's limit."""

_NEVER_EXPIRES: Final = -1


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that was handed out. receipt: what it is deleted with, until it is handed out again."""

    id: str
    receipt: str
    body: bytes


class Queue(Protocol):
    """A queue of short texts that never expire."""

    def make(self) -> None:
        """Make it where it is not there."""

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        """Write a message, visible after `delay`."""

    def length(self) -> int:
        """Say about how many messages it holds."""

    def take(self, most: int) -> Sequence[QueuedMessage]:
        """Hand out messages (at most 32), which nobody else is given for 30 s."""

    def delete(self, message: QueuedMessage) -> None:
        """Delete a message; one that was handed out again meanwhile stays."""


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

    def take(self, most: int) -> Sequence[QueuedMessage]:
        """Receive them; what another wrote otherwise than in base64 is given as it is."""

        def receive(queue: "QueueClient", limits: dict[str, Any]) -> list[QueuedMessage]:
            found = queue.receive_messages(messages_per_page=most, max_messages=most, visibility_timeout=30, **limits)
            return [QueuedMessage(one.id, one.pop_receipt or "", _body(str(one.content))) for one in found]

        try:
            return self._queue.call(receive, ResourceNotFoundError)
        except ResourceNotFoundError:
            return []

    def delete(self, message: QueuedMessage) -> None:
        """Delete it by its receipt."""

        def delete(queue: "QueueClient", limits: dict[str, Any]) -> None:
            queue.delete_message(message.id, message.receipt, **limits)

        with contextlib.suppress(ResourceNotFoundError):
            self._queue.call(delete, ResourceNotFoundError)


def queue_of(name: str, account: Account, retry: RetryPolicy | None = None) -> StorageQueue:
    """Give a queue of an account."""

    def connect() -> "QueueClient":
        from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy  # noqa: PLC0415 - at first use

        service = account.service(QueueServiceClient)
        return service.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())

    place = f"The queue {name}"
    return StorageQueue(Resource(place, connect, lambda made, limits: made.create_queue(**limits), account.who, retry))


def _body(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()
