"""What a slice of a live feed saw of its markets, in a form that fits in one ledger row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.domain.windows.window import Slice
from shared.trades.completeness.id_ranges import IdRange, longest, size

MOST_RANGES = 40
MOST_GAPS = 20
MOST_SAMPLES = 20
MOST_EXCERPT = 200

GapState = Literal["filled", "lost", "open"]


@dataclass(frozen=True, slots=True)
class GapReport:
    """Trades that the websocket did not bring.

    first, last: ids, None where unknown or where the venue's ids don't follow each other.
    filled: trades that the history brought. missing: ids still unmet. detail: why they are.
    state: `filled`, `lost` (the history lacks them) or `open` (the history did not answer in time).
    since, until: microseconds since the Unix epoch, where the gap is known by time.
    """

    reason: str
    state: GapState
    first: int | None = None
    last: int | None = None
    filled: int = 0
    missing: tuple[IdRange, ...] = ()
    since: int | None = None
    until: int | None = None
    detail: str = ""

    def as_wire(self) -> dict[str, Any]:
        """Give the gap as plain JSON."""
        return {
            "reason": self.reason,
            "state": self.state,
            "first": self.first,
            "last": self.last,
            "filled": self.filled,
            "missing": [list(span) for span in longest(self.missing, MOST_GAPS)],
            "since": self.since,
            "until": self.until,
            "detail": self.detail[:MOST_EXCERPT],
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "GapReport":
        """Read what `as_wire` gave."""
        return cls(**{**wire, "missing": _ranges(wire["missing"])})


@dataclass(frozen=True, slots=True)
class Recheck:
    """A time that closing must look at again: `[since, until)` in microseconds, and the ids already met in it.

    needed: trades may well be missing there; else it is a look for late ones.
    """

    since: int
    until: int
    reason: str
    known: tuple[int, ...] = ()
    needed: bool = True

    def as_wire(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        plain = {"since": self.since, "until": self.until, "reason": self.reason, "needed": self.needed}
        return {**plain, "known": list(self.known)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Recheck":
        """Read what `as_wire` gave."""
        return cls(**{**wire, "known": tuple(wire["known"])})


@dataclass(frozen=True, slots=True)
class MarketReport:
    """One market in one slice.

    before, ours, after: ranges of ids met, by the side of the slice on which their time lies; ours were sent.
    A list too long for a row keeps its longest ranges: closing then asks for the others again.
    floor: no id below it is the slice's. ceiling: no id above it is. None: not known.
    top: the highest id that the venue named. complete_above: nothing above it was missed (`settled` in the ledger).
    quiet: provably no trade at all. rechecks: for ids that don't follow each other.
    sent: trades by origin. lag_ms, ahead_ms: how far the exchange's time was behind, or before, ours at the most.
    earlier: what was seen before the ids began anew, which they do where a market is listed again.
    """

    market: str
    contiguous: bool
    before: tuple[IdRange, ...] = ()
    ours: tuple[IdRange, ...] = ()
    after: tuple[IdRange, ...] = ()
    floor: int | None = None
    ceiling: int | None = None
    top: int | None = None
    complete_above: bool = True
    quiet: bool = False
    rechecks: tuple[Recheck, ...] = ()
    gaps: tuple[GapReport, ...] = ()
    sent: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    lag_ms: int = 0
    ahead_ms: int = 0
    earlier: "MarketReport | None" = None

    @property
    def ids(self) -> dict[str, int | None]:
        """Name the last id before the slice, its own first and last, and the first after it."""
        return {
            "before": self.before[-1][1] if self.before else None,
            "first": self.ours[0][0] if self.ours else None,
            "last": self.ours[-1][1] if self.ours else None,
            "after": self.after[0][0] if self.after else None,
        }

    def as_wire(self) -> dict[str, Any]:
        """Give the report as plain JSON; `ids` and `gap_count` are for readers alone."""
        ranges = {name: [list(span) for span in longest(getattr(self, name), MOST_RANGES)] for name in _RANGES}
        plain = {key: getattr(self, name) for name, key in _PLAIN.items()}
        return {
            **plain,
            **ranges,
            "sent": dict(self.sent),
            "ids": self.ids,
            "gap_count": len(self.gaps),
            "gaps": [gap.as_wire() for gap in _worst(self.gaps)],
            "rechecks": [recheck.as_wire() for recheck in self.rechecks],
        } | ({"earlier": self.earlier.as_wire()} if self.earlier else {})

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "MarketReport":
        """Read what `as_wire` gave."""
        return cls(
            **{name: wire[key] for name, key in _PLAIN.items()},
            before=_ranges(wire["before"]),
            ours=_ranges(wire["ours"]),
            after=_ranges(wire["after"]),
            sent=dict(wire["sent"]),
            gaps=tuple(GapReport.from_wire(gap) for gap in wire["gaps"]),
            rechecks=tuple(Recheck.from_wire(recheck) for recheck in wire["rechecks"]),
            earlier=cls.from_wire(wire["earlier"]) if "earlier" in wire else None,
        )


@dataclass(frozen=True, slots=True)
class SliceReport:
    """One attempt at one slice of a live feed.

    slice: as planned, but for its end, which a stop may have brought forward. connections: opened, of all venues.
    unreadable: frames and trades that could not be read; samples: the first of them, cut. warnings: sentences for
    people. refused: the markets that their venue will not serve, with its words.
    """

    slice: Slice
    attempt: int
    markets: tuple[MarketReport, ...]
    connections: int = 0
    interruptions: int = 0
    unreadable: int = 0
    samples: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def of(self, market: str) -> MarketReport | None:
        """Find a market's report."""
        return next((report for report in self.markets if report.market == market), None)

    def as_wire(self) -> dict[str, Any]:
        """Give the report as plain JSON for the ledger and the durable boundary."""
        return {
            "slice": self.slice.as_wire(),
            "attempt": self.attempt,
            "markets": [market.as_wire() for market in self.markets],
            "connections": self.connections,
            "interruptions": self.interruptions,
            "unreadable": self.unreadable,
            "samples": list(self.samples),
            "warnings": list(self.warnings),
        } | ({"refused": dict(self.refused)} if self.refused else {})

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "SliceReport":
        """Read what `as_wire` gave; what the slice's activity added, like how late it began, is passed over."""
        return cls(
            **{
                **{name: wire[name] for name in _COUNTED},
                "slice": Slice.from_wire(wire["slice"]),
                "markets": tuple(MarketReport.from_wire(market) for market in wire["markets"]),
                "samples": tuple(wire["samples"]),
                "warnings": tuple(wire["warnings"]),
                "refused": wire.get("refused", {}),
            }
        )


_COUNTED = ("attempt", "connections", "interruptions", "unreadable")
_RANGES = ("before", "ours", "after")
_SAME = ("market", "contiguous", "floor", "ceiling", "top", "quiet", "duplicates", "lag_ms", "ahead_ms")
_PLAIN = {name: name for name in _SAME} | {"complete_above": "settled"}
"""Keys of a row by the names here: rows that were written under a key stay readable."""


def _ranges(wire: Sequence[Sequence[int]]) -> tuple[IdRange, ...]:
    return tuple((span[0], span[1]) for span in wire)


def _worst(gaps: Sequence[GapReport]) -> list[GapReport]:
    """Keep what fits, the unfilled first, the largest first."""
    ranked = sorted(gaps, key=lambda gap: (gap.state == "filled", -size(gap.missing), -gap.filled))
    return ranked[:MOST_GAPS]
