"""Judges what the venue's history showed of the ids that a window lacks."""

from dataclasses import dataclass, field
from itertools import chain

from shared.trades.completeness.gaps import LEAST_ID, Bounds, Outcome, Want
from shared.trades.completeness.id_ranges import BEFORE, OURS, IdRuns, Run, normalised, within, without
from shared.trades.completeness.seams import ENDLESS, Lost, Search, Sight

LATE_TRADES_UNSEEN = "late trades could not be looked for"


@dataclass(slots=True)
class Findings:
    """The trades that the searches of one market brought; `bounds` are the window's.

    failures: what could not be searched, and why; `reached` is false until a search met the window's beginning.
    """

    bounds: Bounds
    search: Search
    met: IdRuns = field(default_factory=IdRuns)
    floor: int = -1
    ceiling: int = ENDLESS
    reached: bool = False
    failures: list[tuple[Want, str]] = field(default_factory=list)
    _sought: list[Run] = field(init=False)

    def __post_init__(self) -> None:
        """Read the search once."""
        self._sought = self.search.sought

    def take(self, trade_id: int, timestamp: int) -> bool:
        """Note a trade; True where it is the window's and no slice has sent it."""
        if timestamp < self.bounds.early:
            self.floor, self.reached = max(self.floor, trade_id), True
        elif timestamp >= self.bounds.late:
            self.ceiling = min(self.ceiling, trade_id)
        inside = self.bounds.start <= timestamp < self.bounds.end
        lacking = inside and bool(within(self._sought, trade_id, trade_id))
        return self.met.add(trade_id, OURS if lacking else BEFORE) and lacking

    def ended(self, want: Want, outcome: Outcome, detail: str) -> None:
        """Note how a search ended for good."""
        if outcome == "failed":
            self.failures.append((want, detail))
        elif outcome == "ended" and self.met and self.met.low <= LEAST_ID:
            self.reached = True

    def wants(self, sights: list[Sight]) -> list[Want]:
        """Give the searches to make, the newest ids first."""
        early, late, search = self.bounds.early, self.bounds.late, self.search
        wants = [Want(early, late, search.top + 1 if search.top >= 0 else None)] if search.open_above else []
        wants += [
            Want(early, late, first, (last + 1, _time_above(sights, last + 1, late)))
            for first, last in reversed(search.runs)
        ]
        if search.open_below and search.top >= 0:
            wants.append(Want(early, late, None, (search.low, _time_above(sights, search.low, late))))
        return wants

    def is_met(self, want: Want) -> bool:
        """Say whether earlier searches brought all that this one wants."""
        if want.above is None:
            return False
        if want.first is None:
            return self.reached
        return not without([(want.first, want.above[0] - 1)], self.met.every())

    def lost(self, market: str) -> list[Lost]:
        """Give what no search brought and may be the window's."""
        return self._lost_below(market) + [self._lost_ids(market, run) for run in self._missing()] + self._above(market)

    def ids(self, sights: list[Sight]) -> tuple[int, int] | None:
        """Give the window's first and last id, as far as they were sent."""
        ours = normalised(chain(self.met.runs(OURS), *(sight.market.ours for sight in sights)))
        return (ours[0][0], ours[-1][1]) if ours else None

    def warnings(self) -> list[str]:
        """Say what could not be looked for, though nothing speaks for a loss."""
        tops = [detail for want, detail in self.failures if want.above is None and self.search.settled]
        return [f"{LATE_TRADES_UNSEEN}: {detail}" for detail in tops]

    def _missing(self) -> list[Run]:
        top = max(self.search.top, self.met.top)
        low = min(self.search.low, self.met.low) if self.met else self.search.low
        low = max(low, self.search.floor, self.floor)
        return without(within(self._sought, low, min(top, self.ceiling)), self.met.every())

    def _lost_ids(self, market: str, run: Run) -> Lost:
        details = [detail for want, detail in self.failures if _covers(want, run)]
        return Lost(market, details[0] if details else "the venue's history lacks them", *run)

    def _lost_below(self, market: str) -> list[Lost]:
        nothing_speaks_for_it = self._nothing_traded or (self.search.calm and not self.met.runs(OURS))
        if not self.search.open_below or self.reached or nothing_speaks_for_it:
            return []
        known = [run[0] for run in [*self.search.runs, *self.met.every()]]
        last = min([*known, self.search.low if self.search.top >= 0 else ENDLESS])
        details = [detail for want, detail in self.failures if want.first is None]
        reason = details[0] if details else "the venue's history does not go back so far"
        return [Lost(market, reason, last=last - 1 if last < ENDLESS else None, since=self.bounds.start)]

    @property
    def _nothing_traded(self) -> bool:
        return not self.met and not self.failures and self.search.top < 0

    def _above(self, market: str) -> list[Lost]:
        details = [detail for want, detail in self.failures if want.above is None and want.first is not None]
        if not details or self.search.settled:
            return []
        return [Lost(market, details[0], first=self.search.top + 1, until=self.bounds.end)]


def _covers(want: Want, run: Run) -> bool:
    below_start = want.above is None or run[1] < want.above[0]
    return below_start and (want.first is None or want.first <= run[0])


def _time_above(sights: list[Sight], trade_id: int, late: int) -> int:
    """Give a time that a trade was not later than, as far as any slice knows."""
    for sight in sights:
        if within(sight.market.before, trade_id, trade_id):
            return sight.start
        if within(sight.market.ours, trade_id, trade_id):
            return sight.end
    return late
