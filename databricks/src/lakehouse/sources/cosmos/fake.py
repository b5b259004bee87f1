"""A change feed in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lakehouse.sources.cosmos.feed import ChangeFeedFailed, ContinuationRefused, Item, Page


@dataclass
class FakeChangeFeed:
    """Keeps the latest version of each item in the order of changes. fails: the next reading ends after a page."""

    page: int = 1000
    fails: bool = False
    _changes: dict[tuple[str, str], tuple[int, Item]] = field(default_factory=dict)
    _number: int = 0

    def upsert(self, partition_key: str, item: Item) -> None:
        self._number += 1
        self._changes[partition_key, str(item["id"])] = (self._number, {**item, "_etag": "e", "_ts": self._number})

    def pages(self, continuation: str) -> Iterator[Page]:
        after = int(continuation or 0)
        if after > self._number:
            raise ContinuationRefused("the change feed of shop/orders at fake could not be read: begin anew")
        newer = sorted((one for one in self._changes.values() if one[0] > after), key=lambda one: one[0])
        for at in range(0, len(newer), self.page):
            part = newer[at : at + self.page]
            yield Page([item for _, item in part], str(part[-1][0]))
            if self.fails:
                self.fails = False
                raise ChangeFeedFailed("the change feed of shop/orders at fake could not be read: it was cut")
