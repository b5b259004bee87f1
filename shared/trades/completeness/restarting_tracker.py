"""Completeness of one market with contiguous ids that may begin anew, as they do where a market is listed again."""

from dataclasses import replace

from shared.trades.completeness.gaps import Bounds, Gap, HistoryQuery, SearchOutcome
from shared.trades.completeness.reports import MarketReport
from shared.trades.completeness.sequence_tracker import SequenceTracker


class RestartingTracker:
    """A `Tracker` with one `SequenceTracker` for each row of ids; nearly always there is one."""

    __slots__ = ("_newest", "_rows")

    def __init__(self, bounds: Bounds) -> None:
        """Begin with nothing known, and not yet connected."""
        self._newest = SequenceTracker(bounds)
        self._rows = [self._newest]

    def see(self, trade_id: int, timestamp: int, received_at: int) -> bool:
        """Note a trade from the websocket; True where it is new and the slice's own."""
        self._follow(trade_id, timestamp)
        return self._newest.see(trade_id, timestamp, received_at)

    def recover(self, trade_id: int, timestamp: int, gap: Gap) -> bool:
        """Note a trade from the history; True where it is new and the slice's own."""
        return self._row_of(gap).recover(trade_id, timestamp, gap)

    def reject(self, trade_id: int, timestamp: int, gap: Gap | None) -> bool:
        """Note a trade that can't be taken; True where it is new."""
        if gap is not None:
            return self._row_of(gap).reject(trade_id, timestamp, gap)
        self._follow(trade_id, timestamp)
        return self._newest.reject(trade_id, timestamp, None)

    def doubt(self, at: int) -> None:
        """Note that a trade may have been missed."""
        self._newest.doubt(at)

    def snapshot(self, trade_id: int, timestamp: int) -> None:
        """Note the newest trade that the venue names at subscription."""
        self._newest.snapshot(trade_id, timestamp)

    def heartbeat(self, last_trade_id: int | None, at: int) -> None:
        """Note a heartbeat."""
        self._newest.heartbeat(last_trade_id, at)

    def connected(self, at: int) -> None:
        """Note that a connection is open."""
        self._newest.connected(at)

    def interrupted(self) -> None:
        """Note that a connection was lost."""
        self._newest.interrupted()

    def stop(self, end: int) -> None:
        """Bring the end forward."""
        for row in self._rows:
            row.stop(end)

    def withdraw(self, trade_id: int) -> None:
        """Take back a trade that was the slice's own until `stop`."""
        next(row for row in reversed(self._rows) if row.knows(trade_id)).withdraw(trade_id)

    def due_queries(self, now: int, *, final: bool) -> list[HistoryQuery]:
        """Give the searches that are due."""
        return [query for row in self._rows for query in row.due_queries(now, final=final)]

    def query_finished(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:
        """Note how a search ended."""
        self._row_of(query.gap).query_finished(query, outcome, detail, now)

    def report(self, market: str) -> MarketReport:
        """Say what was seen; each row of ids has the one before it with it."""
        report = self._rows[0].report(market)
        for row in self._rows[1:]:
            report = replace(row.report(market), earlier=report)
        return report

    def _follow(self, trade_id: int, timestamp: int) -> None:
        if self._newest.is_begun_anew_by(trade_id, timestamp):
            self._newest = self._newest.successor(trade_id)
            self._rows.append(self._newest)

    def _row_of(self, gap: Gap) -> SequenceTracker:
        return next((row for row in self._rows if row.owns(gap)), self._newest)
