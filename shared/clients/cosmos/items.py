"""What a stream's records become in a container: items with an id, a partition key and an end of their life."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec

from shared.contracts import Contract

NO_KEY: Final = "unk"
"""The partition key of a record that has none: an item must have one to be found by it."""

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of an item (learn.microsoft.com, service quotas)."""

_EXCERPT: Final = 80
_OWN: Final = ("id", "ttl", "collectionType")


class UnfitRecord(ValueError):
    """A record that can't become an item; the text says why."""


@dataclass(frozen=True, slots=True)
class Items:
    """How records become items.

    key: the columns whose values, joined by a bar, are the item's id. partition_key: the column of the partition key.
    time_to_live: after which the service deletes an item. collection_type: tells the items of one kind from others.
    """

    key: tuple[str, ...]
    partition_key: str
    time_to_live: timedelta
    collection_type: str

    @classmethod
    def of(cls, contract: Contract, time_to_live: timedelta, collection_type: str) -> "Items":
        """Take the keys of a contract; raises ValueError where one of its columns would be written over."""
        names = {column.name for column in contract.columns} - set(contract.key)
        taken = sorted(names.intersection(_OWN))
        if taken:
            raise ValueError(f"Contract {contract.name} has a column {taken[0]!r}, which an item has for itself.")
        return cls(contract.key, contract.partition_key, time_to_live, collection_type)

    def item_of(self, line: bytes) -> tuple[str, dict[str, Any]]:
        """Read one record into the partition key and the content of its item; raises UnfitRecord."""
        if len(line) > MOST_BYTES:
            raise UnfitRecord(f"a record of {len(line)} bytes is over the {MOST_BYTES} of an item: {line[:_EXCERPT]!r}")
        try:
            record: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
            name = "|".join([_text(record[column]) for column in self.key])
            key = _text(record[self.partition_key]) or NO_KEY
        except msgspec.DecodeError as error:
            raise UnfitRecord(f"a record is no JSON object: {line[:_EXCERPT]!r}") from error
        except KeyError as missing:
            raise UnfitRecord(f"a record has no {missing.args[0]}: {line[:_EXCERPT]!r}") from None
        if not name:
            raise UnfitRecord(f"the {self.key[0]} of a record is blank: {line[:_EXCERPT]!r}")
        record["id"], record[self.partition_key] = name, key
        record["ttl"], record["collectionType"] = int(self.time_to_live.total_seconds()), self.collection_type
        return key, record


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
