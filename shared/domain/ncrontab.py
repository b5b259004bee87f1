"""Timer expressions as Azure Functions reads them: NCRONTAB, which is stricter than what is usual for cron.

Six fields from the second on, or five from the minute on. A field has numbers or names, `*`, ranges `a-b`, steps `/n`
and lists `a,b`; weekdays are 0 (Sunday) to 6, and there is no `L`, `W`, `#`, `?` or `@hourly`. Where day of month and
day of week are both given, both must match (github.com/atifaziz/NCrontab, CrontabSchedule.cs).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

RULE: Final = "must be an NCRONTAB of six fields, {second} {minute} {hour} {day} {month} {day of week}, or five without"


@dataclass(frozen=True, slots=True)
class _Field:
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int:
        """Read a number or a name, in full or its first three letters."""
        if not word.isdigit():
            named = [at for at, name in enumerate(self.names, self.low) if word in (name, name[:3])]
            return named[0] if named else -1
        return int(word) if self.low <= int(word) <= self.high else -1


_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS: Final = (
    *(_Field(0, 59), _Field(0, 59), _Field(0, 23)),
    *(_Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 6, _DAYS)),
)
_PIECE: Final = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d{1,2}))?", re.ASCII)


def plain_cron(expression: str) -> str:
    """Write an NCRONTAB by plain numbers, lists and `*` alone; raises ValueError with the rule that it breaks."""
    parts = expression.lower().split()
    if len(parts) == len(_FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(_FIELDS):
        raise ValueError(RULE)
    return " ".join(_values(part, field) for part, field in zip(parts, _FIELDS, strict=True))


def _values(part: str, field: _Field) -> str:
    values = sorted({value for piece in part.split(",") for value in _piece(piece, field)})
    return "*" if len(values) == field.high - field.low + 1 else ",".join(map(str, values))


def _piece(piece: str, field: _Field) -> Iterator[int]:
    found = _PIECE.fullmatch(piece)
    if not found or (found[1] == "*" and found[2]):
        raise ValueError(RULE)
    first = field.low if found[1] == "*" else field.number(found[1])
    is_open = found[1] == "*" or (found[3] and not found[2])
    last = field.high if is_open else field.number(found[2] or found[1])
    step = int(found[3] or 1)
    if not 0 <= first <= last or step < 1:
        raise ValueError(RULE)
    yield from range(first, last + 1, step)
