"""`@vercel/cosmosdb-server`, the program from npm that keeps the items and answers queries, as a child process."""

import asyncio
import logging
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from emulators.processes.children import Child, running_child
from emulators.processes.node_programs import installed, node_command

PACKAGE: Final = "@vercel/cosmosdb-server"
START_SECONDS: Final = 30.0

_PROGRAM: Final = (  # its own command closes the connection after each answer
    "const server = require(process.argv[1]).createHttpServer({ keepAlive: true });"
    "server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));"
)
_LISTENING: Final = re.compile(rb"port (\d+)")
_logger = logging.getLogger(__name__)


class CosmosServerFailed(Exception):
    """The program did not start, or ended."""


@asynccontextmanager
async def running_node_server(package: Path) -> AsyncIterator[str]:
    """Run the program of this package folder; yields its address.

    It keeps everything in memory, so it is not started again: where it ends, this process is asked to end too
    (SIGTERM), and leaving raises CosmosServerFailed. Raises NodeMissing where it is not installed.
    """
    async with running_child(
        node_command(package, PACKAGE, "--server", "-e", _PROGRAM, str(package)), log=sys.stderr
    ) as child:
        port = await _port(child)
        watching = asyncio.create_task(_end_with(child))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        if not watching.cancelled():
            watching.result()


def installed_package(folder: Path) -> Path:
    """Find the package as Node.js would, from a folder upwards."""
    return installed(PACKAGE, folder)


async def _port(child: Child) -> int:
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in child.output:
                if match := _LISTENING.match(line):
                    return int(match[1])
    except TimeoutError:
        raise CosmosServerFailed(f"cosmosdb-server did not listen within {START_SECONDS:.0f} s.") from None
    raise CosmosServerFailed(f"cosmosdb-server ended before it listened, with code {await child.ended()}.")


async def _end_with(child: Child) -> None:
    code = await child.ended()
    _logger.error("cosmos.server_died code=%s", code)
    signal.raise_signal(signal.SIGTERM)
    raise CosmosServerFailed(f"cosmosdb-server ended with code {code}, and all items with it: see the log.")
