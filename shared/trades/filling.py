"""Fills the gaps of one venue's markets from its history."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from shared import telemetry
from shared.domain.windows.window import microseconds
from shared.errors import Unavailable
from shared.trades.completeness.gaps import HistoryQuery
from shared.trades.completeness.tracker import Tracker
from shared.trades.history import History, search
from shared.trades.inbox import Inbox
from shared.trades.intake import VenueIntake
from shared.trades.venues.trade import Trade

logger = logging.getLogger(__name__)

NEXT_LOOK = 0.5
_ANY_TIME = 1 << 62


class Filler:
    """Searches one venue's history, one gap after the other so as to be gentle; what is the slice's goes to the inbox.

    deadline: until when to search, for ever where there is none.
    """

    def __init__(
        self, intake: VenueIntake, inbox: Inbox, clock: Callable[[], datetime], deadline: datetime | None = None
    ) -> None:
        self._intake = intake
        self._inbox = inbox
        self._clock = clock
        self._deadline = deadline
        self._history = History(intake.venue, intake.client, clock, deadline)

    async def fill_due(self, *, final: bool = False) -> None:
        """Make the searches that are due now; one that fails is due again later."""
        for symbol, tracker in self._intake.trackers.items():
            for query in tracker.due_queries(self._now(), final=final):
                await self._fill(symbol, tracker, query)

    async def fill_all(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Search until nothing is missing, all is given up, or the deadline has come."""
        while self._is_in_time() and self._has_queries():
            await self.fill_due(final=True)
            if self._has_queries():
                await sleep(NEXT_LOOK)

    async def _fill(self, symbol: str, tracker: Tracker, query: HistoryQuery) -> None:
        async def take(trades: Sequence[Trade]) -> None:
            # No await between noting a trade and keeping it: whoever is cancelled there would have forgotten it.
            self._inbox.add([one for one in trades if tracker.recover(one.trade_id, one.timestamp, query.gap)])
            await self._inbox.room()

        try:
            outcome, detail = await search(self._history, symbol, query, take), ""
        except Unavailable as error:
            outcome, detail = "failed", str(error)
            telemetry.warning(logger, "feed.history_failed", market=f"{self._intake.venue.name}:{symbol}", cause=error)
        tracker.query_finished(query, outcome, detail or _DETAILS[outcome], self._now())

    def _is_in_time(self) -> bool:
        return self._deadline is None or self._clock() < self._deadline

    def _has_queries(self) -> bool:
        return any(tracker.due_queries(_ANY_TIME, final=True) for tracker in self._intake.trackers.values())

    def _now(self) -> int:
        return microseconds(self._clock())


_DETAILS = {"reached": "the venue's history lacks them", "ended": "the venue's history does not go back so far"}
