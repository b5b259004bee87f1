"""The method of every benchmark: all sides in turns in one process, CPU-seconds, medians of the ratios of one round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import process_time

type Side = Callable[[], tuple[int, int]]
"""Does a chunk of work, at most about 0.1 s of it, and returns (rows, bytes) of what it made."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `ratio` must reach `bar`, or stay at or under it where `at_most`; without a bar it informs only.
    """

    name: str
    beside: str
    ratio: float
    bar: float | None
    at_most: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        if self.bar is None:
            return True
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


@dataclass(frozen=True, slots=True)
class Lap:
    """What one side did in one round."""

    rows: int
    bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def compare(
    name: str,
    ours: Side,
    peers: Mapping[str, Side],
    bars: Mapping[str, float],
    *,
    rounds: int = 7,
    seconds: float = 0.25,
) -> list[Row]:
    """Measure our rows per CPU-second as a multiple of each peer's.

    bars: the least ratio for a peer of that name; a peer without one is shown for information. Prints rows, bytes and
    rate of all sides.
    """
    sides = {"ours": ours, **peers}
    for side in sides.values():
        side()
    laps = [{label: _lap(side, seconds) for label, side in sides.items()} for _ in range(rounds)]
    for label in sides:
        _show(name, label, [lap[label] for lap in laps])
    return [_row(name, label, [lap["ours"].rate / lap[label].rate for lap in laps], bars.get(label)) for label in peers]


def _lap(side: Side, seconds: float) -> Lap:
    rows = size = 0
    start = process_time()
    while (spent := process_time() - start) < seconds:
        made = side()
        rows, size = rows + made[0], size + made[1]
    return Lap(rows, size, spent)


def _row(name: str, beside: str, ratios: list[float], bar: float | None) -> Row:
    return Row(
        name, beside, median(ratios), bar, note=f"{min(ratios):.4g} to {max(ratios):.4g} in {len(ratios)} rounds"
    )


def _show(name: str, label: str, laps: list[Lap]) -> None:
    rows, size = sum(lap.rows for lap in laps), sum(lap.bytes for lap in laps)
    rates = [lap.rate for lap in laps]
    print(
        f"{name} | {label}: {rows:,} rows, {size:,} bytes ({size / max(rows, 1):.0f} a row), "
        f"{median(rates):,.0f} rows per CPU-second ({min(rates):,.0f} to {max(rates):,.0f})"
    )
