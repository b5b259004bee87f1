"""Which versions of bronze silver takes next, by what each of its tables says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Positions:
    """Up to which version of bronze each table accounts for it, as its commits say; None where they say nothing.

    A pass writes the tables in this order, so that one never lags behind a later one.
    """

    quarantine: int | None
    duplicates: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """The versions of bronze `(after, to]`.

    after: None for all that bronze has, some of which any table may hold already. has_quarantine, has_duplicates: the
    table has the span already, by a pass that was cut short.
    """

    after: int | None
    to: int
    has_quarantine: bool = False
    has_duplicates: bool = False


def next_span(positions: Positions, newest: int) -> Span | None:
    """Choose what to take in: what a pass that was cut short had begun, else all up to bronze's newest version.

    Rows that say nothing, or more than bronze has, which was then made anew, are no ground to go on from.
    """
    rows = positions.rows
    known = [position for position in (positions.quarantine, positions.duplicates, rows) if position is not None]
    if rows is None or max(known) > newest:
        return Span(None, newest)
    duplicates = max(positions.duplicates or 0, rows)
    quarantine = max(positions.quarantine or 0, duplicates)
    ends = sorted(end for end in {quarantine, duplicates, newest} if end > rows)
    if not ends:
        return None
    return Span(rows, ends[0], has_quarantine=quarantine >= ends[0], has_duplicates=duplicates >= ends[0])
