"""Checks what the venue's history showed of the ids that a window lacks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from shared.trades.completeness.gaps import LEAST_ID, Bounds, HistoryQuery, SearchOutcome
from shared.trades.completeness.id_ranges import (
    BEFORE,
    OURS,
    IdRange,
    IdRangeSet,
    longest,
    normalised,
    within,
    without,
)
from shared.trades.completeness.reports import MOST_RANGES
from shared.trades.completeness.seams import ENDLESS, LostInterval, MissingIds, SliceObservation

_BOUNDARIES = ("floor", "ceiling", "reached", "early", "late")

LATE_TRADES_UNSEEN = "late trades could not be looked for"


@dataclass(slots=True)
class SequenceCheck:
    """The trades that the searches of one market brought; `bounds` are the window's.

    failures: what could not be searched, and why; `reached` is false until a search met the window's beginning, or
    saw a trade with a time before it and then nothing more. early, late: the highest and the lowest id with a time
    outside the window; two of them move a boundary, since one alone may have a wrong time.
    """

    bounds: Bounds
    missing: MissingIds
    met: IdRangeSet = field(default_factory=IdRangeSet)
    floor: int = -1
    ceiling: int = ENDLESS
    reached: bool = False
    early: int = -1
    late: int = ENDLESS
    failures: list[tuple[HistoryQuery, str]] = field(default_factory=list)
    _sought: list[IdRange] = field(init=False)

    def __post_init__(self) -> None:
        """Read the search once."""
        self._sought = self.missing.sought

    def as_wire(self) -> dict[str, Any]:
        """Give what was met so far as plain JSON, for a closing that goes on later; the longest ranges suffice."""
        sides = {side: [list(span) for span in longest(self.met.of_side(side), MOST_RANGES)] for side in (BEFORE, OURS)}
        return {name: getattr(self, name) for name in _BOUNDARIES} | {"before": sides[BEFORE], "ours": sides[OURS]}

    def resume(self, wire: Mapping[str, Any]) -> None:
        """Go on from what an earlier closing met."""
        for name in _BOUNDARIES:
            setattr(self, name, wire[name])
        for side, spans in ((BEFORE, wire["before"]), (OURS, wire["ours"])):
            self.met.add_ranges(((first, last) for first, last in spans), side)

    def take(self, trade_id: int, timestamp: int) -> bool:
        """Note a trade; True where it is the window's and no slice has sent it."""
        if trade_id not in self.met:
            self._note_time(trade_id, timestamp)
        inside = self.bounds.start <= timestamp < self.bounds.end
        lacking = inside and bool(within(self._sought, trade_id, trade_id))
        return self.met.add(trade_id, OURS if lacking else BEFORE) and lacking

    def reject(self, trade_id: int, timestamp: int) -> bool:
        """Note a trade that can't be taken; True where it is new and no slice met it. Its id is not lost."""
        if trade_id in self.met:
            return False
        self._note_time(trade_id, timestamp)
        self.met.add(trade_id, BEFORE)
        return bool(within(self._sought, trade_id, trade_id))

    def _note_time(self, trade_id: int, timestamp: int) -> None:
        if timestamp < self.bounds.early:
            if self.early >= 0:
                self.floor, self.reached = max(self.floor, min(trade_id, self.early)), True
            self.early = max(self.early, trade_id)
        elif timestamp >= self.bounds.late:
            if self.late < ENDLESS:
                self.ceiling = min(self.ceiling, max(trade_id, self.late))
            self.late = min(self.late, trade_id)

    def ended(self, query: HistoryQuery, outcome: SearchOutcome, detail: str, now: int) -> None:  # noqa: ARG002
        """Note how a search ended for good; ids say what it showed, whatever the time is."""
        if outcome == "failed":
            self.failures.append((query, detail))
        elif outcome == "ended" and self.met and (self.met.low <= LEAST_ID or self.early == self.met.low):
            self.floor, self.reached = max(self.floor, self.early), True

    def queries(self, observed: list[SliceObservation]) -> list[HistoryQuery]:
        """Give the searches to make, the newest ids first."""
        early, late, missing = self.bounds.early, self.bounds.late, self.missing
        queries = []
        if missing.open_above:
            queries.append(HistoryQuery(early, late, missing.top + 1 if missing.top >= 0 else None))
        queries += [
            HistoryQuery(early, late, first, (last + 1, _time_above(observed, last + 1, late)))
            for first, last in reversed(missing.ranges)
        ]
        if missing.open_below and missing.top >= 0:
            queries.append(HistoryQuery(early, late, None, (missing.low, _time_above(observed, missing.low, late))))
        return [self._below_what_is_met(query) for query in queries]

    def _below_what_is_met(self, query: HistoryQuery) -> HistoryQuery:
        """Begin a search below the ids that an earlier closing met on its way down."""
        top = query.above[0] - 1 if query.above else max(self.met.top, self.missing.top + 1)
        met = next((span for span in self.met.all_sides() if span[0] <= top <= span[1]), None)
        if met is None:
            return query
        return replace(query, above=(met[0], query.above[1] if query.above else self.bounds.late))

    def is_met(self, query: HistoryQuery) -> bool:
        """Say whether earlier searches brought all that this one asks for."""
        if query.above is None:
            return False
        if query.first is None:
            return self.reached
        return not without([(query.first, query.above[0] - 1)], self.met.all_sides())

    def lost(self, market: str) -> list[LostInterval]:
        """Give what no search brought and may be the window's."""
        between = [self._lost_ids(market, span) for span in self._missing()]
        return [*self._lost_below(market), *between, *self._lost_above(market)]

    def ids(self, observed: list[SliceObservation]) -> tuple[int, int] | None:
        """Give the window's first and last id, as far as they were sent."""
        ours = normalised(chain(self.met.of_side(OURS), *(one.market.ours for one in observed)))
        return (ours[0][0], ours[-1][1]) if ours else None

    def warnings(self) -> list[str]:
        """Say what could not be looked for, though nothing speaks for a loss."""
        tops = [detail for query, detail in self.failures if query.above is None and self.missing.complete_above]
        return [f"{LATE_TRADES_UNSEEN}: {detail}" for detail in tops]

    def _missing(self) -> list[IdRange]:
        top = max(self.missing.top, self.met.top)
        low = min(self.missing.low, self.met.low) if self.met else self.missing.low
        low = max(low, self.missing.floor, self.floor)
        return without(within(self._sought, low, min(top, self.ceiling)), self.met.all_sides())

    def _lost_ids(self, market: str, span: IdRange) -> LostInterval:
        details = [detail for query, detail in self.failures if _covers(query, span)]
        return LostInterval(market, details[0] if details else "the venue's history lacks them", *span)

    def _lost_below(self, market: str) -> list[LostInterval]:
        nothing_speaks_for_it = self._nothing_traded or (self.missing.idle and not self.met.of_side(OURS))
        if not self.missing.open_below or self.reached or nothing_speaks_for_it:
            return []
        known = [span[0] for span in [*self.missing.ranges, *self.met.all_sides()]]
        last = min([*known, self.missing.low if self.missing.top >= 0 else ENDLESS])
        details = [detail for query, detail in self.failures if query.first is None]
        reason = details[0] if details else "the venue's history does not go back so far"
        is_whole = self.missing.top < 0 and not self.met
        until = self.bounds.end if is_whole else None
        ends = last - 1 if last < ENDLESS else None
        return [LostInterval(market, reason, last=ends, since=self.bounds.start, until=until)]

    @property
    def _nothing_traded(self) -> bool:
        return not self.met and not self.failures and self.missing.top < 0

    def _lost_above(self, market: str) -> list[LostInterval]:
        details = [detail for query, detail in self.failures if query.above is None and query.first is not None]
        if not details or self.missing.complete_above:
            return []
        return [LostInterval(market, details[0], first=self.missing.top + 1, until=self.bounds.end)]


def _covers(query: HistoryQuery, span: IdRange) -> bool:
    below_start = query.above is None or span[1] < query.above[0]
    return below_start and (query.first is None or query.first <= span[0])


def _time_above(observed: list[SliceObservation], trade_id: int, late: int) -> int:
    """Give a time that a trade was not later than, as far as any slice knows."""
    for one in observed:
        if within(one.market.before, trade_id, trade_id):
            return one.start
        if within(one.market.ours, trade_id, trade_id):
            return one.end
    return late
