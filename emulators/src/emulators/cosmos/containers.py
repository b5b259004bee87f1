"""The containers of an account: what each is, its physical partitions, and what is in them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from emulators.cosmos.items import expiry
from emulators.cosmos.partitions import Range, hash_of, range_of, ranges
from emulators.cosmos.refusals import no_owner
from emulators.cosmos.throughput import Budget
from emulators.cosmos.versions import Key, Versions

LEAST_THROUGHPUT: Final = 400


@dataclass(frozen=True, slots=True)
class Declaration:
    """A container as it is to be made.

    partition_key: its path. throughput: RU/s of all partitions together. default_ttl: seconds for which items live; -1
    without an end unless the item says so, None always without an end.
    """

    database: str
    name: str
    partition_key: str
    throughput: float = LEAST_THROUGHPUT
    partitions: int = 1
    default_ttl: int | None = -1

    def document(self) -> dict[str, Any]:
        """Write it as the REST API wants it; the hash is that of version 2."""
        paths = {"paths": [self.partition_key], "kind": "Hash", "version": 2}
        lives = {} if self.default_ttl is None else {"defaultTtl": self.default_ttl}
        return {"id": self.name, "partitionKey": paths} | lives


@dataclass(slots=True)
class Partition:
    """One physical partition. turn: writes go one after the other, so that their numbers are in their order."""

    range: Range
    budget: Budget
    versions: Versions
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def session(self) -> str:
        """Give the session token: the partition and the number of its last write."""
        return f"{self.range.id}:-1#{self.versions.last}"


class Container:
    """A container that exists. `seconds` only goes forward, `epoch` gives seconds since 1970.

    The numbers of its writes begin with the second of its start, a million to each: those of an earlier start are less.
    """

    def __init__(
        self, declaration: Declaration, rid: str, seconds: Callable[[], float], epoch: Callable[[], float]
    ) -> None:
        self.declaration = declaration
        self.rid = rid
        self._epoch = epoch
        first = int(epoch()) * 1_000_000
        rate = declaration.throughput / declaration.partitions
        cuts = ranges(declaration.partitions)
        self.partitions = tuple(Partition(each, Budget(rate, seconds), Versions(first)) for each in cuts)

    def partition_of(self, key: str) -> Partition:
        """Give the partition that holds a partition key."""
        chosen = range_of(hash_of(key), [partition.range for partition in self.partitions])
        return self.partitions[int(chosen.id)]

    def provision(self, throughput: float) -> None:
        """Set the RU/s of all partitions together; raises ValueError unless above zero."""
        for partition in self.partitions:
            partition.budget.provision(throughput / len(self.partitions))

    def note(self, partition: Partition, key: Key, item: dict[str, Any]) -> int:
        """Note a written item; gives its number."""
        return partition.versions.note(key, item, expiry(item, self.declaration.default_ttl, self._epoch()))

    def take_expired(self) -> list[Key]:
        """Forget the items whose time is over, and name them."""
        now = self._epoch()
        return [key for partition in self.partitions for key in partition.versions.take_expired(now)]

    def facts(self) -> dict[str, Any]:
        """Describe the container and its partitions for the admin port."""
        parts = [
            {
                "id": each.range.id,
                "items": len(each.versions),
                "writes": each.versions.last - each.versions.first,
                "throughput": each.budget.rate,
                "charged": each.budget.spent,
                "throttled": each.budget.refused,
            }
            for each in self.partitions
        ]
        return {"database": self.declaration.database, "name": self.declaration.name, "partitions": parts}


@dataclass(slots=True)
class Containers:
    """All containers of the account, by database and name."""

    seconds: Callable[[], float]
    epoch: Callable[[], float]
    _found: dict[tuple[str, str], Container] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Container]:
        """Go through all of them."""
        return iter(self._found.values())

    def add(self, declaration: Declaration, rid: str) -> Container:
        """Keep a container that was made."""
        made = Container(declaration, rid, self.seconds, self.epoch)
        self._found[declaration.database, declaration.name] = made
        return made

    def get(self, database: str, name: str) -> Container:
        """Give a container; raises the Refusal of one that is not there."""
        found = self._found.get((database, name))
        if found is None:
            raise no_owner()
        return found
