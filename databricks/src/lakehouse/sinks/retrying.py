"""Tries again what a database or a service that is away for a while refuses."""

import logging
from collections.abc import Callable, Sequence

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

logger = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)
"""Seconds between tries: some two and a half minutes in all, so that a minute's outage is outlived."""


def with_retries[Result](
    what: str, act: Callable[[], Result], sleep: Callable[[float], None], waits: Sequence[float] = WAITS
) -> Result:
    """Do what may be done twice until it succeeds; raises the last failure after the last wait."""
    for wait in waits:
        try:
            return act()
        except (Py4JError, PySparkException) as failure:
            logger.warning("%s failed, again in %s s: %s", what, wait, _first_line(failure))
        sleep(wait)
    return act()


def _first_line(failure: Exception) -> str:
    return str(failure).partition("\n")[0][:300]
