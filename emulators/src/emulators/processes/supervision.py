"""One service as a child process: started until it announces itself, logged to its file, its end reported."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from emulators.processes.children import STOP_SECONDS, Child, running_child

START_SECONDS = 60.0
LAST_LINES = 15


class ServiceFailed(Exception):
    """A service did not start, or ended while it was needed."""


@dataclass(frozen=True, slots=True)
class StartedService:
    """A service that listens: its name, what it announced, its process and its log."""

    name: str
    addresses: Mapping[str, str]
    child: Child
    log: Path

    async def failure(self) -> ServiceFailed:
        """Wait until the process ends and describe that with the last lines of its log."""
        code = await self.child.ended()
        return ServiceFailed(f"{self.name} ended with code {code}. {last_lines(self.log)}")


@asynccontextmanager
async def supervised_service(
    name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path | None = None
) -> AsyncIterator[StartedService]:
    """Run one service from its ready line to the end of the block; ServiceFailed where it does not get ready.

    `folder` is its working folder, ours where none is given.
    """
    with log.open("ab") as sink:
        child_running = running_child(command, log=sink, folder=folder, environment=environment, grace=STOP_SECONDS)
        async with child_running as child:
            addresses = await _announcement(name, child, log)
            drain = asyncio.create_task(_drain(child.output, sink))
            try:
                yield StartedService(name, addresses, child, log)
            finally:
                drain.cancel()


def last_lines(log: Path) -> str:
    """Quote the end of a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join([f"The last lines of {log}:", *(f"    {line}" for line in lines or ["(nothing)"])])


async def _announcement(name: str, child: Child, log: Path) -> Mapping[str, str]:
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await child.output.readline()
    except TimeoutError:
        raise ServiceFailed(f"{name} did not start within {START_SECONDS:.0f} s. {last_lines(log)}") from None
    if not line:
        raise ServiceFailed(f"{name} ended at start with code {await child.ended()}. {last_lines(log)}")
    return _addresses(name, line)


def _addresses(name: str, line: bytes) -> Mapping[str, str]:
    try:
        announced: dict[str, str] = json.loads(line)["addresses"]
    except (ValueError, KeyError, TypeError):
        raise ServiceFailed(f"{name} announced {line[:200]!r}, not a JSON object with addresses.") from None
    return announced


async def _drain(output: asyncio.StreamReader, sink: BinaryIO) -> None:
    async for line in output:
        sink.write(line)
        sink.flush()
