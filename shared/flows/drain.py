"""Draining: slices that run end, and no other begins; what waits goes on when the drain is over."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.reference import Reference
from shared.clients.storage.windows import Ledger
from shared.domain.drain import Drain, Drained
from shared.domain.instants import utc_text
from shared.domain.windows.ledger_row import SliceRow
from shared.errors import CorruptRow, Unavailable

logger = logging.getLogger(__name__)

PATH: Final = "drain.json"

ASK_AGAIN: Final = 15.0
"""Seconds after which a slice that waits for the end of a drain asks again."""

_ALIVE: Final = timedelta(minutes=1)
"""A slice writes its progress every ten seconds; one that has not for a minute died with its host."""


@dataclass(frozen=True, slots=True)
class DrainTools:
    """What draining needs of the world."""

    reference: Reference
    ledger: Ledger
    clock: Callable[[], datetime]

    def begin(self, length: timedelta) -> Drained:
        """Begin a drain of that length, or give the one that there is another end; mends a file that can't be read."""
        now, before = self.clock(), None
        with contextlib.suppress(CorruptRow):
            before = self._drain()
        drain = Drain(before.since if before else now, now + length)
        self.reference.write(PATH, drain.write())
        return self.look()

    def end(self) -> Drained:
        """End the drain, where there is one."""
        self.reference.delete(PATH)
        return self.look()

    def look(self) -> Drained:
        """Say how far it is."""
        return Drained(self._drain(), self._running())

    def may_begin(self) -> None:
        """Raise Unavailable while there is a drain, or a file that may say so, so that a slice is asked for again."""
        try:
            drain = self._drain()
        except CorruptRow as error:
            telemetry.error(logger, "drain.unreadable", path=PATH, cause=error)
            raise Unavailable(str(error), retry_after=ASK_AGAIN) from error
        if drain is not None:
            text = f"The app is being drained until {utc_text(drain.until, 'seconds')}: no slice begins before."
            raise Unavailable(text, retry_after=ASK_AGAIN)

    def _drain(self) -> Drain | None:
        content = self.reference.read(PATH)
        if content is None:
            return None
        try:
            drain = Drain.read(content)
        except ValueError as error:
            raise CorruptRow(f"{PATH} in the container reference can't be read ({error}): end the drain.") from error
        return drain if self.clock() < drain.until else None

    def _running(self) -> list[SliceRow]:
        since = self.clock() - _ALIVE
        windows = [row for row in self.ledger.active() if row.state == "open"]
        tries = (row for each in windows for row in self.ledger.attempts(each.window.id, each.attempt))
        return [row for row in tries if row.state == "running" and row.updated_at >= since]
