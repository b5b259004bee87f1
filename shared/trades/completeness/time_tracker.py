"""Completeness of one market in one slice where trade ids say nothing: a gap is a time without a connection."""

from dataclasses import replace

from shared.trades.completeness.gaps import Bounds, Gap, HistoryQuery, SearchOutcome
from shared.trades.completeness.reports import GapReport, MarketReport, Recheck

MOST_KNOWN = 200
HISTORY = 23 * 3_600_000_000
"""Microseconds of the past that such a venue surely gives back (Bitstamp: the last day), with a margin."""


class TimeTracker:
    """What a slice knows of one market whose ids don't follow each other; see `Tracker`."""

    __slots__ = ("_gaps", "_heard", "_since", "_times", "bounds", "duplicates", "least_lag", "most_lag")

    def __init__(self, bounds: Bounds) -> None:
        """Begin with nothing known, and not yet connected."""
        self.bounds = bounds
        self.duplicates = self.most_lag = self.least_lag = 0
        self._times: dict[int, int] = {}
        self._gaps: list[Gap] = []
        self._since: int | None = bounds.start
        self._heard = bounds.start

    def see(self, trade_id: int, timestamp: int, received_at: int) -> bool:
        """Note a trade from the websocket; True where it is new and the slice's own."""
        self._heard = received_at
        if trade_id in self._times:
            self.duplicates += 1
            return False
        self.most_lag = max(self.most_lag, received_at - timestamp)
        self.least_lag = min(self.least_lag, received_at - timestamp)
        return self._add(trade_id, timestamp)

    def recover(self, trade_id: int, timestamp: int, gap: Gap) -> bool:
        """Note a trade from the history; True where it is new and the slice's own."""
        ours = trade_id not in self._times and self._add(trade_id, timestamp)
        gap.filled += ours
        return ours

    def reject(self, trade_id: int, timestamp: int, gap: Gap | None) -> bool:  # noqa: ARG002 - time alone counts here
        """Note a trade that can't be taken; True where it is new."""
        return trade_id not in self._times and self._add(trade_id, timestamp) is not None

    def doubt(self, at: int) -> None:
        """Note that a trade may have been missed since the venue was last heard."""
        if self._since is None:
            self.interrupted()
            self.connected(at)

    def snapshot(self, trade_id: int, timestamp: int) -> None:
        """Do nothing: an id proves nothing here."""

    def heartbeat(self, last_trade_id: int | None, at: int) -> None:  # noqa: ARG002 - an id proves nothing here
        """Note a heartbeat."""
        self._heard = at

    def connected(self, at: int) -> None:
        """Note that a connection is open: what was traded without one must be searched."""
        self._heard = at
        if at > self.bounds.on_time:
            self._close_gap(at + self.bounds.grace)
        self._since = None

    def interrupted(self) -> None:
        """Note that a connection was lost, at some moment since it was last heard of."""
        if self._since is None:
            self._since = max(self._heard - self.bounds.grace, self.bounds.start)

    def stop(self, end: int) -> None:
        """Bring the end forward."""
        self.bounds = replace(self.bounds, end=end)

    def withdraw(self, trade_id: int) -> None:
        """Do nothing: the time of a trade says whose it is."""

    def due_queries(self, now: int, *, final: bool) -> list[HistoryQuery]:
        """Give the searches that are due; a gap can be searched once the history must hold its end."""
        if final:
            self._close_gap(self.bounds.late)
        due = [gap for gap in self._gaps if not gap.answers and gap.is_due(now, final=final)]
        return [HistoryQuery(gap.since or 0, min(gap.until or 0, self.bounds.late), gap=gap) for gap in due]

    def query_finished(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:
        """Note how a search ended; a history that ends has shown all there is of its own length."""
        is_covered = outcome == "ended" and now - query.since <= HISTORY
        query.gap.tried("reached" if is_covered else outcome, detail, now)

    def report(self, market: str) -> MarketReport:
        """Say what was seen, without the counts of what was sent."""
        self._close_gap(self.bounds.late)
        gaps = [_gap_report(gap) for gap in self._gaps]
        return MarketReport(
            market,
            contiguous=False,
            quiet=not self._times and not self._gaps,
            rechecks=(self._tail(), *(self._recheck(gap) for gap in gaps if gap.state != "filled")),
            gaps=tuple(gap for gap in gaps if gap.filled or gap.state != "filled"),
            duplicates=self.duplicates,
            lag_ms=self.most_lag // 1000,
            ahead_ms=-self.least_lag // 1000,
        )

    def _add(self, trade_id: int, timestamp: int) -> bool:
        self._times[trade_id] = timestamp
        return self.bounds.start <= timestamp < self.bounds.end

    def _close_gap(self, until: int) -> None:
        if self._since is None:
            return
        last = self._gaps[-1] if self._gaps else None
        if last and not last.tries and self._since <= (last.until or 0):
            last.until = last.again_at = max(last.until or 0, until)
        else:
            reason = "reconnect" if self._times else "start"
            self._gaps.append(Gap(reason, since=self._since, until=until, again_at=until))
        self._since = None

    def _tail(self) -> Recheck:
        """Ask for the slice again, or as much of its end as a row holds ids of: a trade may come after the grace."""
        bounds = self.bounds
        since = bounds.start
        known = self._known(since, bounds.end)
        if len(known) > MOST_KNOWN:
            since = self._times[known[-MOST_KNOWN]] + 1
        return Recheck(since, bounds.end, "late trades", tuple(self._known(since, bounds.end)), needed=False)

    def _recheck(self, gap: GapReport) -> Recheck:
        since, until = gap.since or self.bounds.start, min(gap.until or self.bounds.end, self.bounds.end)
        return Recheck(since, until, gap.detail or gap.reason, tuple(self._known(since, until)[-MOST_KNOWN:]))

    def _known(self, since: int, until: int) -> list[int]:
        times = self._times
        return sorted((one for one, time in times.items() if since <= time < until), key=lambda one: times[one])


def _gap_report(gap: Gap) -> GapReport:
    met = gap.answers and not gap.ended
    return GapReport(
        gap.reason,
        "filled" if met else ("lost" if gap.answers else "open"),
        filled=gap.filled,
        since=gap.since,
        until=gap.until,
        detail="" if met else gap.detail,
    )
