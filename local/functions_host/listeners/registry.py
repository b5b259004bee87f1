"""What a listener is, and which ones there are: a new trigger type is a new module and one name in `LISTENERS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.functions_host.app_worker import Function
from local.functions_host.invoker import Invoker
from local.functions_host.listeners.timer import TimerListener
from local.functions_host.memory import Memory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a listener may use: the app settings, and a memory that outlives the host."""

    settings: Mapping[str, str]
    memory: Memory


class Listener(Protocol):
    """Waits for one type of trigger and invokes the functions that have it."""

    @property
    def trigger(self) -> str:
        """The binding type it serves."""

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Begin to listen for these functions; raises AppRefused when one of them can't be served."""

    def fire(self, function: str) -> None:
        """Run one of them now, in the background, as POST /admin/functions/{name} asks."""

    async def stop(self) -> None:
        """Listen no more."""


LISTENERS: tuple[Callable[[Surroundings], Listener], ...] = (TimerListener,)
