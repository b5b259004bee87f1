"""Many rows of a table at once: by as few transactions as the service allows, each within one partition."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from shared import telemetry
from shared.clients.storage.tables import MOST_IN_A_PAGE, MOST_TOGETHER, Entity, Query, TableStore

type RowGroup = Sequence[Entity]
"""Rows of one partition that are there together, or not at all."""

_SIDE_BY_SIDE: Final = 8


def insert_once(tables: TableStore, table: str, groups: Iterable[RowGroup]) -> None:
    """Insert groups of rows; one whose first row is there already stays as it is. Raises as the store does."""
    transactions = list(_transactions({_key(group[0]): group for group in groups}.values()))
    telemetry.in_threads(lambda some: _insert(tables, table, some), transactions, most=_SIDE_BY_SIDE)


def delete_found(tables: TableStore, table: str, query: Query, most: int) -> int:
    """Delete what a query finds, at most so many, the first by their keys; say how many."""
    deleted, page = 0, MOST_IN_A_PAGE
    while deleted < most and page == MOST_IN_A_PAGE:
        keys = [_key(entity) for entity in tables.query(table, query, min(MOST_IN_A_PAGE, most - deleted))]
        for _, some in groupby(keys, key=lambda key: key[0]):
            tables.delete(table, some)
        page = len(keys)
        deleted += page
    return deleted


def _insert(tables: TableStore, table: str, groups: Sequence[RowGroup]) -> None:
    if not tables.insert_together(table, [row for group in groups for row in group]) and len(groups) > 1:
        for group in groups:
            tables.insert_together(table, group)


def _transactions(groups: Iterable[RowGroup]) -> Iterator[list[RowGroup]]:
    """Put as many groups together as one transaction bears."""
    partitions: defaultdict[str, list[RowGroup]] = defaultdict(list)
    for group in groups:
        own = partitions[group[0]["PartitionKey"]]
        if own and sum(map(len, own)) + len(group) > MOST_TOGETHER:
            yield own
            own = partitions[group[0]["PartitionKey"]] = []
        own.append(group)
    yield from partitions.values()


def _key(entity: Entity) -> tuple[str, str]:
    return entity["PartitionKey"], entity["RowKey"]
