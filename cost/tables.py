"""How a bill and the choices are shown: rows of texts, for a terminal and for a document."""

from collections.abc import Iterable, Sequence
from typing import Final

from cost.bill import Bill, Priced
from cost.choices import Saving
from cost.prices import PriceList

HEAD: Final = ("part", "a month", "unit", "price", "costs", "what drives it", "source")
CHOICE_HEAD: Final = ("choice", "saves", "how", "gives up")

_LARGE: Final = 100
_SMALL: Final = 0.005
UNKNOWN: Final = "unknown"


def rows_of(bill: Bill, prices: PriceList) -> list[tuple[str, ...]]:
    """Give the rows of what is used."""
    return [_row(priced, prices) for priced in bill.lines if priced.line.quantity]


def unused(bill: Bill) -> list[str]:
    """Name the parts that are not used, and cost nothing."""
    return [priced.line.part for priced in bill.lines if not priced.line.quantity]


def rows_of_choices(savings: Iterable[Saving]) -> list[tuple[str, ...]]:
    """Give the rows of choices."""
    return [(one.choice.name, money(one.amount), one.choice.how, one.choice.gives_up) for one in savings]


def sum_of(bill: Bill, prices: PriceList) -> str:
    """Say what all costs, and what the sum lacks."""
    lacking = f", without {', '.join(bill.lacking)}: no price is known" if bill.lacking else ""
    return f"{bill.total:,.0f} {prices.currency}{lacking}"


def in_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table for a terminal."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def in_markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table for a document, with its last line's end."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines).replace("| --- ", "|---")


def money(amount: float | None) -> str:
    """Write an amount of a month."""
    if amount is None:
        return UNKNOWN
    return f"{amount:,.0f}" if abs(amount) >= _LARGE else f"{amount:.2f}"


def _row(priced: Priced, prices: PriceList) -> tuple[str, ...]:
    line, price = priced.line, prices.prices[priced.line.price]
    amount = UNKNOWN if price.amount is None else f"{price.amount:.6f}".rstrip("0").rstrip(".")
    source = f"{price.source}, read {price.read}"
    return (line.part, _quantity(line.quantity), price.unit, amount, money(priced.cost), line.driver, source)


def _quantity(quantity: float) -> str:
    if quantity < _SMALL:
        return f"{quantity:.4f}"
    return f"{quantity:,.0f}" if quantity >= _LARGE else f"{quantity:.2f}"
