"""Azurite, kept: started, watched, started again when it dies, stopped cleanly."""

import asyncio
import logging
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from emulators.processes.children import Child, running_child
from emulators.processes.node_programs import NodeMissing, installed, node_command
from emulators.storage.account import connection_string

START_SECONDS = 30.0
STOP_SECONDS = 3.0
MOST_RESTARTS = 5
SOUND_SECONDS = 60.0

_SCRIPT = "azurite/dist/src/azurite.js"
_LISTENING = re.compile(rb"Azurite (Blob|Queue|Table) service is successfully listening at http://[^:]+:(\d+)")
_SERVICES = frozenset({"blob", "queue", "table"})
_logger = logging.getLogger(__name__)

type Ports = Mapping[str, int]
type Started = asyncio.Future[Ports]


class AzuriteFailed(Exception):
    """Azurite is not installed, did not start, or died more often than it is started again."""


@asynccontextmanager
async def kept_azurite(script: Path, location: Path, ports: Ports) -> AsyncIterator[dict[str, str]]:
    """Run Azurite on `ports` (`blob`, `queue`, `table`; 0 = any free one) with its data in `location`.

    `script` is its `azurite.js`.

    Yields the addresses: an endpoint per service, and `connection_string`. A dead Azurite is started again on the
    same ports, at most `MOST_RESTARTS` times in a row without a sound minute between; then this process is asked to
    end (SIGTERM) and leaving raises AzuriteFailed.
    """
    started: Started = asyncio.get_running_loop().create_future()
    keeper = asyncio.create_task(_keep(partial(_command, script, location), ports, started))
    try:
        either: set[asyncio.Future[Any]] = {keeper, started}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if keeper.done():
            keeper.result()
        keeper.add_done_callback(_end_process_after_failure)
        endpoints = {name: f"http://127.0.0.1:{port}" for name, port in started.result().items()}
        yield endpoints | {"connection_string": connection_string(endpoints)}
    finally:
        keeper.cancel()
        await asyncio.wait({keeper})
    if not keeper.cancelled():
        keeper.result()


def installed_azurite(folder: Path) -> Path:
    """Find Azurite as Node.js would, from a folder upwards; gives where it would be in `folder` if it is nowhere."""
    return installed(_SCRIPT, folder)


def _end_process_after_failure(keeper: asyncio.Task[None]) -> None:
    if not keeper.cancelled():
        signal.raise_signal(signal.SIGTERM)


async def _keep(command: Callable[[Ports], list[str]], ports: Ports, started: Started) -> None:
    restarts = 0
    while restarts <= MOST_RESTARTS:
        begun = time.monotonic()
        ports, code = await _run_once(command(ports), started)
        restarts = 1 if time.monotonic() - begun > SOUND_SECONDS else restarts + 1
        _logger.warning("storage.azurite_died code=%s restarts=%s", code, restarts)
    raise AzuriteFailed(f"Azurite died {restarts} times in a row: its last lines are in this log.")


async def _run_once(command: list[str], started: Started) -> tuple[Ports, int]:
    async with running_child(command, log=sys.stderr, grace=STOP_SECONDS) as azurite:
        found = await _listening_ports(azurite)
        _logger.info("storage.azurite_listens pid=%s ports=%s", azurite.pid, found)
        if not started.done():
            started.set_result(found)
        return found, await azurite.ended()


async def _listening_ports(azurite: Child) -> Ports:
    """Read Azurite's output until it has named the port of each service; it prints nothing between then and its end."""
    found: dict[str, int] = {}
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in azurite.output:
                if match := _LISTENING.search(line):
                    found[match[1].decode().lower()] = int(match[2])
                if found.keys() == _SERVICES:
                    return found
    except TimeoutError:
        raise AzuriteFailed(f"Azurite did not listen within {START_SECONDS:.0f} s.") from None
    raise AzuriteFailed(f"Azurite ended before it listened, with code {await azurite.ended()}: see its output above.")


def _command(script: Path, location: Path, ports: Ports) -> list[str]:
    chosen = [word for name, port in ports.items() for word in (f"--{name}Port", str(port))]
    try:
        return node_command(
            script,
            "azurite",
            "--azurite",
            *(str(script), "--location", str(location), *chosen),
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        )
    except NodeMissing as missing:
        raise AzuriteFailed(str(missing)) from None
