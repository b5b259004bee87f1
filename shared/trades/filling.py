"""Fills the gaps of one venue's markets from its history."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from shared import telemetry
from shared.domain.windows.window import microseconds
from shared.errors import SendFailed, Unavailable
from shared.trades.completeness.gaps import LiveMarket, Want
from shared.trades.history import History, Take, search
from shared.trades.intake import VenueIntake
from shared.trades.venues.trade import Trade

logger = logging.getLogger(__name__)

NEXT_LOOK = 0.5
_ANY_TIME = 1 << 62


class Filler:
    """Searches one venue's history, one gap after the other so as to be gentle; `keep` takes what is the slice's."""

    def __init__(
        self, venue: VenueIntake, clock: Callable[[], datetime], keep: Take, deadline: datetime | None = None
    ) -> None:
        """Search until `deadline`, for ever without one."""
        self._venue = venue
        self._clock = clock
        self._keep = keep
        self._deadline = deadline
        self._history = History(venue.venue, venue.source, clock, deadline)

    async def fill_due(self, *, final: bool = False) -> None:
        """Make the searches that are due now; one that fails is due again later."""
        for symbol, live in self._venue.lives.items():
            for want in live.wants(self._now(), final=final):
                await self._fill(symbol, live, want)

    async def fill_all(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Search until nothing is missing, all is given up, or the deadline has come."""
        while self._is_in_time() and self._has_wants():
            await self.fill_due(final=True)
            if self._has_wants():
                await sleep(NEXT_LOOK)

    async def _fill(self, symbol: str, live: LiveMarket, want: Want) -> None:
        async def take(trades: Sequence[Trade]) -> None:
            await self._keep([one for one in trades if live.recover(one.trade_id, one.timestamp, want.gap)])

        try:
            outcome, detail = await search(self._history, symbol, want, take), ""
        except SendFailed:
            raise
        except Unavailable as error:
            outcome, detail = "failed", str(error)
            telemetry.warning(logger, "feed.history_failed", market=f"{self._venue.name}:{symbol}", cause=error)
        live.walked(want, outcome, detail or _WORDS[outcome], self._now())

    def _is_in_time(self) -> bool:
        return self._deadline is None or self._clock() < self._deadline

    def _has_wants(self) -> bool:
        return any(live.wants(_ANY_TIME, final=True) for live in self._venue.lives.values())

    def _now(self) -> int:
        return microseconds(self._clock())


_WORDS = {"reached": "the venue's history lacks them", "ended": "the venue's history does not go back so far"}
