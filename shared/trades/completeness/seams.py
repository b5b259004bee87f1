"""Decides, from what the slices of a window saw, which trades none of them can have sent.

An id is accounted for where a slice sent it, or where a slice saw it on the outer side of the window's first or last
instant. Every other id between the window's ends is sought in the venue's history: it may lie between two slices, in a
gap that a slice could not fill, or be seen by a slice that knew it for its neighbour's, which never met it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from shared.domain.windows.window import Window, microseconds
from shared.trades.completeness.id_ranges import IdRange, normalised, within, without
from shared.trades.completeness.reports import MarketReport, Recheck, SliceReport

ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class SliceObservation:
    """What one slice saw of one market; start and end are microseconds since the Unix epoch."""

    start: int
    end: int
    market: MarketReport


@dataclass(frozen=True, slots=True)
class MissingIds:
    """Ids that the history is to be asked for, lowest first; the first or the last range may be open to its side.

    open_below: trades of the window may lie below every known id, the lowest of which is `low`.
    open_above: they may lie above every known one, the highest of which is `top`; -1 where no id is known.
    complete_above: the last slice missed nothing above `top`, so only trades later than its grace can lie there.
    floor: no id below it is the window's, -1 where that is not known.
    idle: as far as the slices heard, nothing was traded between the window's start and `low`.
    """

    ranges: tuple[IdRange, ...]
    low: int
    top: int
    open_below: bool
    open_above: bool
    complete_above: bool
    floor: int
    idle: bool

    @property
    def sought(self) -> list[IdRange]:
        """Give all ids in question, the open sides included."""
        below = [(0, self.low - 1)] if self.open_below else []
        above = [(self.top + 1, ENDLESS)] if self.open_above else []
        return normalised([*below, *self.ranges, *above])


@dataclass(frozen=True, slots=True)
class LostInterval:
    """Trades of a window that its venue can't give back: ids, or a time in microseconds, and why."""

    market: str
    reason: str
    first: int | None = None
    last: int | None = None
    since: int | None = None
    until: int | None = None

    def as_wire(self) -> dict[str, Any]:
        """Give the interval as plain JSON."""
        return {
            "market": self.market,
            "reason": self.reason,
            "first": self.first,
            "last": self.last,
            "since": self.since,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """What closing a window found.

    seams: places checked where a slice, or the window before, meets the next one, of all markets; broken: those where
    ids were missing. added: trades that closing itself sent, per market. ids: first and last id of the window, per
    market, lost ones not counted. warnings: sentences for people. rest: the markets that were not done in time, with
    what was met of each (`SequenceCheck.as_wire`), so that the next closing goes on there. rejected: trades that were
    found and can't be taken; samples: the first of them. lost_before: lost intervals for which an earlier report had
    no room.
    """

    state: Literal["closed", "incomplete"]
    lost: tuple[LostInterval, ...]
    seams: int
    broken: int
    added: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rest: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rejected: int = 0
    samples: tuple[str, ...] = ()
    lost_before: int = 0

    def as_wire(self) -> dict[str, Any]:
        """Give the result as plain JSON; of the lost intervals the first 100, and how many there are."""
        return {
            "state": self.state,
            "lost": [one.as_wire() for one in self.lost[:_MOST_LOST]],
            "lost_count": len(self.lost) + self.lost_before,
            "joins": self.seams,
            "broken": self.broken,
            "added": dict(self.added),
            "ids": {market: list(pair) for market, pair in self.ids.items()},
            "warnings": list(self.warnings),
            "rest": {market: [dict(one) for one in met] for market, met in self.rest.items()},
            "unreadable": self.rejected,
            "samples": list(self.samples),
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "ClosingReport":
        """Read what `as_wire` gave."""
        return cls(
            wire["state"],
            tuple(LostInterval(**one) for one in wire["lost"]),
            seams=wire["joins"],
            broken=wire["broken"],
            added=dict(wire["added"]),
            ids={market: (pair[0], pair[1]) for market, pair in wire["ids"].items()},
            warnings=tuple(wire["warnings"]),
            rest=wire["rest"],
            rejected=wire["unreadable"],
            samples=tuple(wire["samples"]),
            lost_before=wire["lost_count"] - len(wire["lost"]),
        )


def observations_of(market: str, reports: Iterable[SliceReport]) -> list[SliceObservation]:
    """Collect what slices saw of a market, in the order of their time."""
    found = [
        SliceObservation(microseconds(report.slice.start), microseconds(report.slice.end), seen)
        for report in reports
        if (seen := report.of(market)) is not None
    ]
    return sorted(found, key=lambda one: one.start)


def missing_ids_of(window: Window, observed: Sequence[SliceObservation], previous: MarketReport | None) -> MissingIds:
    """Decide what to seek in a market with contiguous ids.

    previous: the market in the last slice of the window before, where that ends at this one's start.
    """
    start, end = microseconds(window.start), microseconds(window.end)
    known = [span for one in observed for span in _met(one.market)]
    tops = [one.market.top for one in observed if one.market.top is not None]
    first, last = _first_id(observed, start, previous), _last_id(observed, end)
    low = min((span[0] for span in known), default=0)
    top = max(tops, default=-1)
    low_end = low if first is None else first
    questioned = within([(low_end, top)], low_end, top if last is None else last)
    accounted = _accounted(observed, previous, start, end)
    return MissingIds(
        tuple(without(questioned, accounted)),
        low=min(low, low_end),
        top=top,
        open_below=first is None,
        open_above=last is None,
        complete_above=any(one.market.complete_above for one in observed if one.end >= end),
        floor=max(_floor(observed, start), _floor_of(previous)),
        idle=_is_idle(observed, start),
    )


def seams_of(
    observed: Sequence[SliceObservation], previous: MarketReport | None, missing: MissingIds
) -> tuple[int, int]:
    """Count the seams between neighbours that have ids on both sides, and those of them where ids are missing."""
    chain = ([previous] if previous else []) + [one.market for one in observed]
    spans = [(met[0][0], met[-1][1]) for met in map(_met, chain) if met]
    pairs = list(pairwise(spans))
    broken = [pair for pair in pairs if within(missing.ranges, pair[0][1] + 1, pair[1][0] - 1)]
    return len(pairs), len(broken)


def rechecks_of(window: Window, observed: Sequence[SliceObservation]) -> list[Recheck]:
    """Decide which times to seek in a market whose ids don't follow each other, the latest first."""
    own = [recheck for one in observed for recheck in one.market.rechecks]
    spans = [(one.start, one.end - 1) for one in observed]
    bare = without([(microseconds(window.start), microseconds(window.end) - 1)], spans)
    own += [Recheck(since, until + 1, "no slice was there") for since, until in bare]
    return sorted(own, key=lambda recheck: recheck.until, reverse=True)


def _first_id(observed: Sequence[SliceObservation], start: int, previous: MarketReport | None) -> int | None:
    """Give the id from which the window joins on to what is before it; None where that is not known."""
    floor, after_previous = _floor(observed, start), _first_after(previous)
    if floor < 0 or after_previous is None:
        return floor if floor >= 0 else after_previous
    return min(floor, after_previous)


def _floor(observed: Sequence[SliceObservation], start: int) -> int:
    """Give an id below which nothing is the window's; -1 where its first slice does not know."""
    return _floor_of(observed[0].market) if observed and observed[0].start <= start else -1


def _floor_of(market: MarketReport | None) -> int:
    return -1 if market is None or market.floor is None else market.floor


def _is_idle(observed: Sequence[SliceObservation], start: int) -> bool:
    """Say whether slices that heard no trade at all lead from the window's start to one that knows its floor."""
    for one in observed:
        if one.start > start or not one.market.quiet:
            return one.start <= start and one.market.floor is not None
        start = one.end
    return bool(observed)


def _last_id(observed: Sequence[SliceObservation], end: int) -> int | None:
    ceilings = [one.market.ceiling for one in observed if one.end >= end and one.market.ceiling is not None]
    return min(ceilings, default=None)


def _first_after(previous: MarketReport | None) -> int | None:
    """Give the lowest id that the window before does not know for its own or an earlier one's."""
    if previous is None or not _met(previous):
        return None
    return min(previous.after[0][0] if previous.after else ENDLESS, _met(previous)[-1][1] + 1)


def _accounted(
    observed: Sequence[SliceObservation], previous: MarketReport | None, start: int, end: int
) -> list[IdRange]:
    accounted = [span for one in observed for span in one.market.ours]
    accounted += [span for one in observed if one.start <= start for span in one.market.before]
    accounted += [span for one in observed if one.end >= end for span in one.market.after]
    return accounted + ([*previous.before, *previous.ours] if previous else [])


def _met(market: MarketReport) -> list[IdRange]:
    return normalised([*market.before, *market.ours, *market.after])


_MOST_LOST = 100
