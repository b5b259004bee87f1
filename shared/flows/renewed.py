"""What is made of reference data, once and again when there is newer."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.errors import IngestionError, Unavailable

logger = logging.getLogger(__name__)

RENEW_EVERY: Final = timedelta(minutes=1)
"""So often it is asked whether there is newer reference data."""


@dataclass(slots=True)
class Renewed[Value]:
    """Gives what is made of the newest reference data; for any number of threads, one of which reads while others wait.

    name: the data's, for messages. newest: names what there is now, None where there is nothing. make: reads what
    `newest` named, and makes the value of it; raises ValueError for data that can't be read.
    """

    name: str
    newest: Callable[[], tuple[str, ...] | None]
    make: Callable[[tuple[str, ...]], Value]
    clock: Callable[[], datetime]
    _made: tuple[tuple[str, ...], Value] | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __call__(self) -> Value:
        """Give it; raises Unavailable where there was never anything to make it of.

        Where newer data can't be read, the value made before is used, and it is told in the log.
        """
        with self._lock:
            now = self.clock()
            if self._made is None or self._asked_at is None or now - self._asked_at >= RENEW_EVERY:
                self._renew()
                self._asked_at = now
            if self._made is None:
                raise Unavailable(f"There are no {self.name} yet.")
            return self._made[1]

    def _renew(self) -> None:
        try:
            newest = self.newest()
            if newest is not None and (self._made is None or newest != self._made[0]):
                self._made = newest, self.make(newest)
                telemetry.info(logger, "reference.renewed", name=self.name, version=", ".join(newest))
        except (IngestionError, ValueError) as error:
            if self._made is None:
                raise Unavailable(f"The {self.name} can't be read: {error}") from error
            telemetry.warning(logger, "reference.not_renewed", name=self.name, cause=error)
