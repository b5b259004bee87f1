"""The body of a request to Breeze: items of JSON, in an array or one a line."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

MOST_ITEMS: Final = 64_000
MOST_BYTES: Final = 32 * 2**20


class BodyUnreadable(Exception):
    """A body that holds no items of JSON, or too many of them; the text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it came. content: any JSON value. size: its bytes."""

    content: Any
    size: int


def read_items(body: bytes) -> list[Item]:
    """Read an array of items, or a line each (one item alone is a line); raises BodyUnreadable."""
    try:
        pieces = (
            _array(body) if body.lstrip().startswith(b"[") else [line for line in body.splitlines() if line.strip()]
        )
        items = [Item(msgspec.json.decode(piece), len(piece)) for piece in pieces]
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyUnreadable(f"The body is no JSON: {error}.") from error
    if not items:
        raise BodyUnreadable("The body has no items.")
    if len(items) > MOST_ITEMS:
        raise BodyUnreadable(f"{len(items)} items are more than the {MOST_ITEMS} of one request.")
    return items


def _array(body: bytes) -> list[bytes]:
    return [bytes(piece) for piece in msgspec.json.decode(body, type=list[msgspec.Raw])]
