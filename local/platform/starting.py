"""Start the whole platform, each service as soon as those it needs are there, and stop it in the opposite order."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulators.entra.identities import Identities
from emulators.processes.supervision import ServiceFailed, StartedService, supervised_service
from emulators.tls import make_tls_files
from local.clone import ROOT
from local.platform.enrichment import job_variables, service_secrets, subscribe_app
from local.platform.listening import forget_checkpoints, settings_of_app
from local.platform.ports import check_free
from local.platform.preparing import prepare
from local.platform.references import ask_for_references
from local.platform.running import Running
from local.platform.services import DATABRICKS, FUNCTIONS, STORAGE, Choices, Service, services
from local.platform.state import State, held_state

type Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Platform:
    """A started platform: the value that describes it, and the processes behind it."""

    running: Running
    started: Sequence[StartedService]

    async def failure(self) -> ServiceFailed:
        """Wait until any service ends by itself and say which."""
        waiting = [asyncio.create_task(service.failure()) for service in self.started]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in waiting:
                task.cancel()


@asynccontextmanager
async def running_platform(
    folder: Path, choices: Choices, *, clear: bool, progress: Progress = lambda _: None
) -> AsyncIterator[Platform]:
    """Run a platform whose state is kept in `folder` until the end of the block; nothing of it is left running.

    `progress` is called with each service as it gets ready. Raises PortTaken, AlreadyRunning or ServiceFailed, each a
    message to show as it is.
    """
    with held_state(folder) as state:
        listed = services(choices, state)
        check_free(choices.ports, frozenset(service.name for service in listed))
        identities = prepare(state, clear=clear, listened=choices.listened_hubs)
        make_tls_files(state.tls)
        async with AsyncExitStack() as stack:
            start = _Start(choices, state, identities, stack, progress)
            await start.all(listed)
            await asyncio.to_thread(subscribe_app, start.running())
            await asyncio.to_thread(ask_for_references, start.running())
            yield Platform(start.running(), tuple(start.started.values()))


@dataclass(slots=True)
class _Start:
    """The start of a platform in progress."""

    choices: Choices
    state: State
    identities: Identities
    stack: AsyncExitStack
    progress: Progress
    ready: dict[str, asyncio.Event] = field(default_factory=dict)
    started: dict[str, StartedService] = field(default_factory=dict)

    async def all(self, listed: Sequence[Service]) -> None:
        self.ready = {service.name: asyncio.Event() for service in listed}
        try:
            async with asyncio.TaskGroup() as group:
                for service in listed:
                    group.create_task(self._one(service))
        except* ServiceFailed as failures:
            raise failures.exceptions[0] from None

    def running(self) -> Running:
        return Running(
            state=self.state,
            identities=self.identities,
            addresses={name: service.addresses for name, service in self.started.items()},
            process_ids={name: service.child.pid for name, service in self.started.items()},
        )

    async def _one(self, service: Service) -> None:
        for name in service.after:
            await self.ready[name].wait()
        context = supervised_service(
            service.name,
            service.command(self.running().addresses, self._arguments_of(service)),
            log=self.state.logs / f"{service.name}.log",
            environment=dict(os.environ) | self._settings_of(service),
            folder=ROOT,
        )
        started = self.started[service.name] = await self.stack.enter_async_context(context)
        if service.name == STORAGE:
            await asyncio.to_thread(forget_checkpoints, started.addresses)
        self.ready[service.name].set()
        self.progress(service.name)

    def _settings_of(self, service: Service) -> dict[str, str]:
        running = self.running()
        if service.name != FUNCTIONS:
            return service_secrets(service.name, running)
        chosen = {**self.choices.settings, **self.choices.settings_at_start()}
        return settings_of_app(running, self.choices) | chosen

    def _arguments_of(self, service: Service) -> Sequence[str]:
        """Write the arguments that go over a service's own: for the Jobs service the bundle's variables come first."""
        more = self.choices.arguments.get(service.name, ())
        if service.name != DATABRICKS:
            return more
        variables = job_variables(self.running().addresses, self.state, self.identities)
        named = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
        return [*named, *more]
