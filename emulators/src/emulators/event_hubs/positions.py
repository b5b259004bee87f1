"""Where a consumer starts reading: the selector expression of its attach, parsed."""

import re
from dataclasses import dataclass
from enum import StrEnum


class PositionError(ValueError):
    """Raised for a start position this hub cannot serve; the text goes to the client."""


class Field(StrEnum):
    """What a position is measured by."""

    OFFSET = "x-opt-offset"
    SEQUENCE = "x-opt-sequence-number"
    ENQUEUED_TIME = "x-opt-enqueued-time"


@dataclass(frozen=True, slots=True)
class Position:
    """`value` is an offset, a sequence number, a time in milliseconds, "-1" (first event) or "@latest"."""

    field: Field
    value: str
    inclusive: bool


FROM_START = Position(Field.OFFSET, "-1", inclusive=False)
_SELECTOR = re.compile(r"^\s*amqp\.annotation\.(x-opt-[a-z-]+)\s*(>=?)\s*(?:'([^']*)'|(@latest|-?\d+))\s*$")


def parse_selector(text: str | None) -> Position:
    """Parse `amqp.annotation.x-opt-offset > '42'`; without a selector reading starts at the first event.

    C# writes the value without quotes, the other clients with them.
    """
    if text is None:
        return FROM_START
    match = _SELECTOR.match(text)
    if match is None or match[1] not in set(Field):
        raise PositionError(f"The selector {text!r} is none of offset, sequence number or enqueued time with > or >=.")
    return Position(Field(match[1]), match[3] if match[4] is None else match[4], inclusive=match[2] == ">=")
