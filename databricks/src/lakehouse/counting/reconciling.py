"""Says whether what arrived is what was sent, and names every row of difference."""

from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.counting.counts import CountRow, WindowCounts
from lakehouse.window import Closed


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides that should be equal and are not."""

    name: str
    left: int
    right: int

    @property
    def rows(self) -> int:
        """Give how many rows the left side has more than the right."""
        return self.left - self.right

    def __str__(self) -> str:
        return f"{self.name}: {self.left} and {self.right} ({self.rows:+d})"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The verdict on one window and stream. surplus: (name, rows) of what arrived beyond what was accepted."""

    differences: tuple[Difference, ...]
    surplus: tuple[tuple[str, int], ...]

    @property
    def verdict(self) -> str:
        """Give `balanced` or `unbalanced`."""
        return "unbalanced" if self.differences else "balanced"


def reconciliation(closed: Closed, counts: WindowCounts) -> Reconciliation:
    """Compare the app's counts with the tables': every equation that does not hold is a named difference."""
    surplus, missing = _surplus(closed, counts)
    unequal = tuple(difference for difference in _equations(closed, counts) if difference.rows)
    return Reconciliation((*unequal, *missing), surplus)


def as_rows(counts: WindowCounts, closed: Closed | None) -> list[CountRow]:
    """Write counts, and the verdict where the window is closed, as rows (stage, name, rows) of `window_counts`."""
    return [*_stages(counts), *(_verdict(reconciliation(closed, counts)) if closed else ())]


def _equations(closed: Closed, counts: WindowCounts) -> Iterator[Difference]:
    sent = closed.counts
    ended = sent.accepted + sent.refused + sent.unknown + sent.spilled
    yield Difference("read = accepted + refused + unknown + spilled", sent.read, ended)
    kept = counts.silver_new + counts.duplicates + counts.quarantined
    yield Difference("bronze_records = silver_new + duplicates + quarantined", counts.bronze_records, kept)
    if counts.enriched is not None:
        joined = counts.enriched + sum((counts.unmatched or {}).values())
        yield Difference("silver_new = enriched + unmatched", counts.silver_new, joined)
    if counts.enriched is not None and counts.sql is not None:
        yield Difference("enriched = sql", counts.enriched, counts.sql)


def _surplus(closed: Closed, counts: WindowCounts) -> tuple[tuple[tuple[str, int], ...], tuple[Difference, ...]]:
    """Name what bronze holds beyond the accepted records.

    Records of a try that did not complete its slice were sent again by the one that did. Of that one's, more than were
    accepted are unknown ones that arrived, then spilled ones that were sent later; still more are sends that were
    stored twice, hence duplicates in silver.
    """
    resent, counted = _by_attempt(closed, counts)
    beyond = max(counted - closed.counts.accepted, 0)
    unknown = min(beyond, closed.counts.unknown)
    spilled = min(beyond - unknown, closed.counts.spilled)
    twice = beyond - unknown - spilled
    named = {**resent, "unknown_arrived": unknown, "spilled_arrived": spilled, "stored_twice": twice}
    surplus = tuple((name, rows) for name, rows in named.items() if rows)
    return surplus, tuple(_unexplained(closed, counts, counted, twice))


def _by_attempt(closed: Closed, counts: WindowCounts) -> tuple[dict[str, int], int]:
    completing = dict(sorted(counts.arrived)) | dict(closed.attempts)
    resent: dict[str, int] = {}
    counted = 0
    for (slice_, attempt), rows in counts.arrived.items():
        if attempt == completing[slice_]:
            counted += rows
        else:
            name = f"resent_by_attempt_{completing[slice_]}"
            resent[name] = resent.get(name, 0) + rows
    return resent, counted


def _unexplained(closed: Closed, counts: WindowCounts, counted: int, twice: int) -> Iterator[Difference]:
    if counted < closed.counts.accepted:
        yield Difference("arrived of those accepted", counted, closed.counts.accepted)
    if twice > counts.duplicates:
        yield Difference("stored twice = duplicates", twice, counts.duplicates)


def _stages(counts: WindowCounts) -> Iterator[CountRow]:
    for stage in ("bronze_events", "bronze_records", "silver_new", "duplicates", "quarantined"):
        yield stage, "", getattr(counts, stage)
    if counts.enriched is not None:
        yield "enriched", "", counts.enriched
    if counts.unmatched is not None:
        yield "unmatched", "", sum(counts.unmatched.values())
        for symbol, rows in sorted(counts.unmatched.items()):
            yield "unmatched", symbol, rows
    if counts.sql is not None:
        yield "sql", "", counts.sql


def _verdict(found: Reconciliation) -> Iterator[CountRow]:
    yield "reconciliation", found.verdict, len(found.differences)
    for name, rows in found.surplus:
        yield "surplus", name, rows
    for difference in found.differences:
        yield "difference", difference.name, difference.rows
