"""How the app speaks to its log: an event's name, then its fields; Azure keeps a line's text and nothing else."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

CORRELATION: Final = ("feed", "window", "slice", "attempt")
"""The fields by which lines are correlated, whatever the room they come from; they stand first."""

LIBRARIES: Final = (
    *("azure", "msal", "uamqp", "aiohttp", "requests", "urllib3", "charset_normalizer"),
    *("opentelemetry", "sqlalchemy", "faker", "croniter", "asyncio", "concurrent"),
)
"""The loggers of what the app is built on. At INFO, the worker's level, their lines are hundreds for each of ours."""

_work: ContextVar[Mapping[str, object]] = ContextVar("work", default={})  # noqa: B039 - nobody writes into it


def quieten_libraries() -> None:
    """Let the libraries tell what is wrong, and nothing else; host.json can't, for its categories are .NET's."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Add fields to every line of the block, whoever writes it: also in tasks and threads that are begun in it."""
    token = _work.set({**_work.get(), **fields})
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


def _tell(logger: logging.Logger, level: int, event: str, fields: Mapping[str, object]) -> None:
    if not logger.isEnabledFor(level):
        return
    known = _with_feed({**_work.get(), **fields})
    first = {name: known[name] for name in CORRELATION if name in known}
    ordered = first | {name: value for name, value in known.items() if name not in first}
    text = " ".join([event, *(f"{name}={value}" for name, value in ordered.items())])
    logger.log(level, "%s", text)


def _with_feed(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Add the feed where the window is known: its id begins with that."""
    feed, _, _ = str(fields.get("window") or "").rpartition("-")
    return {"feed": feed, **fields} if feed else fields
