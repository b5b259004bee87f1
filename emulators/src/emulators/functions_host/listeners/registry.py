"""What a listener is, and which ones there are: a new trigger type is a new module and one line in `LISTENERS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from aiohttp import web

from emulators.functions_host.app_worker import Function
from emulators.functions_host.durable.api import Handler
from emulators.functions_host.host_json import HostConfig
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.listeners.event_grid import EventGridListener
from emulators.functions_host.listeners.timer import TimerListener
from emulators.functions_host.memory import Memory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a listener may use: the app settings, a memory that outlives the host, and what host.json says.

    `message_lock`: for how long a queue message is hidden at a time while its function runs.
    """

    settings: Mapping[str, str]
    memory: Memory
    config: HostConfig = field(default_factory=HostConfig)
    message_lock: timedelta = timedelta(minutes=10)


class Listener(Protocol):
    """Waits for one type of trigger and invokes the functions that have it."""

    @property
    def trigger(self) -> str:
        """The binding type it serves."""

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Begin to listen for these functions; raises AppRefused when one of them can't be served."""

    def routes(self, guard: Callable[[str, Handler], Handler]) -> Sequence[web.RouteDef]:
        """Give the webhooks it listens at, each handler put by `guard` behind the level that is named."""

    def fire(self, function: str, given: str) -> None:
        """Run one of them now, in the background, with the input of POST /admin/functions/{name}.

        Raises ValueError where the input is none for this type of trigger.
        """

    async def stop(self) -> None:
        """Listen no more."""


def _queue_listener(surroundings: Surroundings) -> Listener:
    from emulators.functions_host.listeners.queue import QueueListener  # noqa: PLC0415 - the client is slow to import

    return QueueListener(surroundings)


def _event_hub_listener(surroundings: Surroundings) -> Listener:
    from emulators.functions_host.listeners.event_hub import EventHubListener  # noqa: PLC0415 - so are these clients

    return EventHubListener(surroundings)


LISTENERS: Mapping[str, Callable[[Surroundings], Listener]] = {
    "timerTrigger": TimerListener,
    "eventGridTrigger": EventGridListener,
    "queueTrigger": _queue_listener,
    "eventHubTrigger": _event_hub_listener,
}
"""Makes the listener of each type of trigger; one that no function of the app has is never made."""
