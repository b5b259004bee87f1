"""How the app speaks to its log: an event's name, then its fields; Azure keeps a line's text and nothing else."""

import logging
from collections.abc import Mapping

# The fields by which lines are correlated, whatever the room they come from; they stand first.
CORRELATION = ("window", "slice", "attempt")


def info(logger: logging.Logger, event: str, **fields: object) -> None:
    """Tell an outcome: `window.started window=trades-20261122T100000Z`."""
    _tell(logger, logging.INFO, event, fields)


def warning(logger: logging.Logger, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
    """Tell what a person may have to look at; the text of `cause` is a field of its own."""
    _tell(logger, logging.WARNING, event, fields if cause is None else {**fields, "cause": f"{cause}"})


def _tell(logger: logging.Logger, level: int, event: str, fields: Mapping[str, object]) -> None:
    if not logger.isEnabledFor(level):
        return
    first = {name: fields[name] for name in CORRELATION if name in fields}
    ordered = first | {name: value for name, value in fields.items() if name not in first}
    text = " ".join([event, *(f"{name}={value}" for name, value in ordered.items())])
    logger.log(level, "%s", text)
