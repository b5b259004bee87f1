"""Checks what the history showed of the times that a window must look at again, where ids don't follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.trades.completeness.gaps import Bounds, HistoryQuery, SearchOutcome
from shared.trades.completeness.reports import Recheck
from shared.trades.completeness.seams import ENDLESS, LostInterval
from shared.trades.completeness.sequence_check import LATE_TRADES_UNSEEN
from shared.trades.completeness.time_tracker import HISTORY


@dataclass(slots=True)
class TimeCheck:
    """The trades that one search brought; `bounds` are the window's.

    earliest: the earliest time of all, which alone may be wrong; `covered_from` is the one after it.
    """

    bounds: Bounds
    rechecks: Sequence[Recheck]
    covered_from: int = ENDLESS
    detail: str = ""
    earliest: int = ENDLESS
    _met: set[int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what the slices met."""
        self._met = {trade_id for recheck in self.rechecks for trade_id in recheck.known}

    def query(self) -> HistoryQuery | None:
        """Give the one search that reaches back to the earliest time, None where there is nothing to look at."""
        since = min((recheck.since for recheck in self.rechecks), default=None)
        return None if since is None else HistoryQuery(since, self.bounds.late)

    def take(self, trade_id: int, timestamp: int) -> bool:
        """Note a trade; True where it is the window's and no slice has met it in the times in question."""
        self._note_time(timestamp)
        inside = self.bounds.start <= timestamp < self.bounds.end
        if not inside or trade_id in self._met:
            return False
        self._met.add(trade_id)
        return any(recheck.since <= timestamp < recheck.until for recheck in self.rechecks)

    def reject(self, trade_id: int, timestamp: int) -> bool:
        """Note a trade that can't be taken; True where it is new and lies in a time in question."""
        self._note_time(timestamp)
        is_new = trade_id not in self._met
        self._met.add(trade_id)
        return is_new and any(recheck.since <= timestamp < recheck.until for recheck in self.rechecks)

    def _note_time(self, timestamp: int) -> None:
        self.earliest, self.covered_from, _ = sorted([self.earliest, self.covered_from, timestamp])

    def ended(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:  # noqa: ARG002
        """Note how the search ended for good; a history that ends has shown all there is of its own length."""
        if outcome == "reached":
            self.covered_from = -1
        elif outcome == "ended":
            self.covered_from = min(self.covered_from, now - HISTORY)
            self.detail = "the venue's history does not go back so far"
        else:
            self.covered_from = ENDLESS
            self.detail = detail

    def lost(self, market: str) -> list[LostInterval]:
        """Give the times that were not shown and in which trades may be missing."""
        return [
            LostInterval(market, self.detail, since=one.since, until=min(one.until, self.covered_from))
            for one in self.rechecks
            if one.needed and one.since < self.covered_from
        ]

    def warnings(self) -> list[str]:
        """Say what could not be looked for, though nothing speaks for a loss."""
        unseen = any(not one.needed and one.since < self.covered_from for one in self.rechecks)
        return [f"{LATE_TRADES_UNSEEN}: {self.detail}"] if unseen else []
