"""Starts the host as a child process, and starts it again whenever it ends unexpectedly."""

import asyncio
import logging
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emulators.functions_host.errors import AppRefused
from emulators.functions_host.exits import READY, explain

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_STEADY = 30.0
_STOP_SECONDS = 4.5
_BACKLOG = 128
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hosting:
    """What to host and where; port 0 is any free port, which then stays the same over restarts.

    `polling`: how many seconds apart the queues of the task hub are looked into; 0 is at once.
    `message_lock`: how many seconds a message of a queue trigger is hidden at a time, and so for how long at most after
    the host died with it; in Azure it is ten minutes, and no setting changes that.
    """

    app: Path
    state: Path
    settings: Path
    port: int = 7071
    rpc_port: int = 17071
    enable_auth: bool = False
    polling: float = 0.0
    message_lock: float = 600.0


@asynccontextmanager
async def hosting(config: Hosting) -> AsyncIterator[Mapping[str, str]]:
    """Host an app for as long as the block runs; yields its addresses once it answers.

    The listening sockets belong to the supervisor: while a host is being replaced, callers wait instead of being
    refused. Raises AppRefused when the first host ends before it serves (its reason is on standard error by then),
    OSError when a port is taken.
    """
    with _listening(config.port) as http, _listening(config.rpc_port) as rpc:
        supervisor = Supervisor(_command(config, http.fileno(), rpc.fileno()), (http.fileno(), rpc.fileno()))
        await supervisor.start()
        try:
            yield {"http": f"http://127.0.0.1:{http.getsockname()[1]}"}
        finally:
            await supervisor.stop()


class Supervisor:
    """One child process at a time, made from `command`, inheriting the listening sockets."""

    def __init__(self, command: tuple[str, ...], sockets: tuple[int, ...]) -> None:
        self._command = command
        self._sockets = sockets

    async def start(self) -> None:
        """Start the first child and wait until it serves; raises AppRefused when it ends before that."""
        await self._spawn()
        if not await self._serves():
            raise AppRefused(f"the host did not start: {explain(await self._child.wait())}")
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ask the child to stop, and kill it when it has not within 4.5 s."""
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        if self._child.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._child.terminate()
        try:
            await asyncio.wait_for(self._child.wait(), _STOP_SECONDS)
        except TimeoutError:
            _logger.warning("host.killed: it had not stopped after %.1f s", _STOP_SECONDS)
            self._child.kill()
            await self._child.wait()

    async def _spawn(self) -> None:
        # In a session of its own, so that Ctrl-C reaches the supervisor alone; standard input is its lifeline.
        self._child: Process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, pass_fds=self._sockets, start_new_session=True
        )

    async def _serves(self) -> bool:
        return self._child.stdout is not None and await self._child.stdout.readline() == READY

    async def _keep(self) -> None:
        pause = 0.0
        while True:
            began = time.monotonic()
            code = await self._child.wait()
            pause = 0.0 if time.monotonic() - began > _STEADY else pause
            _logger.warning("host.ended: %s; starting it again in %.1f s", explain(code), pause)
            await asyncio.sleep(pause)
            pause = min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            try:
                await self._spawn()
            except OSError:
                _logger.exception("host.not_restarted")
                continue
            if await self._serves():
                _logger.info("host.restarted: process %d", self._child.pid)


def _command(config: Hosting, http: int, rpc: int) -> tuple[str, ...]:
    paths = ("--app", str(config.app), "--state", str(config.state), "--settings", str(config.settings))
    auth = ("--enable-auth",) if config.enable_auth else ()
    module = "emulators.functions_host.worker"
    numbers = ("--polling", str(config.polling), "--message-lock", str(config.message_lock))
    sockets = ("--http", str(http), "--rpc", str(rpc))
    return (sys.executable, "-m", module, *paths, *auth, *numbers, *sockets)


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
