"""A month's bill: what each part is used, what that costs by the list prices, and the sum of what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from cost.case import Case, Line
from cost.compute import lines_of_databricks, lines_of_functions, lines_of_small_parts, lines_of_sql
from cost.prices import PriceList
from cost.streams import lines_of_hubs, lines_of_logs, lines_of_storage

PARTS = (
    lines_of_databricks,
    lines_of_sql,
    lines_of_functions,
    lines_of_hubs,
    lines_of_small_parts,
    lines_of_storage,
    lines_of_logs,
)


@dataclass(frozen=True, slots=True)
class Priced:
    """A line with its price for the month, None where the list does not know it."""

    line: Line
    cost: float | None


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of a month."""

    lines: Sequence[Priced]

    @property
    def total(self) -> float:
        """Add up what is known."""
        return sum(priced.cost or 0.0 for priced in self.lines)

    @property
    def lacking(self) -> list[str]:
        """Name the parts that are used and whose price is unknown: the sum lacks them."""
        return [priced.line.part for priced in self.lines if priced.cost is None and priced.line.quantity]


def bill_of(case: Case, prices: PriceList) -> Bill:
    """Work out the bill of a case."""
    lines = [line for part in PARTS for line in part(case)]
    return Bill([Priced(line, prices.of(line.price, line.quantity)) for line in lines])
