"""Work in processes that are killed: made anew in milliseconds, since they are forked from one that has imported all.

The work is a function of a module, its arguments can be pickled. Whatever it holds in memory is gone with it.
"""

import multiprocessing
import multiprocessing.forkserver
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

_LONGEST = 60.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.slice_process", "tests.faults.promoting"])

ON_SIGTERM = 143
"""The exit code of a worker that Azure ends."""


def prepare() -> None:
    """Start the process from which all are forked, which imports for seconds; the caller goes on meanwhile."""
    multiprocessing.forkserver.ensure_running()


def run(work: Callable[..., None], *given: Any) -> float:
    """Run the work to its end, and give the seconds that it took; raises AssertionError where it fails."""
    began = time.perf_counter()
    process = _started(work, *given)
    process.join(_LONGEST)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0, f"the work ended with {process.exitcode}"
    return time.perf_counter() - began


def kill(work: Callable[..., None], *given: Any, after: float, by: signal.Signals) -> bool:
    """Kill the work after so many seconds; say whether it was killed before it had ended."""
    process = _started(work, *given)
    process.join(after)
    if process.exitcode is not None:
        return False
    _end(process, by)
    assert process.exitcode in {0, -by, ON_SIGTERM}, f"the work ended with {process.exitcode}"
    return process.exitcode != 0


def kill_at_halt(work: Callable[..., None], *given: Any, by: signal.Signals) -> None:
    """Kill the work where it says that it stands still; its last argument is the connection by which it says so."""
    told, telling = _CONTEXT.Pipe(duplex=False)
    with told, telling:
        process = _started(work, *given, telling)
        assert told.poll(_LONGEST), "the work never stood still"
        _end(process, by)
    assert process.exitcode in {-by, ON_SIGTERM}, f"the work ended with {process.exitcode}"


def halt(telling: Connection) -> None:
    """Say that the work stands still, and wait for the signal that ends it."""
    telling.send_bytes(b"halted")
    signal.pause()


def _started(work: Callable[..., None], *given: Any) -> BaseProcess:
    process = _CONTEXT.Process(target=_work, args=(work, *given))
    process.start()
    return process


def _end(process: BaseProcess, by: signal.Signals) -> None:
    process.kill() if by == signal.SIGKILL else process.terminate()
    process.join(_LONGEST)


def _work(work: Callable[..., None], *given: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ON_SIGTERM))
    work(*given)
