"""A task's process: it runs in a group of its own, dies with the service, and stops on request."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import psutil

from emulators.databricks.programs import RUN_MARK, Program
from emulators.processes.children import Child, running_child

_CHUNK = 65_536
_END_SECONDS = 2.0
_DRAIN_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def run_program(
    program: Program, halt: asyncio.Event, *, kill_after: float, started: Callable[[int], None]
) -> int:
    """Run a program to its end and return its exit code, or minus the signal that ended it.

    Once `halt` is set, its group gets SIGTERM, and SIGKILL `kill_after` seconds later. `started` is called with its
    process id. Nothing that carries its mark outlives it.
    """
    try:
        with program.log.open("ab") as sink:
            async with running_child(
                program.command, log=sink, folder=program.folder, environment=program.environment, grace=_END_SECONDS
            ) as child:
                started(child.pid)
                draining = asyncio.create_task(_drain(child.output, sink))
                code = await _ended_or_halted(child, halt, kill_after)
                kill_marked(program.mark)  # an heir of the output would keep it open
                await asyncio.wait({draining}, timeout=_DRAIN_SECONDS)
                draining.cancel()
        return code
    finally:
        kill_marked(program.mark)


def kill_marked(mark: str) -> list[int]:
    """Kill every process whose mark begins like this and return their ids."""
    found = [process for process in psutil.process_iter() if _mark_of(process).startswith(mark)]
    for process in found:
        logger.info("databricks.process_left_over pid=%s mark=%s", process.pid, mark)
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return [process.pid for process in found]


async def _ended_or_halted(child: Child, halt: asyncio.Event, kill_after: float) -> int:
    ending, halting = asyncio.create_task(child.ended()), asyncio.create_task(halt.wait())
    try:
        await asyncio.wait({ending, halting}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            _signal_group(child, signal.SIGTERM)
            await asyncio.wait({ending}, timeout=kill_after)
        if not ending.done():
            _signal_group(child, signal.SIGKILL)
        return await ending
    finally:
        halting.cancel()
        ending.cancel()


def _signal_group(child: Child, signal_number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal_number)


async def _drain(output: asyncio.StreamReader, sink: BinaryIO) -> None:
    while chunk := await output.read(_CHUNK):
        sink.write(chunk)
        sink.flush()


def _mark_of(process: psutil.Process) -> str:
    try:
        return process.environ().get(RUN_MARK, "")
    except (psutil.Error, OSError):
        return ""
