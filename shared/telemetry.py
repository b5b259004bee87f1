"""How the app speaks to its log: an event's name, then its fields, as text; and the fields once more, each by itself.

The host keeps a line's text alone. What sends lines to Application Insights finds `fields` at each record.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Final

from shared.domain.windows.window import feed_of

CORRELATION: Final = ("feed", "window", "slice", "attempt")
"""The fields by which lines are correlated, whatever the room they come from; they stand first."""

LIBRARIES: Final = (
    *("azure", "msal", "uamqp", "aiohttp", "requests", "urllib3", "charset_normalizer"),
    *("opentelemetry", "sqlalchemy", "faker", "croniter", "asyncio", "concurrent"),
)
"""The loggers of what the app is built on. At INFO, the worker's level, their lines are hundreds for each of ours."""


@dataclass(frozen=True, slots=True)
class _Line:
    logger: logging.Logger
    level: int
    text: str
    fields: Mapping[str, object]
    fault: BaseException | None


_held: ContextVar[list[_Line] | None] = ContextVar("lines that are told later, from another thread", default=None)
_work: ContextVar[Mapping[str, object] | None] = ContextVar("what the work at hand is about", default=None)


def quieten_libraries() -> None:
    """Let the libraries tell what is wrong, and nothing else; host.json can't, for its categories are .NET's."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Add fields to every line of the block, whoever writes it: also in tasks and threads that are begun in it."""
    token = _work.set({**(_work.get() or {}), **fields})
    try:
        yield
    finally:
        _work.reset(token)


def info(logger: logging.Logger, event: str, **fields: object) -> None:
    """Tell an outcome: `window.started window=trades-20261122T100000Z`."""
    _tell(logger, logging.INFO, event, fields)


def warning(logger: logging.Logger, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
    """Tell what a person may have to look at; the text of `cause` is a field of its own."""
    _tell(logger, logging.WARNING, event, fields if cause is None else {**fields, "cause": f"{cause}"})


def error(logger: logging.Logger, event: str, *, cause: BaseException, **fields: object) -> None:
    """Tell a fault of the app's own code, with its stack."""
    _tell(logger, logging.ERROR, event, {**fields, "cause": f"{cause}"}, cause)


async def in_thread[**P, Answer](work: Callable[P, Answer], *arguments: P.args, **named: P.kwargs) -> Answer:
    """Do `work` in a thread, and tell on the loop what it told there, when it has ended."""
    with logged_here():
        return await asyncio.to_thread(work, *arguments, **named)


def in_threads[Item, Answer](work: Callable[[Item], Answer], items: Iterable[Item], *, most: int) -> list[Answer]:
    """Do `work` for each item in threads, `most` at once, and tell what it told there from here, at the end.

    Gives the answers in the order of the items. Raises what the first of them that failed did; then none is begun.
    """
    with logged_here(), ThreadPoolExecutor(most) as pool:
        tasks = [partial(copy_context().run, work, item) for item in items]
        return list(pool.map(lambda task: task(), tasks))


@contextmanager
def logged_here() -> Iterator[None]:
    """Tell at the block's end, from where it stands, what was told in it, in threads and on loops that it handed to.

    Azure drops a line whose invocation it does not know. The worker for Python 3.13 finds that by the task that runs,
    or by the thread of a synchronous function; not in a thread that a function began
    (Azure/azure-functions-python-worker#1860).
    """
    lines: list[_Line] = []
    token = _held.set(lines)
    try:
        yield
    finally:
        _held.reset(token)
        for line in lines:
            _keep_or_write(line)


def _tell(
    logger: logging.Logger, level: int, event: str, fields: Mapping[str, object], fault: BaseException | None = None
) -> None:
    if not logger.isEnabledFor(level):
        return
    known = _with_feed({**(_work.get() or {}), **fields})
    first = {name: known[name] for name in CORRELATION if name in known}
    ordered = first | {name: value for name, value in known.items() if name not in first}
    text = " ".join([event, *(f"{name}={value}" for name, value in ordered.items())])
    _keep_or_write(_Line(logger, level, text, {"event": event, **ordered}, fault))


def _with_feed(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Add the feed where the window is known: its id begins with that."""
    feed = feed_of(str(fields.get("window") or ""))
    return {"feed": feed, **fields} if feed else fields


def _keep_or_write(line: _Line) -> None:
    held = _held.get()
    if held is None:
        # Under one name: a field may be called as an attribute of every record is, and logging refuses such.
        line.logger.log(line.level, "%s", line.text, exc_info=line.fault, extra={"fields": line.fields})
    else:
        held.append(line)
