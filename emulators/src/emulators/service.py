"""What every emulator does alike: announce its addresses once it listens, and run until SIGTERM or SIGINT."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager


def run_service(name: str, running: AbstractAsyncContextManager[Mapping[str, str]]) -> None:
    """Run one emulator until SIGTERM or SIGINT.

    `running` yields the addresses it listens on. They are printed to standard output as one JSON line,
    `{"service": name, "addresses": {...}}`, which is how a parent process learns that it is ready and where.
    Logs go to standard error.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {name} %(levelname)s %(message)s")
    asyncio.run(_announce_and_wait(name, running))


async def _announce_and_wait(name: str, running: AbstractAsyncContextManager[Mapping[str, str]]) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with running as addresses:
        sys.stdout.write(json.dumps({"service": name, "addresses": dict(addresses)}) + "\n")
        sys.stdout.flush()
        await stop.wait()
