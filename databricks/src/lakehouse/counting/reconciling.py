"""Says whether what arrived is what was sent, and names every row of difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lakehouse.counting.counts import CountRow, WindowCounts
from lakehouse.window import Closed, Spilled

LONGEST_NAME = 128
"""Characters of the column `name` of `window_counts`."""

CLEANED = "cleaned"
"""The stage that says how many rows of silver each cleaning rule met."""

SPILL = "spill"
"""The stage of `window_counts` that says what became of spilled records."""


@dataclass(frozen=True, slots=True)
class Equations:
    """What must hold of a stream's tables.

    balances: each set of tables that together have every row of silver once. published: SQL tables by the table that
    they repeat. layers: those of tables that are not in gold. is_counted: whether the window counted what was sent; of
    what the app makes of others' records it did not, so nobody knows how many there should be.
    """

    balances: Sequence[Sequence[str]] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    is_counted: bool = True


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
    spill: Spilled

    @property
    def faults(self) -> int:
        """Count what must not be: the differences, and that records are dead in the spill."""
        return len(self.differences) + bool(self.spill.dead)

    @property
    def verdict(self) -> str:
        """Give `unbalanced`; `waiting` where nothing is wrong but records wait in the spill; else `balanced`."""
        if self.faults:
            return "unbalanced"
        return "waiting" if self.spill.waiting else "balanced"


def reconciliation(closed: Closed, counts: WindowCounts, equations: Equations) -> Reconciliation:
    """Compare the app's counts with the tables': every equation that does not hold is a named difference."""
    surplus, missing = _surplus(closed, counts) if equations.is_counted else ((), ())
    unequal = tuple(difference for difference in _equations(closed, counts, equations) if difference.rows)
    return Reconciliation((*unequal, *missing), surplus, closed.spill)


def as_rows(counts: WindowCounts, closed: Closed | None, equations: Equations) -> list[CountRow]:
    """Write counts, and the verdict where the window is closed, as rows (stage, name, rows) of `window_counts`."""
    verdict = _verdict(reconciliation(closed, counts, equations)) if closed else ()
    beside = counts.cosmos.as_rows(closed.waiting_for_cosmos if closed else None) if counts.cosmos else ()
    found = (*_stages(counts, equations.layers), *beside, *verdict)
    return [(stage, name[:LONGEST_NAME], rows) for stage, name, rows in found]


def _equations(closed: Closed, counts: WindowCounts, equations: Equations) -> Iterator[Difference]:
    sent = closed.counts
    ended = sent.accepted + sent.refused + sent.unknown + sent.spilled
    yield Difference("read = accepted + refused + unknown + spilled", sent.read, ended)
    kept = counts.silver_new + counts.duplicates + counts.quarantined
    yield Difference("bronze_records = silver_new + duplicates + quarantined", counts.bronze_records, kept)
    for tables in equations.balances:
        yield Difference(f"silver_new = {' + '.join(tables)}", counts.silver_new, sum(map(counts.rows_of, tables)))
    for table, sql in equations.published.items():
        if sql in counts.sql:
            yield Difference(f"{table} = sql {sql}", counts.rows_of(table), counts.sql[sql])


def _surplus(closed: Closed, counts: WindowCounts) -> tuple[tuple[tuple[str, int], ...], tuple[Difference, ...]]:
    """Name what bronze holds beyond the accepted records.

    Records of a try that did not complete its slice were sent again by the one that did. Of that one's, more than were
    accepted are those that left the spill, which must arrive, then unknown ones, then ones that are in the spill though
    the hub had stored them; still more are sends that were stored twice, hence duplicates in silver.
    """
    resent, counted = _by_attempt(closed, counts)
    beyond = max(counted - closed.counts.accepted, 0)
    left_spill = min(beyond, _left_spill(closed))
    unknown = min(beyond - left_spill, closed.counts.unknown)
    in_spill = min(beyond - left_spill - unknown, closed.counts.spilled - _left_spill(closed))
    twice = beyond - left_spill - unknown - in_spill
    named = {**resent, "unknown_arrived": unknown, "spilled_arrived": left_spill + in_spill, "stored_twice": twice}
    surplus = tuple((name, rows) for name, rows in named.items() if rows)
    return surplus, tuple(_unexplained(closed, counts, counted, twice))


def _left_spill(closed: Closed) -> int:
    """Count the spilled records that must have arrived: the redriven ones, and any that the spill lost.

    Closing may have spilled its records in two tries of one number, so the spill can have more than were counted.
    """
    kept = closed.spill.waiting + closed.spill.dead + closed.spill.discarded
    return max(closed.counts.spilled - kept, 0)


def _by_attempt(closed: Closed, counts: WindowCounts) -> tuple[dict[str, int], int]:
    completing = dict(sorted(counts.arrived)) | dict(closed.attempts)
    resent: dict[str, int] = {}
    counted = 0
    for (slice_, attempt), rows in counts.arrived.items():
        if attempt == completing[slice_] or attempt in closed.continued.get(slice_, ()):
            counted += rows
        else:
            name = f"resent_by_attempt_{completing[slice_]}"
            resent[name] = resent.get(name, 0) + rows
    return resent, counted


def _unexplained(closed: Closed, counts: WindowCounts, counted: int, twice: int) -> Iterator[Difference]:
    accepted, left_spill = closed.counts.accepted, _left_spill(closed)
    due = (
        Difference("arrived of those accepted", min(counted, accepted), accepted),
        Difference("arrived of those that left the spill", min(max(counted - accepted, 0), left_spill), left_spill),
    )
    if counted < accepted + left_spill:
        yield from (difference for difference in due if difference.rows)
        # Numbers that the hub deleted may be of any window's events; where records are missing they say why.
        yield from (Difference(f"deleted by the hub unread: {hole}", hole.rows, 0) for hole in counts.holes)
    if twice > counts.duplicates:
        yield Difference("stored twice = duplicates", twice, counts.duplicates)


def _stages(counts: WindowCounts, layers: Mapping[str, str]) -> Iterator[CountRow]:
    for stage in ("bronze_events", "bronze_records", "silver_new", "duplicates", "quarantined"):
        yield stage, "", getattr(counts, stage)
    yield from ((CLEANED, rule, rows) for rule, rows in counts.cleaned.items())
    for table in counts.gold:
        layer = layers.get(table, "gold")
        yield layer, table, counts.rows_of(table)
        yield from ((layer, f"{table}/{value}", rows) for value, rows in sorted(counts.gold[table].items()) if value)
    yield from (("sql", table, rows) for table, rows in counts.sql.items())
    yield from (("hole", str(hole), hole.rows) for hole in counts.holes)


def _verdict(found: Reconciliation) -> Iterator[CountRow]:
    yield from ((SPILL, state, rows) for state, rows in found.spill.by_state.items())
    yield "reconciliation", found.verdict, found.faults
    for name, rows in found.surplus:
        yield "surplus", name, rows
    for difference in found.differences:
        yield "difference", difference.name, difference.rows
