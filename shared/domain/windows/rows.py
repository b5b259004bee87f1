"""What reading several rows of the ledger gives: those that can be read, and by name those that can't."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that this version can't read. key: `<table>/<partition key>/<row key>`."""

    key: str
    reason: str


class Rows[Row](list[Row]):
    """A list of the rows that can be read, which says of the others too; one odd row hides no other."""

    def __init__(self, rows: Iterable[Row] = (), unreadable: Iterable[Unreadable] = ()) -> None:
        """Keep both."""
        super().__init__(rows)
        self.unreadable = tuple(unreadable)

    def and_those_of(self, others: "Rows[Row]") -> Self:
        """Give the rows of both, these first."""
        return type(self)([*self, *others], dict.fromkeys([*self.unreadable, *others.unreadable]))
