"""Child processes that never outlive their parent: start one, follow its output, stop it with all it started."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

STOP_SECONDS = 5.0

_LAUNCHER = Path(__file__).with_name("launcher.py")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """A process we started, and what it writes to its standard output."""

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self.process.pid

    async def ended(self) -> int:
        """Wait until the process ends, whoever may still hold its output; its exit code, or minus the signal."""
        return await self.process.wait()


@asynccontextmanager
async def running_child(
    command: Sequence[str],
    *,
    log: IO[Any],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    grace: float = STOP_SECONDS,
) -> AsyncIterator[Child]:
    """Run `command` in a process group of its own, its standard output piped to us and its errors to `log`.

    On leaving, the child gets SIGTERM and, after `grace` seconds, its whole group SIGKILL. Should this process itself
    be killed, so is the child. `folder` and `environment` replace ours where given.
    """
    async with _pipe() as (output, sink):
        process = await asyncio.create_subprocess_exec(
            *_tied_to_us(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=log,
            process_group=0,
            cwd=folder,
            env=environment,
        )
        sink.close()
        try:
            yield Child(process, output)
        finally:
            await _stop(process, grace)


def _tied_to_us(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, IO[bytes]]]:
    """Open a pipe of our own: asyncio's makes `wait()` last until every heir of the output has closed it."""
    source, sink = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb"))
    with os.fdopen(sink, "wb") as heirs_end:
        try:
            yield reader, heirs_end
        finally:
            transport.close()


async def _stop(process: asyncio.subprocess.Process, grace: float) -> None:
    try:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        _logger.warning("child.killed pid=%s grace_seconds=%s", process.pid, grace)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
