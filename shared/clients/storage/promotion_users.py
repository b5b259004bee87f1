"""What each user got of promotions lately, and whose device is gone: Azure Table rows keyed by user.

A row is found by a digest of the user's app, so that any text may be one, spread over 4 partitions: enough for 8,000
changes a second (Microsoft's scalability targets say 2,000 a partition), and so few that the new users of a batch are
written in some transactions. It expires, and is swept partition by partition.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from typing import Any, Final, Protocol

from shared import telemetry
from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, document_columns, read_row
from shared.clients.storage.tables import MOST_TOGETHER, Entity, Key, Query, TableStore, tables_of
from shared.domain.promotions import Given, Sent
from shared.errors import Unavailable

BUCKETS: Final = 4
_TABLE: Final = "promotionusers"
_KEEP_GONE: Final = timedelta(days=90)
_MAX_RACES: Final = 50
_WORTH_A_TRANSACTION: Final = 8
"""Where a transaction fails, for somebody in it is known, its halves are tried if it had more users than that."""


@dataclass(frozen=True, slots=True)
class PromotionUser:
    """A user: what it got lately, and since when its device is gone (None: it is not)."""

    given: Given = field(default_factory=Given)
    gone_at: datetime | None = None


class SingleUsers(Protocol):
    """Users by their app, safe against any number of writers.

    Every verb raises Unavailable; those for one user raise CorruptRow.
    """

    def read(self, appid: str) -> PromotionUser:
        """Read a user; one of whom nothing is known has got nothing."""

    def change(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> None:
        """Put what `change` makes of a user in its place; it is asked again where somebody else was first."""

    def keeps(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> bool:
        """Say whether it is known at once that `change` makes nothing of a user; asks no table, and changes none."""

    def begin(self, appids: Iterable[str], make: Callable[[str], PromotionUser]) -> set[str]:
        """Put what `make` gives in the place of users of whom nothing is known, many at once; say of whom.

        Whoever is not among them is as it was before: neighbours of a known user, too, may be left out.
        """


class PromotionUsers(SingleUsers, Protocol):
    """All users."""

    def sweep(self, bucket: int, now: datetime, most: int) -> int:
        """Delete users of a partition of whom nothing matters any more, at most so many; say how many.

        Raises what the others do.
        """


class TablePromotionUsers:
    """Users in Azure Tables. keep: for how long after a promotion it still matters."""

    def __init__(self, tables: TableStore, keep: timedelta) -> None:
        """Keep the tables."""
        self._tables = tables
        self._keep = keep

    def read(self, appid: str) -> PromotionUser:
        """Read the row."""
        entity = self._tables.read(_TABLE, _key(appid))
        return _user(entity) if entity else PromotionUser()

    def change(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> None:
        """Change the row under its ETag, or insert it; where somebody else inserted it first, theirs is changed."""
        key = _key(appid)

        def changed(entity: Entity) -> Entity | None:
            before = _user(entity)
            after = change(before)
            return self._entity(key, after) if after != before else None

        for _ in range(_MAX_RACES):
            if self._tables.change(_TABLE, key, changed) or self._begin(key, change(PromotionUser())):
                return
        raise Unavailable(f"Table {_TABLE}: a user's row came and went {_MAX_RACES} times in a row.")

    def keeps(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> bool:  # noqa: ARG002
        """Say no: without the row nothing is known."""
        return False

    def begin(self, appids: Iterable[str], make: Callable[[str], PromotionUser]) -> set[str]:
        """Insert the rows of each partition by transactions, side by side."""
        keyed = sorted((_key(appid), appid) for appid in appids)
        parts = [
            dict(some)
            for _, part in groupby(keyed, lambda one: one[0][0])
            for some in batched(part, MOST_TOGETHER, strict=False)
        ]
        return set().union(*telemetry.in_threads(lambda part: self._begin_all(part, make), parts, most=BUCKETS))

    def sweep(self, bucket: int, now: datetime, most: int) -> int:
        """Query by partition and expiry; a row that was renewed meanwhile stays."""
        query = Query(f"{bucket:x}", below={"expires": _stamp(now)})
        keys = [(entity["PartitionKey"], entity["RowKey"]) for entity in self._tables.query(_TABLE, query, most)]
        return sum(self._tables.remove(_TABLE, key, lambda row: row["expires"] < _stamp(now)) for key in keys)

    def _begin_all(self, part: Mapping[Key, str], make: Callable[[str], PromotionUser]) -> set[str]:
        users = ((key, appid, make(appid)) for key, appid in part.items())
        return self._insert([(appid, self._entity(key, made)) for key, appid, made in users if made != PromotionUser()])

    def _insert(self, rows: Sequence[tuple[str, Entity]]) -> set[str]:
        """Insert the rows of one partition; say whose."""
        if not rows:
            return set()
        if self._tables.insert_together(_TABLE, [entity for _, entity in rows]):
            return {appid for appid, _ in rows}
        if len(rows) <= _WORTH_A_TRANSACTION:
            return set()
        half = len(rows) // 2
        return self._insert(rows[:half]) | self._insert(rows[half:])

    def _begin(self, key: Key, user: PromotionUser) -> bool:
        return user == PromotionUser() or self._tables.insert(_TABLE, self._entity(key, user))

    def _entity(self, key: Key, user: PromotionUser) -> dict[str, Any]:
        ends = [one.at + self._keep for one in user.given.sent]
        gone = {"gone_at": _stamp(user.gone_at)} if user.gone_at else {}
        if user.gone_at:
            ends.append(user.gone_at + _KEEP_GONE)
        sent = {"sent": [[one.store_id, one.promotion_id, one.at.isoformat()] for one in user.given.sent]}
        identity = {"PartitionKey": key[0], "RowKey": key[1], "expires": _stamp(max(ends, default=_EPOCH))}
        return VERSION | identity | gone | document_columns("given", sent)


def table_promotion_users(account: Account, keep: timedelta) -> TablePromotionUsers:
    """Give the users in the tables of an account."""
    return TablePromotionUsers(tables_of(account), keep)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _key(appid: str) -> Key:
    digest = hashlib.sha256(appid.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{int(digest[0], 16) % BUCKETS:x}", digest[:32]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _user(entity: Mapping[str, Any]) -> PromotionUser:
    return read_row(entity, _promotion_user)


def _promotion_user(columns: Columns) -> PromotionUser:
    rows = columns.document("given").get("sent", [])
    sent = tuple(Sent(store, promotion, datetime.fromisoformat(at)) for store, promotion, at in rows)
    return PromotionUser(Given(sent), columns.time_if_any("gone_at"))
