"""Completeness of one market in one slice where trade ids follow each other: a hole in the ids is a gap.

Ids are in the venue's order; times may disorder them by up to the grace. So a trade older than `start − grace` proves
that no lower id is the slice's, and one at or after `end + grace` that no higher id is.
"""

from dataclasses import replace

from shared.trades.completeness.gaps import ENOUGH_ANSWERS, LEAST_ID, Bounds, Gap, Outcome, Want
from shared.trades.completeness.id_ranges import AFTER, BEFORE, OURS, IdRuns, Run, within, without
from shared.trades.completeness.reports import GapReport, GapState, MarketReport

_ENDLESS = 1 << 62


class NumberedMarket:
    """What a slice knows of one market with contiguous ids; see `LiveMarket`."""

    __slots__ = (
        *("bounds", "duplicates", "floor", "ceiling", "runs", "most_lag", "least_lag"),
        *("_start", "_end", "_spoken", "_low_time", "_on_time", "_doubtful", "_gaps", "_bottom", "_summit"),
    )

    def __init__(self, bounds: Bounds) -> None:
        """Begin with nothing known, and not yet connected."""
        self.bounds = bounds
        self._start, self._end = bounds.start, bounds.end
        self.duplicates = self.most_lag = self.least_lag = 0
        self._on_time, self._doubtful = False, True
        self._forget()

    def see(self, trade_id: int, timestamp: int, received_at: int) -> bool:
        """Note a trade from the websocket; True where it is new and the slice's own."""
        lag = received_at - timestamp
        if lag > self.most_lag:
            self.most_lag = lag
        elif lag < self.least_lag:
            self.least_lag = lag
        if trade_id == self.runs.top + 1:
            self._doubtful = False
        elif not self._leap(trade_id, timestamp):
            return False
        return self._add(trade_id, timestamp)

    def recover(self, trade_id: int, timestamp: int, gap: Gap) -> bool:
        """Note a trade from the history; True where it is new and the slice's own."""
        if trade_id in self.runs:
            return False
        if not self.runs or trade_id < self.runs.low:
            self._low_time = timestamp
        ours = self._add(trade_id, timestamp)
        gap.filled += ours
        return ours

    def anchored(self, trade_id: int, timestamp: int) -> None:
        """Note the newest trade that the venue names at subscription; one of the slice's is still to be got."""
        fresh = not self.runs
        if self._side(timestamp) != OURS and trade_id not in self.runs:
            self._leap(trade_id, timestamp)
            self._add(trade_id, timestamp)
            if fresh and self._on_time:
                self._raise_floor(trade_id)
        self._speak(trade_id)

    def alive(self, last_trade_id: int | None, at: int) -> None:
        """Note a heartbeat, with the newest id where the venue tells it."""
        if last_trade_id is None:
            return
        if not self.runs and self._spoken < 0 and self._on_time and at <= self.bounds.on_time:
            self._low_time = at
            self.runs.add(last_trade_id, BEFORE)
            self._raise_floor(last_trade_id)
        self._speak(last_trade_id)

    def connected(self, at: int) -> None:
        """Note that a connection is open; one that is on time begins the slice's knowledge afresh."""
        if at <= self.bounds.on_time and not self.runs.runs(OURS):
            self._on_time, self._doubtful = True, False
            self._forget()

    def interrupted(self) -> None:
        """Note that a connection was lost: the next id, or the history, must say whether trades were missed."""
        self._doubtful = True
        self._on_time = self._on_time and bool(self.runs)

    def stop(self, end: int) -> None:
        """Bring the end forward."""
        self.bounds = replace(self.bounds, end=end)
        self._end = end

    def withdraw(self, trade_id: int) -> None:
        """Put a trade behind the end that was brought forward."""
        self.runs.move(trade_id, AFTER)

    def wants(self, now: int, *, final: bool) -> list[Want]:
        """Give the searches that are due; a gap that the history answered three times is then given up."""
        self._adopt(final=final)
        tired = ENOUGH_ANSWERS if final else _ENDLESS
        due = [gap for gap in self._gaps if gap.is_due(now, final=final) and gap.answers < tired]
        return [self._want(gap) for gap in due if self._is_open(gap)]

    def walked(self, want: Want, outcome: Outcome, detail: str, now: int) -> None:
        """Note how a search ended."""
        want.gap.tried(outcome, detail, now)
        if want.gap is self._summit and outcome != "failed":
            self._doubtful = False
        reached_first = outcome == "ended" and bool(self.runs) and self.runs.low <= LEAST_ID
        if want.gap.first is None and reached_first:
            self._raise_floor(self.runs.low)

    def report(self, market: str) -> MarketReport:
        """Say what was seen, without the counts of what was sent."""
        gaps = [self._gap_report(gap) for gap in self._gaps]
        return MarketReport(
            market,
            contiguous=True,
            before=tuple(self.runs.runs(BEFORE)),
            ours=tuple(self.runs.runs(OURS)),
            after=tuple(self.runs.runs(AFTER)),
            floor=self.floor,
            ceiling=self.ceiling,
            top=max(self.runs.top, self._spoken) if self._is_known else None,
            settled=not self._doubtful,
            quiet=not self._is_known and not self._doubtful,
            gaps=tuple(gap for gap in gaps if gap.filled or gap.state != "filled"),
            duplicates=self.duplicates,
            lag_ms=self.most_lag // 1000,
            ahead_ms=-self.least_lag // 1000,
        )

    @property
    def _is_known(self) -> bool:
        return bool(self.runs) or self._spoken >= 0

    @property
    def missing(self) -> list[Run]:
        """Give the ids between the lowest and the highest known that may be the slice's and were not met."""
        high = max(self.runs.top, self._spoken)
        open_end = [(self.runs.top + 1, self._spoken)] if self.runs else []
        low = self.floor if self.floor is not None else 0
        return within(self.runs.holes() + open_end, low, high if self.ceiling is None else self.ceiling)

    def _forget(self) -> None:
        self.runs = IdRuns()
        self.floor: int | None = None
        self.ceiling: int | None = None
        self._spoken, self._low_time = -2, 0
        self._gaps: list[Gap] = []
        self._bottom: Gap | None = None
        self._summit: Gap | None = None

    def _side(self, timestamp: int) -> int:
        if timestamp < self._start:
            return BEFORE
        return OURS if timestamp < self._end else AFTER

    def _add(self, trade_id: int, timestamp: int) -> bool:
        if self._start <= timestamp < self._end:
            self.runs.add(trade_id, OURS)
            return True
        self.runs.add(trade_id, self._side(timestamp))
        if timestamp < self.bounds.early:
            self._raise_floor(trade_id)
        elif timestamp >= self.bounds.late:
            self.ceiling = trade_id if self.ceiling is None else min(self.ceiling, trade_id)
        return False

    def _leap(self, trade_id: int, timestamp: int) -> bool:
        """Look at an id that does not follow the newest; False where it was met before."""
        if not self.runs:
            self._low_time = timestamp
            self._doubtful = False
            if self._on_time and timestamp < self._start:
                self._raise_floor(trade_id)
        elif trade_id in self.runs:
            self.duplicates += 1
            return False
        elif trade_id > self.runs.top:
            self._open(max(self.runs.top, self._spoken) + 1, trade_id - 1, (trade_id, timestamp))
            self._doubtful = False
        elif trade_id < self.runs.low:
            self._low_time = timestamp
        return True

    def _speak(self, trade_id: int) -> None:
        """Note that an id exists, without its trade."""
        known = max(self.runs.top, self._spoken)
        if trade_id > known and self.runs:
            self._open(known + 1, trade_id, None)
        self._spoken = max(self._spoken, trade_id)
        if trade_id >= known:
            self._doubtful = False

    def _open(self, first: int, last: int, above: tuple[int, int] | None) -> None:
        if first <= last:
            self._gaps.append(Gap("reconnect" if self._doubtful else "hole", first, last, above))

    def _raise_floor(self, trade_id: int) -> None:
        self.floor = trade_id if self.floor is None else max(self.floor, trade_id)

    def _adopt(self, *, final: bool) -> None:
        """Make gaps of what is missing and in none of them yet, and let go of those that are no more."""
        self._gaps = [gap for gap in self._gaps if gap.filled or self._is_open(gap)]
        named = [(gap.first, gap.last) for gap in self._gaps if gap.first is not None and gap.last is not None]
        self._gaps += [Gap("hole", first, last) for first, last in without(self.missing, named)]
        if self._bottom is None and self._lacks_floor:
            self._bottom = Gap("start", last=self.runs.low - 1 if self.runs else self._spoken)
            self._gaps.append(self._bottom)
        if final and self._doubtful and self._summit not in self._gaps:
            self._summit = Gap("reconnect" if self.runs else "no connection", self.runs.top + 1 if self.runs else None)
            self._gaps.append(self._summit)

    @property
    def _lacks_floor(self) -> bool:
        return self.floor is None and self._is_known

    def _is_open(self, gap: Gap) -> bool:
        if gap is self._bottom:
            return self._lacks_floor
        if gap is self._summit:
            return self._doubtful
        return bool(self._missing_of(gap))

    def _missing_of(self, gap: Gap) -> list[Run]:
        if gap.first is None or gap.last is None:
            return []
        return within(self.missing, gap.first, gap.last)

    def _want(self, gap: Gap) -> Want:
        above = (self.runs.low, self._low_time) if gap is self._bottom and self.runs else gap.above
        return Want(self.bounds.early, self.bounds.late, gap.first, above, gap)

    def _gap_report(self, gap: Gap) -> GapReport:
        missing = self._missing_of(gap)
        unmet: GapState = "lost" if gap.answers else "open"
        state: GapState = unmet if self._is_open(gap) else "filled"
        since = self.bounds.start if gap is self._bottom else None
        detail = "" if state == "filled" else gap.detail
        return GapReport(gap.reason, state, gap.first, gap.last, gap.filled, tuple(missing), since, detail=detail)
