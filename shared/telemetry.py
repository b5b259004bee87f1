"""How the app speaks to its log: an event's name, then its fields; Azure keeps a line's text and nothing else."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

# The fields by which lines are correlated, whatever the room they come from; they stand first.
CORRELATION = ("window", "slice", "attempt")


@dataclass(frozen=True, slots=True)
class _Line:
    logger: logging.Logger
    level: int
    text: str
    fault: BaseException | None


_held: ContextVar[list[_Line] | None] = ContextVar("lines of a thread, held for its loop", default=None)


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
    """Do `work` in a thread, and tell on the loop what it told there, when it has ended.

    Azure drops a line whose invocation it does not know. The worker for Python 3.13 finds that by the task that runs,
    or by the thread of a synchronous function; not in a thread that an asynchronous function began
    (Azure/azure-functions-python-worker#1860).
    """
    lines: list[_Line] = []

    def held() -> Answer:
        _held.set(lines)
        return work(*arguments, **named)

    try:
        return await asyncio.to_thread(held)
    finally:
        for line in lines:
            _write(line)


def _tell(
    logger: logging.Logger, level: int, event: str, fields: Mapping[str, object], fault: BaseException | None = None
) -> None:
    if not logger.isEnabledFor(level):
        return
    first = {name: fields[name] for name in CORRELATION if name in fields}
    ordered = first | {name: value for name, value in fields.items() if name not in first}
    text = " ".join([event, *(f"{name}={value}" for name, value in ordered.items())])
    line, held = _Line(logger, level, text, fault), _held.get()
    if held is None:
        _write(line)
    else:
        held.append(line)


def _write(line: _Line) -> None:
    line.logger.log(line.level, "%s", line.text, exc_info=line.fault)
