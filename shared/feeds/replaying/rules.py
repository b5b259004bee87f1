"""What a contract's column says of the text of one field, decided alone and exactly: the measure of the fast ways."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from shared.contracts import Column

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_US_INSTANT: Final = re.compile(
    r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}(?P<second>:[0-9]{2})?(?P<half> [AP]M)?", re.IGNORECASE
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f]")
_BOOLEANS: Final = {"true": "true", "false": "false", "1": "true", "0": "false"}


class BadField(ValueError):
    """A field that breaks its column's rule; the text names column and rule, and never holds the value."""


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """The rule of one column."""

    column: Column

    def read(self, text: str) -> str:
        """Give the field as JSON; a blank is null where the column may be. Raises BadField."""
        if self.column.kind == "string":
            return self._text(text)
        plain = text.strip()
        if not plain:
            return self._blank()
        match self.column.kind:
            case "boolean":
                return self._boolean(plain)
            case "date-time":
                return f'"{instant_text(self.instant(plain))}"'
            case "integer":
                return self._integer(plain)
            case _:
                return self._number(plain)

    def instant(self, text: str) -> datetime:
        """Read a time: ISO 8601, or month/day/year as in the United States; one that names no offset is in UTC.

        Raises BadField.
        """
        try:
            found = _instant(text.strip())
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise BadField(f"{self.column.name} is no date and time") from None

    def _blank(self) -> str:
        if self.column.nullable:
            return "null"
        raise BadField(f"{self.column.name} is blank")

    def _boolean(self, text: str) -> str:
        if text.lower() not in _BOOLEANS:
            raise BadField(f"{self.column.name} is neither true nor false")
        return _BOOLEANS[text.lower()]

    def _integer(self, text: str) -> str:
        if not _INTEGER.fullmatch(text):
            raise BadField(f"{self.column.name} is no whole number")
        value = int(text.partition(".")[0])
        self._check_size(value)
        return str(value)

    def _number(self, text: str) -> str:
        if not _NUMBER.fullmatch(text):
            raise BadField(f"{self.column.name} is no number")
        value = Decimal(text)
        self._check_size(value)
        return str(value)

    def _check_size(self, value: int | Decimal) -> None:
        limits = {word: Decimal(str(limit)) for word, limit in self.column.limits.items() if word in _BOUNDS}
        broken = [word for word, limit in limits.items() if not _BOUNDS[word](value, limit)]
        if broken:
            raise BadField(f"{self.column.name} breaks {broken[0]} {self.column.limits[broken[0]]}")

    def _text(self, text: str) -> str:
        limits, name = self.column.limits, self.column.name
        if _CONTROL.search(text):
            raise BadField(f"{name} holds a control character")
        length = len(text.encode("utf-16-le")) // 2
        if length > limits.get("maxLength", length):
            raise BadField(f"{name} is longer than {limits['maxLength']}")
        if length < limits.get("minLength", 0):
            raise BadField(f"{name} is blank" if not length else f"{name} is shorter than {limits['minLength']}")
        if "pattern" in limits and not re.search(limits["pattern"], text):
            raise BadField(f"{name} does not match {limits['pattern']}")
        if "enum" in limits and text not in limits["enum"]:
            raise BadField(f"{name} is none of the contract's values")
        return json.dumps(text, ensure_ascii=False)


_BOUNDS: Final = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}


def instant_text(instant: datetime) -> str:
    """Write an instant of UTC as records have it: with microseconds and a Z."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _instant(text: str) -> datetime:
    if _INSTANT.fullmatch(text):
        return datetime.fromisoformat(text)
    match = _US_INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    form = f"%m/%d/%Y {'%I' if match['half'] else '%H'}:%M{':%S' if match['second'] else ''}"
    return datetime.strptime(text, f"{form}{' %p' if match['half'] else ''}")  # noqa: DTZ007 - it names no offset
