"""Redrivers as a host runs them: one that serves the queue, and ones that are killed in the middle of their work."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueClient, QueueMessage, TextBase64DecodePolicy

from shared.clients.event_hubs.hubs import AzureEventHubs, EventHubs, HubConnection
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.spill import QUEUE, Spill, blob_spill
from shared.domain.delivery import Delivery, Event
from shared.errors import IngestionError
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools
from tests.faults.storage import Store
from tests.integration.sending.stage import Platform

MOST_DEQUEUES, SIDE_BY_SIDE = 5, 4


async def _nobody(window_id: str) -> None:
    """Tell nobody that a window is drained."""


def tools_of(spill: Spill, hubs: EventHubs) -> RedriveTools:
    return RedriveTools(
        spill,
        lambda batch, _, on_refusal: hubs.sender(batch.hub, on_refusal),
        lambda: datetime.now(UTC),
        lambda: 0.5,
        "pass",
        _nobody,
    )


@dataclass
class Host:
    """Serves the queue of the spill as a queue trigger does: at least once, poison after five, some side by side.

    poison: what was dequeued five times in vain.
    """

    queue: QueueClient
    tools: RedriveTools
    served: int = 0
    poison: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, connection: str, tools: RedriveTools) -> "Host":
        policy = TextBase64DecodePolicy()
        return cls(QueueClient.from_connection_string(connection, QUEUE, message_decode_policy=policy), tools)

    async def serve(self, done: Callable[[], bool]) -> None:
        """Serve messages until it is `done`, which is asked now and then."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(SIDE_BY_SIDE):
                group.create_task(self._serve(over))
            while not await asyncio.to_thread(done):  # noqa: ASYNC110 (storage can only be asked)
                await asyncio.sleep(0.3)
            over.set()

    async def _serve(self, over: asyncio.Event) -> None:
        while not over.is_set():
            message = await asyncio.to_thread(self._next)
            if message is None:
                await asyncio.sleep(0.2)
            else:
                await self._handle(message)

    def _next(self) -> QueueMessage | None:
        with contextlib.suppress(HttpResponseError):
            return self.queue.receive_message(visibility_timeout=30)
        return None

    async def _handle(self, message: QueueMessage) -> None:
        self.served += 1
        if message.dequeue_count > MOST_DEQUEUES:
            self.poison.append(message.content)
        else:
            try:
                await redrive(self.tools, message.content.encode())
            except IngestionError:  # the message comes again
                await self._put(self.queue.update_message, message, visibility_timeout=1)
                return
        await self._put(self.queue.delete_message, message)

    async def _put(self, verb: Callable[..., Any], message: QueueMessage, **options: int) -> None:
        with contextlib.suppress(HttpResponseError):  # then it comes again by itself
            await asyncio.to_thread(lambda: verb(message, **options))


@dataclass
class Steps:
    """Kills this process, as SIGKILL does, before its `last` step: steps are counted before and after each effect."""

    last: int
    taken: int = 0

    def take(self) -> None:
        self.taken += 1
        if self.taken >= self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalSpill:
    """A spill of which every verb is two steps: before its effect, and after it."""

    def __init__(self, spill: Spill, steps: Steps) -> None:
        self._spill = spill
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._spill, name)

        def stepping(*arguments: object, **options: object) -> object:
            self._steps.take()
            answer = verb(*arguments, **options)
            self._steps.take()
            return answer

        return stepping


@dataclass
class MortalHubs:
    """Hubs of which every send is two steps."""

    hubs: EventHubs
    steps: Steps

    @contextlib.asynccontextmanager
    async def sender(self, hub: str, on_refusal: Any = None) -> AsyncIterator["MortalHubs"]:
        async with self.hubs.sender(hub, on_refusal) as self._sender:
            yield self

    async def send(self, events: Sequence[Event]) -> Delivery:
        self.steps.take()
        delivery = await self._sender.send(events)
        self.steps.take()
        return delivery


@dataclass(frozen=True)
class Death:
    """A redriver that is killed at its `last` step while it works on the batch at `path`."""

    path: str
    last: int


def kill_redrivers(store: Store, platform: Platform, deaths: Sequence[Death]) -> list[int]:
    """Run redrivers side by side, each in a process of its own; gives the signal or code that ended each."""
    order = {
        "storage": store.connection,
        "connection": asdict(platform.connection()),
        "login": asdict(platform.login()),
        "deaths": [asdict(death) for death in deaths],
    }
    command = [sys.executable, "-m", __name__]
    run = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=True)
    return list(json.loads(run.stdout))


def main() -> None:
    """Fork one redriver a death, from a process that runs no thread yet."""
    order = json.load(sys.stdin)
    account = Account(order["storage"], "", FakeIdentity())
    spill = blob_spill(account, account)
    hubs = AzureEventHubs(HubConnection(**order["connection"]), make_identity(ServicePrincipal(**order["login"])))
    children = [_fork(spill, hubs, Death(**death)) for death in order["deaths"]]
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))


def _fork(spill: Spill, hubs: EventHubs, death: Death) -> int:
    child = os.fork()
    if child:
        return child
    steps, code = Steps(death.last), 1
    body = json.dumps({"version": 1, "path": death.path}).encode()
    with contextlib.suppress(BaseException):
        asyncio.run(redrive(tools_of(MortalSpill(spill, steps), MortalHubs(hubs, steps)), body))
        code = 0
    os._exit(code)


if __name__ == "__main__":
    main()
