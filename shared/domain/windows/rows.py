"""What reading several rows of the ledger gives: those that can be read, and by name those that can't."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that this version can't read, by its table and its keys there."""

    table: str
    partition: str
    row: str
    reason: str

    @property
    def key(self) -> str:
        """Name the row: `<table>/<partition key>/<row key>`."""
        return f"{self.table}/{self.partition}/{self.row}"


class Rows[Row](list[Row]):
    """A list of the rows that can be read, which says of the others too; one odd row hides no other."""

    def __init__(self, rows: Iterable[Row] = (), unreadable: Iterable[UnreadableRow] = ()) -> None:
        """Keep both."""
        super().__init__(rows)
        self.unreadable = tuple(unreadable)
