"""What a slice keeps of one market while it runs, whichever way the venue numbers its trades."""

from typing import Protocol

from shared.trades.completeness.gaps import Gap, HistoryQuery, SearchOutcome
from shared.trades.completeness.reports import MarketReport


class Tracker(Protocol):
    """What a slice knows of one market; instants are microseconds since the Unix epoch."""

    def see(self, trade_id: int, timestamp: int, received_at: int) -> bool:
        """Note a trade from the websocket; True where it is new and the slice's own."""

    def recover(self, trade_id: int, timestamp: int, gap: Gap) -> bool:
        """Note a trade from the history; True where it is new and the slice's own."""

    def reject(self, trade_id: int, timestamp: int, gap: Gap | None) -> bool:
        """Note a trade that can't be taken, from the websocket or from the search of a gap; True where it is new."""

    def doubt(self, at: int) -> None:
        """Note that something came that could not be read: a trade may have been missed."""

    def snapshot(self, trade_id: int, timestamp: int) -> None:
        """Note the newest trade that the venue names at subscription."""

    def heartbeat(self, last_trade_id: int | None, at: int) -> None:
        """Note a heartbeat, with the newest id where the venue tells it."""

    def connected(self, at: int) -> None:
        """Note that a connection is open."""

    def interrupted(self) -> None:
        """Note that a connection was lost."""

    def stop(self, end: int) -> None:
        """Bring the end forward; trades at or after it that were taken must be given back by `withdraw`."""

    def withdraw(self, trade_id: int) -> None:
        """Take back a trade that was the slice's own until `stop`."""

    def due_queries(self, now: int, *, final: bool) -> list[HistoryQuery]:
        """Give the searches that are due; `final`: nothing more will come from the websocket."""

    def query_finished(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:
        """Note how a search ended."""

    def report(self, market: str) -> MarketReport:
        """Say what was seen, without the counts of what was sent."""
