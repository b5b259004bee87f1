"""Which invocation a line of the log belongs to, found as Azure's worker for Python 3.13 finds it.

Its tasks carry the id of the invocation that made them, and azure-functions-runtime sets a context variable in the
thread of a synchronous function. A thread that an asynchronous function starts has neither, though `asyncio.to_thread`
copies its context: the host drops what is logged there (Azure/azure-functions-python-worker#1860).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from azure_functions_runtime import invocation_id_cv

_of_task: ContextVar[tuple[asyncio.AbstractEventLoop, str] | None] = ContextVar("invocation of a task", default=None)


@contextmanager
def invoking(invocation: str) -> Iterator[None]:
    """Let the tasks of this loop that begin in the block belong to `invocation`."""
    token = _of_task.set((asyncio.get_running_loop(), invocation))
    try:
        yield
    finally:
        _of_task.reset(token)


def current_invocation() -> str | None:
    """Give the id of the invocation that runs here; None where Azure's worker would not know it."""
    held = _of_task.get()
    if held is not None and _runs_a_task_of(held[0]):
        return held[1]
    found: str | None = invocation_id_cv.get()
    return found


def _runs_a_task_of(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop and asyncio.current_task() is not None
    except RuntimeError:
        return False
