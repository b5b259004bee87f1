"""List prices, each with its unit and source; one that nobody found is unknown, and never guessed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("prices.toml")

_UNKNOWN: Final = "unknown"
_FIELDS: Final = {"amount", "unit", "read", "source"}


@dataclass(frozen=True, slots=True)
class Price:
    """A price. amount: in the list's currency for one `unit`, None where it is unknown. read: when, year and month."""

    amount: float | None
    unit: str
    read: str
    source: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by name, in one currency, of one region."""

    currency: str
    region: str
    prices: Mapping[str, Price]

    def of(self, name: str, quantity: float) -> float | None:
        """Give what a quantity in units of a price costs, None where the price is unknown; KeyError for no price."""
        amount = self.prices[name].amount
        return None if amount is None else amount * quantity


def read_prices(path: Path = FILE) -> PriceList:
    """Read a price list; raises ValueError where an entry lacks something or is of another shape."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = {name: value for name, value in document.items() if isinstance(value, dict)}
    return PriceList(document["currency"], document["region"], {name: _price(name, entries[name]) for name in entries})


def _price(name: str, entry: Mapping[str, Any]) -> Price:
    if set(entry) != _FIELDS:
        raise ValueError(f"The price {name} must have {', '.join(sorted(_FIELDS))}, and nothing else.")
    amount = entry["amount"]
    if amount != _UNKNOWN and (not isinstance(amount, int | float) or amount < 0):
        raise ValueError(f"The amount of {name} must be a number from 0 on, or {_UNKNOWN!r}.")
    return Price(None if amount == _UNKNOWN else float(amount), entry["unit"], entry["read"], entry["source"])
