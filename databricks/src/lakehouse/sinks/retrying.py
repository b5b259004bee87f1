"""Tries again what a database or a service that is away for a while refuses."""

import logging
from collections.abc import Callable, Sequence

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

logger = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)
"""Seconds between tries: some two and a half minutes in all, so that a minute's outage is outlived."""

_REFUSED_VALUES = (
    "SQLITE_CONSTRAINT_CHECK",
    "SQLITE_CONSTRAINT_NOTNULL",
    "String or binary data would be truncated",
    "Cannot insert the value NULL into column",
    "Arithmetic overflow error",
)
"""What databases say of values that they can't hold; no other try cures that."""


def with_retries[Result](
    what: str, act: Callable[[], Result], sleep: Callable[[float], None], waits: Sequence[float] = WAITS
) -> Result:
    """Do what may be done twice until it succeeds; raises the last failure, at once where values were refused."""
    for wait in waits:
        try:
            return act()
        except (Py4JError, PySparkException) as failure:
            message = str(failure)
            if any(words in message for words in _REFUSED_VALUES):
                raise
            logger.warning("%s failed, again in %s s: %s", what, wait, _reason(message))
        sleep(wait)
    return act()


def _reason(message: str) -> str:
    """Give the first line that says why; py4j's own first line says only that something failed in Java."""
    first, _, rest = message.partition("\n")
    reason = rest if rest and first.startswith("An error occurred while calling") else first
    return reason.partition("\n")[0].removeprefix(": ")[:300]
