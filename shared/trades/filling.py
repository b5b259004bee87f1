"""Fills the gaps of one venue's markets from its history."""

import logging
from datetime import datetime

from shared import telemetry
from shared.domain.windows.window import microseconds
from shared.errors import FeedRefused, Unavailable
from shared.feeds.slicing import SliceClock
from shared.trades.completeness.gaps import HistoryQuery
from shared.trades.completeness.tracker import Tracker
from shared.trades.history import History, search
from shared.trades.inbox import Inbox
from shared.trades.intake import VenueIntake
from shared.trades.venues.venue import HistoryPage

logger = logging.getLogger(__name__)

NEXT_LOOK = 0.5
_ANY_TIME = 1 << 62


class Filler:
    """Searches one venue's history, one gap after the other so as to be gentle; what is the slice's goes to the inbox.

    deadline: until when to search, for ever where there is none. A market that the history refuses is searched no more.
    """

    def __init__(self, intake: VenueIntake, inbox: Inbox, time: SliceClock, deadline: datetime | None = None) -> None:
        self._intake = intake
        self._inbox = inbox
        self._time = time
        self._deadline = deadline
        self._history = History(intake.venue, intake.client, time.clock, time.sleep, deadline)

    async def fill_due(self, *, final: bool = False) -> None:
        """Make the searches that are due now; one that fails is due again later."""
        for symbol, tracker in self._intake.served():
            for query in tracker.due_queries(self._now(), final=final):
                await self._fill(symbol, tracker, query)

    async def fill_all(self) -> None:
        """Search until nothing is missing, all is given up, or the deadline has come."""
        while self._is_in_time() and self._has_queries():
            await self.fill_due(final=True)
            if self._has_queries():
                await self._time.sleep(NEXT_LOOK)

    async def _fill(self, symbol: str, tracker: Tracker, query: HistoryQuery) -> None:
        async def take(page: HistoryPage) -> None:
            # No await between noting a trade and keeping it: whoever is cancelled there would have forgotten it.
            self._inbox.add([one for one in page.trades if tracker.recover(one.trade_id, one.timestamp, query.gap)])
            self._intake.reject_rows(tracker, page.rejected, query.gap)
            await self._inbox.room()

        try:
            outcome, detail = await search(self._history, symbol, query, take), ""
        except FeedRefused as refusal:
            self._intake.refuse(symbol, str(refusal))
            return
        except Unavailable as error:
            outcome, detail = "failed", str(error)
            telemetry.warning(logger, "feed.history_failed", market=f"{self._intake.venue.name}:{symbol}", cause=error)
        tracker.query_finished(query, outcome, detail or _DETAILS[outcome], self._now())

    def _is_in_time(self) -> bool:
        return self._deadline is None or self._time.clock() < self._deadline

    def _has_queries(self) -> bool:
        return any(tracker.due_queries(_ANY_TIME, final=True) for _, tracker in self._intake.served())

    def _now(self) -> int:
        return microseconds(self._time.clock())


_DETAILS = {"reached": "the venue's history lacks them", "ended": "the venue's history does not go back so far"}
