"""Where dead letters go: a blob each, in the container that the subscription names."""

import asyncio
import json
from contextlib import suppress
from typing import Protocol
from uuid import uuid4

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings

from emulators.clocks import utc_now
from emulators.event_grid.deliveries import Delivery, dead_letter, dead_letter_path


class StorageUnavailable(Exception):
    """A dead letter could not be written just now."""


class DeadLetterStore(Protocol):
    """Keeps dead letters."""

    async def put(self, delivery: Delivery, reason: str) -> str | None:
        """Keep a dead letter and give the name of its blob, None where there is no place for it.

        Raises StorageUnavailable.
        """


class NoDeadLetterStore:
    """Drops dead letters, as Azure does where no destination is configured."""

    async def put(self, delivery: Delivery, reason: str) -> str | None:
        """Drop it."""
        del delivery, reason
        return None


class BlobDeadLetterStore:
    """Writes each dead letter as an array of one event, at `<SUBSCRIPTION>/<year>/<month>/<day>/<hour>/<guid>.json`.

    Azure writes them about five minutes late, many to a blob; here each comes at once.
    """

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._made: set[str] = set()

    async def put(self, delivery: Delivery, reason: str) -> str | None:
        """Write the blob; drops it where the subscription names no container."""
        container = delivery.subscription.dead_letter_container
        if container is None:
            return None
        path = dead_letter_path(delivery, utc_now(), str(uuid4()))
        body = json.dumps([dead_letter(delivery, reason)]).encode()
        try:
            await asyncio.to_thread(self._write, container, path, body)
        except AzureError as error:
            raise StorageUnavailable(type(error).__name__) from error
        return f"{container}/{path}"

    def _write(self, container: str, path: str, body: bytes) -> None:
        if container not in self._made:
            with suppress(ResourceExistsError):
                self._service.create_container(container)
            self._made.add(container)
        blob = self._service.get_blob_client(container, path)
        blob.upload_blob(body, overwrite=True, content_settings=ContentSettings("application/json"))
