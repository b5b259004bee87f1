"""Completeness of one market in one slice where trade ids follow each other: a hole in the ids is a gap.

Ids are in the venue's order; times may disorder them by up to the grace. So a trade older than `start − grace` proves
that no lower id is the slice's, and one at or after `end + grace` that no higher id is.
"""

from dataclasses import replace

from shared.trades.completeness.gaps import ENOUGH_ANSWERS, LEAST_ID, Bounds, Gap, HistoryQuery, SearchOutcome
from shared.trades.completeness.id_ranges import AFTER, BEFORE, OURS, IdRange, IdRangeSet, within, without
from shared.trades.completeness.reports import GapReport, GapState, MarketReport

_ENDLESS = 1 << 62


class SequenceTracker:
    """What a slice knows of one market with contiguous ids; see `Tracker`."""

    __slots__ = (
        *("bounds", "duplicates", "floor", "ceiling", "most_lag", "least_lag"),
        *("_ids", "_start", "_end", "_announced_id", "_low_time", "_on_time", "_uncertain"),
        *("_gaps", "_tail_gap", "_head_gap", "_early", "_late"),
    )

    def __init__(self, bounds: Bounds) -> None:
        """Begin with nothing known, and not yet connected."""
        self.bounds = bounds
        self._start, self._end = bounds.start, bounds.end
        self.duplicates = self.most_lag = self.least_lag = 0
        self._on_time, self._uncertain = False, True
        self._forget()

    def see(self, trade_id: int, timestamp: int, received_at: int) -> bool:
        """Note a trade from the websocket; True where it is new and the slice's own."""
        lag = received_at - timestamp
        if lag > self.most_lag:
            self.most_lag = lag
        elif lag < self.least_lag:
            self.least_lag = lag
        if trade_id == self._ids.top + 1:
            self._uncertain = False
        elif not self._note_jump(trade_id, timestamp):
            return False
        return self._add(trade_id, timestamp)

    def recover(self, trade_id: int, timestamp: int, gap: Gap) -> bool:
        """Note a trade from the history; True where it is new and the slice's own."""
        if trade_id in self._ids:
            return False
        if not self._ids or trade_id < self._ids.low:
            self._low_time = timestamp
        ours = self._add(trade_id, timestamp)
        gap.filled += ours
        return ours

    def owns(self, gap: Gap) -> bool:
        """Say whether a gap is one of these ids."""
        return any(own is gap for own in self._gaps)

    def knows(self, trade_id: int) -> bool:
        """Say whether an id was met."""
        return trade_id in self._ids

    def is_begun_anew_by(self, trade_id: int, timestamp: int) -> bool:
        """Say whether a live trade has a lower id than all others though it is surely later: the ids begin anew."""
        is_lower = bool(self._ids) and trade_id < self._ids.low
        return is_lower and timestamp > self._low_time + self.bounds.grace

    def successor(self, trade_id: int) -> "SequenceTracker":
        """Make the tracker of the ids that begin anew with this one; what was missed before it is to be searched."""
        later = SequenceTracker(self.bounds)
        later.stop(self._end)
        if not self._uncertain:
            later.floor = trade_id
        return later

    def reject(self, trade_id: int, timestamp: int, gap: Gap | None) -> bool:
        """Note a trade that can't be taken; True where it is new. Its id is met: it leaves no gap."""
        if gap is None:
            if trade_id != self._ids.top + 1 and not self._note_jump(trade_id, timestamp):
                return False
            self._uncertain = False
        elif trade_id in self._ids:
            return False
        elif not self._ids or trade_id < self._ids.low:
            self._low_time = timestamp
        self._add(trade_id, timestamp)
        return True

    def doubt(self, at: int) -> None:  # noqa: ARG002 - ids say what was missed, and when does not matter
        """Note that a trade may have been missed: the next id, or the history, must say."""
        self.interrupted()

    def snapshot(self, trade_id: int, timestamp: int) -> None:
        """Note the newest trade that the venue names at subscription; one of the slice's is still to be got."""
        fresh = not self._ids
        if self._side(timestamp) != OURS and trade_id not in self._ids:
            self._note_jump(trade_id, timestamp)
            self._add(trade_id, timestamp)
            if (fresh and self._on_time) or timestamp < self.bounds.early:
                self._raise_floor(trade_id)
        self._note_announced(trade_id)

    def heartbeat(self, last_trade_id: int | None, at: int) -> None:
        """Note a heartbeat, with the newest id where the venue tells it."""
        if last_trade_id is None:
            return
        if not self._ids and self._announced_id < 0 and self._on_time and at <= self.bounds.on_time:
            self._low_time = at
            self._ids.add(last_trade_id, BEFORE)
            self._raise_floor(last_trade_id)
        self._note_announced(last_trade_id)

    def connected(self, at: int) -> None:
        """Note that a connection is open; one that is on time begins the slice's knowledge afresh."""
        if at <= self.bounds.on_time and not self._ids.of_side(OURS):
            self._on_time, self._uncertain = True, False
            self._forget()

    def interrupted(self) -> None:
        """Note that a connection was lost: the next id, or the history, must say whether trades were missed."""
        self._uncertain = True
        self._on_time = self._on_time and bool(self._ids)

    def stop(self, end: int) -> None:
        """Bring the end forward."""
        self.bounds = replace(self.bounds, end=end)
        self._end = end

    def withdraw(self, trade_id: int) -> None:
        """Put a trade behind the end that was brought forward."""
        self._ids.move(trade_id, AFTER)

    def due_queries(self, now: int, *, final: bool) -> list[HistoryQuery]:
        """Give the searches that are due; a gap that the history answered three times is then given up."""
        self._collect_gaps(final=final)
        most = ENOUGH_ANSWERS if final else _ENDLESS
        due = [gap for gap in self._gaps if gap.is_due(now, final=final) and gap.answers < most]
        return [self._query(gap) for gap in due if self._is_open(gap)]

    def query_finished(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:
        """Note how a search ended."""
        query.gap.tried(outcome, detail, now)
        if query.gap is self._head_gap and outcome != "failed":
            self._uncertain = False
        if query.gap.first is None and outcome == "ended" and self._ids:
            is_first_of_all = self._ids.low <= LEAST_ID
            if is_first_of_all or self._low_time < self.bounds.early:
                self._raise_floor(self._ids.low)

    def report(self, market: str) -> MarketReport:
        """Say what was seen, without the counts of what was sent."""
        gaps = [self._gap_report(gap) for gap in self._gaps]
        return MarketReport(
            market,
            contiguous=True,
            before=tuple(self._ids.of_side(BEFORE)),
            ours=tuple(self._ids.of_side(OURS)),
            after=tuple(self._ids.of_side(AFTER)),
            floor=self.floor,
            ceiling=self.ceiling,
            top=max(self._ids.top, self._announced_id) if self._is_known else None,
            complete_above=not self._uncertain,
            quiet=not self._is_known and not self._uncertain and all(gap.state == "filled" for gap in gaps),
            gaps=tuple(gap for gap in gaps if gap.filled or gap.state != "filled"),
            duplicates=self.duplicates,
            lag_ms=self.most_lag // 1000,
            ahead_ms=-self.least_lag // 1000,
        )

    @property
    def _is_known(self) -> bool:
        return bool(self._ids) or self._announced_id >= 0

    @property
    def missing(self) -> list[IdRange]:
        """Give the ids between the lowest and the highest known that may be the slice's and were not met."""
        high = max(self._ids.top, self._announced_id)
        open_end = [(self._ids.top + 1, self._announced_id)] if self._ids else []
        low = self.floor if self.floor is not None else 0
        return within(self._ids.holes() + open_end, low, high if self.ceiling is None else self.ceiling)

    def _forget(self) -> None:
        self._ids = IdRangeSet()
        self.floor: int | None = None
        self.ceiling: int | None = None
        self._early: int | None = None
        self._late: int | None = None
        self._announced_id, self._low_time = -2, 0
        self._gaps: list[Gap] = []
        self._tail_gap: Gap | None = None
        self._head_gap: Gap | None = None

    def _side(self, timestamp: int) -> int:
        if timestamp < self._start:
            return BEFORE
        return OURS if timestamp < self._end else AFTER

    def _add(self, trade_id: int, timestamp: int) -> bool:
        if self._start <= timestamp < self._end:
            self._ids.add(trade_id, OURS)
            return True
        self._ids.add(trade_id, self._side(timestamp))
        if timestamp < self.bounds.early:
            self._note_early(trade_id)
        elif timestamp >= self.bounds.late:
            self._note_late(trade_id)
        return False

    def _note_early(self, trade_id: int) -> None:
        """Let two trades that are early move the floor, to the lower one: one alone may have a wrong time."""
        if self._early is not None:
            self._raise_floor(min(trade_id, self._early))
        self._early = trade_id if self._early is None else max(trade_id, self._early)

    def _note_late(self, trade_id: int) -> None:
        """Let two trades that are late move the ceiling, to the higher one."""
        if self._late is not None:
            second = max(trade_id, self._late)
            self.ceiling = second if self.ceiling is None else min(self.ceiling, second)
        self._late = trade_id if self._late is None else min(trade_id, self._late)

    def _note_jump(self, trade_id: int, timestamp: int) -> bool:
        """Look at an id that does not follow the newest; False where it was met before."""
        if not self._ids:
            self._low_time = timestamp
            self._uncertain = False
            if self._on_time and timestamp < self._start:
                self._raise_floor(trade_id)
        elif trade_id in self._ids:
            self.duplicates += 1
            return False
        elif trade_id > self._ids.top:
            self._open(max(self._ids.top, self._announced_id) + 1, trade_id - 1, (trade_id, timestamp))
            self._uncertain = False
        elif trade_id < self._ids.low:
            self._low_time = timestamp
        return True

    def _note_announced(self, trade_id: int) -> None:
        """Note that an id exists, without its trade."""
        known = max(self._ids.top, self._announced_id)
        if trade_id > known and self._ids:
            self._open(known + 1, trade_id, None)
        self._announced_id = max(self._announced_id, trade_id)
        if trade_id >= known:
            self._uncertain = False

    def _open(self, first: int, last: int, above: tuple[int, int] | None) -> None:
        if first <= last:
            self._gaps.append(Gap("reconnect" if self._uncertain else "hole", first, last, above))

    def _raise_floor(self, trade_id: int) -> None:
        self.floor = trade_id if self.floor is None else max(self.floor, trade_id)

    def _collect_gaps(self, *, final: bool) -> None:
        """Make gaps of what is missing and in none of them yet, and let go of those that are no more."""
        self._gaps = [gap for gap in self._gaps if gap.filled or self._is_open(gap)]
        named = [(gap.first, gap.last) for gap in self._gaps if gap.first is not None and gap.last is not None]
        self._gaps += [Gap("hole", first, last) for first, last in without(self.missing, named)]
        if self._tail_gap is None and self._lacks_floor:
            self._tail_gap = Gap("start", last=self._ids.low - 1 if self._ids else self._announced_id)
            self._gaps.append(self._tail_gap)
        if final and self._uncertain and self._head_gap not in self._gaps:
            first = self._ids.top + 1 if self._ids else None
            self._head_gap = Gap("no connection" if first is None else "reconnect", first)
            self._gaps.append(self._head_gap)

    @property
    def _lacks_floor(self) -> bool:
        return self.floor is None and self._is_known

    def _is_open(self, gap: Gap) -> bool:
        if gap is self._tail_gap:
            return self._lacks_floor
        if gap is self._head_gap:
            return self._uncertain
        return bool(self._missing_of(gap))

    def _missing_of(self, gap: Gap) -> list[IdRange]:
        if gap.first is None or gap.last is None:
            return []
        return within(self.missing, gap.first, gap.last)

    def _query(self, gap: Gap) -> HistoryQuery:
        above = (self._ids.low, self._low_time) if gap is self._tail_gap and self._ids else gap.above
        return HistoryQuery(self.bounds.early, self.bounds.late, gap.first, above, gap)

    def _gap_report(self, gap: Gap) -> GapReport:
        missing = self._missing_of(gap)
        unmet: GapState = "lost" if gap.answers else "open"
        state: GapState = unmet if self._is_open(gap) else "filled"
        since = self.bounds.start if gap is self._tail_gap else None
        detail = "" if state == "filled" else gap.detail
        return GapReport(gap.reason, state, gap.first, gap.last, gap.filled, tuple(missing), since, detail=detail)
