"""The columns of a ledger's entities: JSON cut into texts that fit, and every value read strictly.

What was written by a newer version, or by hand, must be refused at the border: a time without a zone, a text for a
number would pass here and fail far away, in work that has nothing to do with the row.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from shared import telemetry
from shared.domain.windows.rows import Rows, UnreadableRow
from shared.errors import CorruptRow

logger = logging.getLogger(__name__)

VERSION: Final = {"version": 1}
"""The column by which a later version says that this one must not read, and so never rewrite, its row."""

# A string column holds at most 64 KiB of UTF-16: 32,768 characters (Azure Tables' documented limit).
LONGEST_TEXT: Final = 32_000


class Columns:
    """One entity's columns; each verb raises KeyError or ValueError for one that is missing or of another kind."""

    def __init__(self, entity: Mapping[str, Any]) -> None:
        """Keep the entity; raises ValueError for one of a newer version. Older ones had no column `version`."""
        self._entity = entity
        if self.number("version", 1) > VERSION["version"]:
            raise ValueError(f"a newer version of the app wrote it (version {entity['version']})")

    def __contains__(self, name: str) -> bool:
        """Say whether the entity has a column."""
        return name in self._entity

    def text(self, name: str, *choices: str) -> str:
        """Read a text, one of `choices` where there are any."""
        value: str = self._of(str, name)
        if choices and value not in choices:
            raise ValueError(f"{name} is {value[:40]!r}, not one of {', '.join(choices)}")
        return value

    def flag(self, name: str) -> bool:
        """Read a truth value."""
        return bool(self._of(bool, name))

    def number(self, name: str, default: int | None = None) -> int:
        """Read a whole number; `default` where there is no such column and it is not None."""
        if default is not None and name not in self._entity:
            return default
        return int(self._of(int, name))

    def time(self, name: str) -> datetime:
        """Read an instant."""
        found = datetime.fromisoformat(self.text(name))
        if found.tzinfo is None:
            raise ValueError(f"{name} has no zone")
        return found

    def time_if_any(self, name: str) -> datetime | None:
        """Read an instant, None where there is no such column."""
        return self.time(name) if name in self._entity else None

    def document(self, name: str) -> dict[str, Any]:
        """Read what `document_columns` wrote; an object without members where there is no such column."""
        pieces: list[str] = []
        while f"{name}_{len(pieces)}" in self._entity:
            pieces.append(self.text(f"{name}_{len(pieces)}"))
        document = json.loads("".join(pieces) or "{}")
        if not isinstance(document, dict):
            raise ValueError(f"{name} is no JSON object")
        return document

    def _of(self, kind: type, name: str) -> Any:  # noqa: ANN401 - of the kind
        value = self._entity[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{name} is {type(value).__name__}, not {kind.__name__}")
        return value


def document_columns(name: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Write a document as JSON in as many columns as it needs: `<name>_0` and so on."""
    text = json.dumps(document, separators=(",", ":"))
    pieces = [text[first : first + LONGEST_TEXT] for first in range(0, len(text), LONGEST_TEXT)]
    return {f"{name}_{number}": piece for number, piece in enumerate(pieces)}


def read_row[Row](entity: Mapping[str, Any], parse: Callable[[Columns], Row]) -> Row:
    """Read one row; raises CorruptRow, which names it and says why it can't be read."""
    try:
        return parse(Columns(entity))
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
        key = f"{entity.get('PartitionKey')}/{entity.get('RowKey')}"
        raise CorruptRow(f"Ledger row {key} can't be read: {type(error).__name__} {error}.") from error


def read_rows[Row](
    table: str, entities: Iterable[Mapping[str, Any]], parse: Callable[[Mapping[str, Any]], Row]
) -> Rows[Row]:
    """Read rows; one that raises CorruptRow is told, and costs no other."""
    rows, unreadable = [], []
    for entity in entities:
        try:
            rows.append(parse(entity))
        except CorruptRow as error:
            odd = UnreadableRow(table, entity["PartitionKey"], entity["RowKey"], str(error))
            telemetry.warning(logger, "ledger.row_unreadable", key=odd.key, cause=error)
            unreadable.append(odd)
    return Rows(rows, unreadable)
