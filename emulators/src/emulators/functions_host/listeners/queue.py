"""Queue triggers: messages of a storage queue, several at once, each at least once.

As Microsoft.Azure.WebJobs.Extensions.Storage.Queues does it (QueueListener and QueueProcessor, read in its source).
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from aiohttp import web
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from emulators.clocks import utc_now
from emulators.functions_host.app_worker import Function, Given
from emulators.functions_host.backoff import backoff_seconds, random_jitter
from emulators.functions_host.connections import STORAGE, STORAGE_RETRY, Connection, connection, resolved
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.host_json import HostConfig
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.listeners.queue_messages import (
    Settlement,
    decoded,
    metadata,
    poison_name,
    settlement,
    trigger_value,
)
from emulators.functions_host.protos import TypedData

_SHORTEST_POLLING = 0.1
_STOP_SECONDS = 2.0
_TAKEN = "PopReceiptMismatch"
_TIME_TO_LIVE = timedelta(days=7)
_logger = logging.getLogger("Host.Triggers.Queue")


class QueueSurroundings(Protocol):
    """The part of a listener's surroundings that queues use."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The app settings."""

    @property
    def config(self) -> HostConfig:
        """What host.json says."""

    @property
    def message_lock(self) -> timedelta:
        """For how long a message is hidden at a time while its function runs."""


@dataclass(frozen=True, slots=True)
class Source:
    """One function and its queue; `running` are the messages in work."""

    function: Function
    queue: QueueClient
    poison: QueueClient | None
    running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def facts(self) -> dict[str, str]:
        """What a log line says of it."""
        return {"function": self.function.name, "queue": str(self.queue.queue_name)}


class QueueListener:
    """Keeps one task per queue function, and one per message in work."""

    trigger = "queueTrigger"

    def __init__(self, surroundings: QueueSurroundings) -> None:
        self._settings = surroundings.settings
        self._options = surroundings.config.queues
        self._lock = surroundings.message_lock
        self._services: list[QueueServiceClient] = []
        self._sources: dict[str, Source] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Begin to poll; raises AppRefused for a queue name or a connection that no app setting gives."""
        self._invoke = invoke
        self._sources = {function.name: self._source(function) for function in functions}
        for source in self._sources.values():
            self._spawn(self._poll(source))

    def routes(self, _guard: object) -> Sequence[web.RouteDef]:
        """Listen at no address."""
        return ()

    def fire(self, function: str, given: str) -> None:
        """Run a function with the text `given`, as with a message that no queue holds."""
        source, now = self._sources[function], utc_now()
        times = {"inserted_on": now, "expires_on": now + _TIME_TO_LIVE, "next_visible_on": now}
        message = QueueMessage(given, id=str(uuid.uuid4()), dequeue_count=1, pop_receipt="", **times)
        self._spawn(self._fire(source, message))

    async def stop(self) -> None:
        """Poll no more; what is still running after two seconds is abandoned, and its message comes back."""
        for task in self._tasks:
            task.cancel()
        running = [task for source in self._sources.values() for task in source.running]
        if running:
            await asyncio.wait(running, timeout=_STOP_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*self._tasks, *running, return_exceptions=True)
        for service in self._services:
            await service.close()

    def _source(self, function: Function) -> Source:
        trigger = function.trigger
        try:
            name = resolved(trigger["queueName"], self._settings)
            service = _queue_service(connection(self._settings, trigger.get("connection") or STORAGE))
        except (AppRefused, ValueError) as error:
            raise AppRefused(f"function {function.name!r}: {error}") from error
        self._services.append(service)
        poison = poison_name(name)
        return Source(function, service.get_queue_client(name), service.get_queue_client(poison) if poison else None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _poll(self, source: Source) -> None:
        """Fetch messages for ever: at once while there are some, later and later while there are none."""
        empty, longest = 0, self._options.max_polling_interval.total_seconds()
        while True:
            if await self._fetch(source):
                empty = 0
                while len(source.running) > self._options.new_batch_threshold:
                    await asyncio.wait(source.running, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(backoff_seconds(empty, _SHORTEST_POLLING, longest, random_jitter()))
                empty += 1

    async def _fetch(self, source: Source) -> bool:
        """Take up to a batch of messages into work; a queue that is not there yet is waited for, as Azure does."""
        size, seconds = self._options.batch_size, _seconds(self._lock)
        found = False
        try:
            pages = source.queue.receive_messages(max_messages=size, messages_per_page=size, visibility_timeout=seconds)
            async for message in pages:
                found = True
                task = asyncio.create_task(self._work(source, message))
                source.running.add(task)
                task.add_done_callback(source.running.discard)
        except ResourceNotFoundError:
            _logger.debug("queue.absent", extra=source.facts)
        except AzureError as error:
            _logger.warning("queue.not_polled", extra={**source.facts, "error": str(error).splitlines()[0]})
        return found

    async def _work(self, source: Source, message: QueueMessage) -> None:
        try:
            await self._settle(source, message, await self._run_once(source, message))
        except Exception:  # a listener outlives whatever happens to one message; it comes back when its lock ends
            _logger.exception("queue.message_failed", extra={**source.facts, "message_id": message.id})

    async def _run_once(self, source: Source, message: QueueMessage) -> Settlement:
        body = decoded(message.content, is_base64=self._options.base64)
        count, most = message.dequeue_count or 1, self._options.max_dequeue_count
        if body is None or count > most:
            return Settlement.POISON if source.poison else Settlement.LEAVE
        value = trigger_value(body, source.function.trigger.get("dataType", ""))
        async with self._hidden(source, message):
            succeeded = value is not None and await self._succeeds(source, value, message)
        return settlement(succeeded=succeeded, dequeue_count=count, most=most, poison=source.poison is not None)

    async def _succeeds(self, source: Source, value: TypedData, message: QueueMessage) -> bool:
        given = Given(value, metadata(message))
        reason = f"New queue message detected on '{source.queue.queue_name}'."
        return (await self._invoke(source.function.name, given, reason=reason)).error is None

    async def _fire(self, source: Source, message: QueueMessage) -> None:
        value = trigger_value(message.content.encode(), source.function.trigger.get("dataType", ""))
        given = Given(value or TypedData(), metadata(message))
        await self._invoke(source.function.name, given, reason="This function was programmatically called")

    @asynccontextmanager
    async def _hidden(self, source: Source, message: QueueMessage) -> AsyncIterator[None]:
        """Keep a message hidden while the block runs, renewed when half its time is over."""
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(source, message, over))
        try:
            yield
        finally:
            over.set()  # not cancelled: a renewal under way brings the receipt that settles the message
            await renewing

    async def _renew(self, source: Source, message: QueueMessage, over: asyncio.Event) -> None:
        half, seconds = self._lock.total_seconds() / 2, _seconds(self._lock)
        pause = half
        while not await _is_set_within(over, pause):
            try:
                renewed = await source.queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
            except AzureError as error:
                _logger.warning("queue.not_renewed", extra={**source.facts, "error": str(error).splitlines()[0]})
                pause = half / 5
            else:
                message.pop_receipt, pause = renewed.pop_receipt, half

    async def _settle(self, source: Source, message: QueueMessage, what: Settlement) -> None:
        try:
            if what is Settlement.POISON and source.poison is not None:
                await _send_to_poison(source, source.poison, message)
            if what in {Settlement.DELETE, Settlement.POISON}:
                await source.queue.delete_message(message.id, message.pop_receipt)
            elif what is Settlement.RELEASE:
                seconds = _seconds(self._options.hidden_after_failure, least=0)
                await source.queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        except HttpResponseError as error:
            if not isinstance(error, ResourceNotFoundError) and getattr(error, "error_code", "") != _TAKEN:
                raise
            # Another host has it, since its lock ended; or it or the queue was deleted. As in Azure, that is no error.
            _logger.info("queue.message_gone", extra={**source.facts, "message_id": message.id})


def _queue_service(found: Connection) -> QueueServiceClient:
    """Make a client of an account's queues; it leaves texts as they are."""
    if found.string:
        return QueueServiceClient.from_connection_string(found.string, **STORAGE_RETRY)
    return QueueServiceClient(found.storage_address("queue"), found.credential(), **STORAGE_RETRY, **found.trust)


async def _send_to_poison(source: Source, poison: QueueClient, message: QueueMessage) -> None:
    facts = {**source.facts, "message_id": message.id, "dequeue_count": message.dequeue_count}
    _logger.warning("queue.poison", extra={**facts, "to": poison.queue_name})
    try:
        await poison.send_message(message.content)
    except ResourceNotFoundError:
        await poison.create_queue()
        await poison.send_message(message.content)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _seconds(span: timedelta, *, least: int = 1) -> int:
    return max(least, round(span.total_seconds()))
