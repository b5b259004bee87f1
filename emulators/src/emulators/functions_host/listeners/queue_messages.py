"""What a queue message is to a function, and what becomes of it: pure decisions, no queue in sight."""

import base64
import binascii
import json
from datetime import datetime
from enum import Enum, auto

from azure.storage.queue import QueueMessage

from emulators.functions_host.protos import TypedData

_POISON = "-poison"
_LONGEST_NAME = 63


class Settlement(Enum):
    """What becomes of a message: deleted, shown again, moved to the poison queue, or left hidden for its time."""

    DELETE = auto()
    RELEASE = auto()
    POISON = auto()
    LEAVE = auto()


def settlement(*, succeeded: bool, dequeue_count: int, most: int, poison: bool) -> Settlement:
    """Decide what becomes of a message after a run; `poison` says whether its queue has a poison queue."""
    if succeeded:
        return Settlement.DELETE
    if not poison:
        return Settlement.LEAVE
    return Settlement.POISON if dequeue_count >= most else Settlement.RELEASE


def poison_name(queue: str) -> str | None:
    """Name the poison queue; a poison queue has none itself, nor has one whose name is too long for the suffix."""
    name = f"{queue}{_POISON}"
    return None if queue.endswith(_POISON) or len(name) > _LONGEST_NAME else name


def decoded(text: str, *, is_base64: bool) -> bytes | None:
    """Read the body of a message; None where it is not the base64 that it must be. Whitespace in it is skipped."""
    if not is_base64:
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def trigger_value(body: bytes, data_type: str) -> TypedData | None:
    """Write what the function is given, bytes for a binding of `binary`; None where a text is no UTF-8."""
    if data_type.lower() == "binary":
        return TypedData(bytes=body)
    try:
        return TypedData(string=body.decode())
    except UnicodeDecodeError:
        return None


def metadata(message: QueueMessage) -> dict[str, TypedData]:
    """Write a message's metadata, each value as JSON."""
    facts = {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "InsertionTime": _iso(message.inserted_on),
        "ExpirationTime": _iso(message.expires_on),
        "NextVisibleTime": _iso(message.next_visible_on),
    }
    return {name: TypedData(json=json.dumps(value)) for name, value in facts.items()}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
