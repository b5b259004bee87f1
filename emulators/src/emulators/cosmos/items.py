"""What an item must be, by the service's rules.

Sources: "Azure Cosmos DB service quotas" and "Time to live" of learn.microsoft.com.
"""

import json
from typing import Any, Final

import msgspec

from emulators.cosmos.refusals import bad_request, too_large
from emulators.cosmos.versions import Key

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of an item, and of a request with a batch."""

MOST_OPERATIONS: Final = 100

_ID_BYTES: Final = 1_023
_KEY_BYTES: Final = 2_048
_NOT_IN_ID: Final = frozenset("/\\?#")
_KEY_MISMATCH: Final = 1001


def read_item(body: bytes) -> dict[str, Any]:
    """Read one item; raises Refusal."""
    if len(body) > MOST_BYTES:
        raise too_large(len(body), MOST_BYTES)
    item = read_json(body)
    if not isinstance(item, dict):
        raise bad_request("The input content is invalid because it is no JSON object.")
    return item


def read_json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Read a body; raises Refusal."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"The input content is invalid because it is no JSON: {error}.") from error


def read_partition_key(header: str | None) -> str:
    """Read `x-ms-documentdb-partitionkey`; raises Refusal where it is not one text."""
    try:
        values = json.loads(header or "")
    except ValueError:
        raise bad_request("PartitionKey value must be supplied for this operation.") from None
    if not isinstance(values, list) or len(values) != 1:
        raise bad_request("Partition key provided doesn't correspond to definition in the collection.", _KEY_MISMATCH)
    if not isinstance(values[0], str):
        raise bad_request("This emulator takes partition keys that are texts, and no others.")
    return values[0]


def check_item(item: dict[str, Any], key: str, path: str) -> Key:
    """Hold an item against the rules, and give its key; `path` is that of the partition key: `/ipCountryCode`."""
    name = item.get("id")
    if not isinstance(name, str) or not name:
        raise bad_request("The input content is invalid because the required properties - 'id; ' - are missing")
    if _NOT_IN_ID & set(name) or len(name.encode()) > _ID_BYTES or name.endswith(" "):
        raise bad_request(
            f"Id {name[:80]!r} is not valid: at most {_ID_BYTES} bytes, without / \\ ? # and space at its end"
        )
    if value_at(item, path) != key:
        raise bad_request("PartitionKey extracted from document doesn't match the one specified in the header", 1001)
    if len(key.encode()) > _KEY_BYTES:
        raise bad_request(f"Partition key is larger than {_KEY_BYTES} bytes.")
    lives = item.get("ttl", -1)
    if isinstance(lives, bool) or not isinstance(lives, int) or (lives != -1 and lives < 1):
        raise bad_request(f"The input ttl '{lives}' is invalid. Ensure to provide a nonzero positive integer or -1.")
    return Key(key, name)


def expiry(item: dict[str, Any], default: int | None, now: float) -> float | None:
    """Give when an item ends, in epoch seconds: by its own `ttl`, else the container's `default`.

    None: never. Without a default (None) no item ends, whatever its own says; -1 is a default without an end.
    """
    if default is None:
        return None
    lives = item.get("ttl", default)
    return None if lives == -1 else now + float(lives)


def value_at(item: object, path: str) -> Any:  # noqa: ANN401 - JSON
    """Give what stands at a path, None where nothing does."""
    value: Any = item
    for part in path.strip("/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value
