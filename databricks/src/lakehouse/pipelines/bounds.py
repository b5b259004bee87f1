"""What the contracts say of columns that gold tables repeat."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lakehouse.contract_files import contract_files
from lakehouse.grammar import LONGEST_WINDOW_ID
from lakehouse.personal_data import TOKEN_LENGTH
from lakehouse.pipelines.spans import WINDOW

type Bounds = Mapping[str, Mapping[str, int | None]]
"""By stream or lookup, by column: the greatest length of its texts; None where there is none, and for other columns."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """The columns of all streams and of all lookups. personal: by lookup, the columns that tables have tokens of."""

    streams: Bounds
    lookups: Bounds
    personal: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def bounds_of(self, name: str) -> Mapping[str, int | None]:
        """Give a stream's or a lookup's columns with their bounds; none of a name that is neither's.

        Of the columns that silver adds to a stream's, the contracts' grammar bounds the window's name.
        """
        if name in self.streams:
            return {WINDOW: LONGEST_WINDOW_ID, **self.streams[name]}
        return self.lookups.get(name, {})


def wheel_contracts() -> Contracts:
    """Read the contracts that the wheel carries."""
    streams, lookups = ([(one.name, one.read()) for one in contract_files(*of)] for of in ((), ("lookups",)))
    return Contracts(bounds_of(streams), bounds_of(lookups), _personal(lookups))


def bounds_of(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Bounds:
    """Take the columns of JSON Schemas, of each name all versions: a bound holds where each of them has one."""
    found: dict[str, dict[str, int | None]] = {}
    for name, document in documents:
        columns = found.setdefault(name, {})
        for column, rule in document["properties"].items():
            bound = _bound(rule)
            columns[column] = _wider(columns[column], bound) if column in columns else bound
    return found


def _personal(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Mapping[str, frozenset[str]]:
    rules = {name: document["properties"] for name, document in documents}
    return {name: frozenset(column for column, rule in of.items() if rule.get("x-pii")) for name, of in rules.items()}


def _bound(rule: Mapping[str, Any]) -> int | None:
    if rule.get("x-pii"):
        return TOKEN_LENGTH
    texts = [value for value in rule.get("enum", ()) if isinstance(value, str)]
    bound: int | None = max(map(len, texts)) if texts else rule.get("maxLength")
    return bound


def _wider(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
