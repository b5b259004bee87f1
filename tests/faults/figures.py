"""The figures that the fault tests measure, each beside its bar, and the table of them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REPORT = Path(__file__).parents[2] / "docs/reliability.md"
FIRST, LAST = "<!-- figures: written by make faults -->", "<!-- end of the figures -->"
HEAD = ("| row | what | measured | bar | holds |", "|---|---|---|---|---|")


@dataclass(frozen=True)
class Figure:
    """One measured figure of a row (`F7`), as text, and whether it holds its bar."""

    row: str
    what: str
    measured: str
    bar: str
    holds: bool

    def as_line(self) -> str:
        """Give the figure as a line of the Markdown table."""
        return f"| {self.row} | {self.what} | {self.measured} | {self.bar} | {'yes' if self.holds else '**no**'} |"


@dataclass(frozen=True)
class Figures:
    """Takes the figures of a row: hands each to `keep`, then asserts that it holds."""

    row: str
    keep: Callable[[dict[str, object]], None]

    def exactly(self, what: str, measured: float, wanted: float, unit: str = "") -> None:
        """Hold that a figure is `wanted`."""
        self._take(what, _text(measured, unit), _text(wanted, unit), holds=measured == wanted)

    def at_most(self, what: str, measured: float, bar: float, unit: str = "") -> None:
        """Hold that a figure does not exceed its bar."""
        self._take(what, _text(measured, unit), f"≤ {_text(bar, unit)}", holds=measured <= bar)

    def at_least(self, what: str, measured: float, bar: float, unit: str = "") -> None:
        """Hold that a figure reaches its bar."""
        self._take(what, _text(measured, unit), f"≥ {_text(bar, unit)}", holds=measured >= bar)

    def all_of(self, what: str, measured: int, of: int, besides: Sequence[str] = ()) -> None:
        """Hold that all of some, which are more than none, are as they should be; `besides` names those that aren't."""
        self._take(what, f"{measured:,} of {of:,}", "all", holds=measured == of > 0, besides=besides)

    def _take(self, what: str, measured: str, bar: str, *, holds: bool, besides: Sequence[str] = ()) -> None:
        figure = Figure(self.row, what, measured, bar, holds)
        self.keep(asdict(figure))
        assert holds, "\n".join([f"{self.row}, {what}: measured {measured}, the bar is {bar}", *besides])


def percentile(values: Iterable[float], percent: float) -> float:
    """Give the least of the values that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def row_of(module: str) -> str:
    """Give the row that a module measures: that of `test_f07_gaps` is `F7`."""
    return f"F{int(module.rpartition('.')[2].removeprefix('test_f').partition('_')[0])}"


def as_table(figures: Iterable[Figure]) -> list[str]:
    """Give the lines of the table, rows in their order; figures of a row stay in theirs."""
    return [*HEAD, *(one.as_line() for one in sorted(figures, key=lambda one: int(one.row[1:])))]


def as_times(spent: Mapping[str, float], whole: float) -> str:
    """Say how many seconds the tests of each row took, and all of them, which may run side by side."""
    rows = sorted(spent, key=lambda row: int(row[1:]))
    return f"Seconds: {', '.join(f'{row} {spent[row]:,.0f}' for row in rows)}; from begin to end {whole:,.0f}."


def with_figures(report: str, figures: Iterable[Figure]) -> str:
    """Give the report with these figures in the places of their former values; others stay."""
    before, _, rest = report.partition(FIRST)
    former, _, after = rest.partition(LAST)
    known = [one for one in map(_figure, former.split("\n")) if one]
    found = {(one.row, one.what): one for one in [*known, *figures]}
    return "\n".join([f"{before}{FIRST}", *as_table(found.values()), f"{LAST}{after}"])


def _figure(line: str) -> Figure | None:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) != 5 or not cells[0].startswith("F"):
        return None
    row, what, measured, bar, holds = cells
    return Figure(row, what, measured, bar, holds == "yes")


def _text(value: float, unit: str) -> str:
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{number} {unit}".strip()
