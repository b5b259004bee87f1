"""The lookups of stores and promotions, read once and again when newer ones are there."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.reference import Reference
from shared.errors import IngestionError, Unavailable
from shared.flows.lookups import folder_of
from shared.promotions.points import PromotedPlaces

logger = logging.getLogger(__name__)

LOOKUPS: Final = ("stores", "promotions_of_stores")
RENEW_EVERY: Final = timedelta(minutes=1)
"""So often it is asked whether there are newer lookups."""


@dataclass(slots=True)
class RenewedPlaces:
    """Gives the places of the newest lookups; for any number of threads, one of which reads while the others wait.

    make: builds them of the files of stores and of their promotions; raises ValueError for a file that is none.
    """

    reference: Reference
    make: Callable[[bytes, bytes], PromotedPlaces]
    clock: Callable[[], datetime]
    _places: PromotedPlaces | None = field(default=None, init=False)
    _paths: tuple[str, ...] = field(default=(), init=False)
    _asked_at: datetime | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __call__(self) -> PromotedPlaces:
        """Give them; raises Unavailable or LoginRefused where none were ever read.

        Where newer ones can't be read, those before are used, and it is told in the log.
        """
        with self._lock:
            now = self.clock()
            if self._places is None or self._asked_at is None or now - self._asked_at >= RENEW_EVERY:
                self._renew()
                self._asked_at = now
            if self._places is None:
                raise Unavailable(f"There are no lookups {' and '.join(LOOKUPS)} yet.")
            return self._places

    def _renew(self) -> None:
        try:
            paths = tuple(path for name in LOOKUPS if (path := self.reference.newest(folder_of(name))))
            if len(paths) == len(LOOKUPS) and paths != self._paths:
                stores, promotions = (self._read(path) for path in paths)
                self._places, self._paths = self.make(stores, promotions), paths
                telemetry.info(logger, "places.renewed", stores=paths[0], promotions=paths[1])
        except (IngestionError, ValueError) as error:
            if self._places is None:
                raise Unavailable(f"The lookups {' and '.join(LOOKUPS)} can't be read: {error}") from error
            telemetry.warning(logger, "places.not_renewed", cause=error)

    def _read(self, path: str) -> bytes:
        content = self.reference.read(path)
        if content is None:
            raise Unavailable(f"The lookup {path} was deleted.")
        return content
