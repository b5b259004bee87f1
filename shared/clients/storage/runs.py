"""The ledger of Databricks runs: Azure Table rows, one for each run of each window."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from shared.clients.identity.credentials import Identity
from shared.clients.storage.tables import Entity, Tables, tables_of
from shared.domain.runs.run import RunRow, row_key
from shared.domain.windows.window import Window
from shared.errors import CorruptRow

Change = Callable[[RunRow], RunRow | None]
_TABLE = "runs"


class RunLedger(Protocol):
    """Runs, safe against any number of writers; every verb raises Unavailable."""

    def claim(self, row: RunRow) -> bool:
        """Insert a run's row if its number is free; say whether this call did."""

    def change(self, window: Window, number: int, change: Change) -> RunRow | None:
        """Replace a run's row by what `change` makes of it, again on a race; None keeps it. Answer the row now."""

    def of_window(self, window: Window) -> list[RunRow]:
        """List a window's runs by their number."""

    def of_feed(self, feed: str) -> list[RunRow]:
        """List a feed's runs that have not ended, oldest window first."""


def table_run_ledger(
    connection: str | None, endpoint: str, identity: Identity, ca_bundle: str | None
) -> "TableRunLedger":
    """Give the ledger of runs in the tables of an account: by connection string, or at `endpoint` by identity."""
    return TableRunLedger(tables_of(connection, endpoint, identity, ca_bundle))


class TableRunLedger:
    """The ledger in Azure Tables."""

    def __init__(self, tables: Tables) -> None:
        """Keep the tables."""
        self._tables = tables

    def claim(self, row: RunRow) -> bool:
        """Insert; the primary key makes the one winner."""
        return self._tables.insert(_TABLE, _entity(row))

    def change(self, window: Window, number: int, change: Change) -> RunRow | None:
        """Change under the row's ETag."""

        def changed(entity: Entity) -> Entity | None:
            row = change(_row(entity))
            return _entity(row) if row else None

        entity = self._tables.change(_TABLE, row_key(window, number), changed)
        return _row(entity) if entity else None

    def of_window(self, window: Window) -> list[RunRow]:
        """Query the keys that begin with the window's start."""
        feed, first = row_key(window, 0)
        prefix = first.removesuffix("0")
        query = "PartitionKey eq @feed and RowKey ge @first and RowKey lt @last"
        found = self._tables.query(_TABLE, query, {"feed": feed, "first": prefix, "last": prefix + "~"})
        return sorted((_row(entity) for entity in found), key=lambda row: row.number)

    def of_feed(self, feed: str) -> list[RunRow]:
        """Query by state; the filter runs in the service."""
        query = "PartitionKey eq @feed and (state eq 'claimed' or state eq 'active')"
        return [_row(entity) for entity in self._tables.query(_TABLE, query, {"feed": feed})]


_TEXTS = ("mode", "state", "page_url", "lookup_note")
_MESSAGE_BEFORE = "words"  # what earlier versions called the column `message`
_LOOKUP_BEFORE = "lookup"  # where they kept the path of the only lookup that there was, of assets


def _entity(row: RunRow) -> dict[str, Any]:
    partition, key = row_key(row.window, row.number)
    return {
        "PartitionKey": partition,
        "RowKey": key,
        "start": row.window.start.isoformat(),
        "end": row.window.end.isoformat(),
        "number": row.number,
        "run_id": str(row.run_id),  # Databricks' ids may be over 32 bits, a plain number column's size
        "superseding": row.superseding,
        "claimed_at": row.claimed_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "message": row.message,
        "lookups": json.dumps(dict(row.lookups)),
        **{name: getattr(row, name) for name in _TEXTS},
    }


def _row(entity: Mapping[str, Any]) -> RunRow:
    try:
        start, end = datetime.fromisoformat(entity["start"]), datetime.fromisoformat(entity["end"])
        return RunRow(
            window=Window(entity["PartitionKey"], start, end),
            number=entity["number"],
            run_id=int(entity["run_id"]),
            superseding=entity["superseding"],
            claimed_at=datetime.fromisoformat(entity["claimed_at"]),
            updated_at=datetime.fromisoformat(entity["updated_at"]),
            message=entity["message"] if "message" in entity else entity[_MESSAGE_BEFORE],
            lookups=_lookups(entity),
            **{name: entity[name] for name in _TEXTS},
        )
    except (KeyError, TypeError, ValueError) as error:
        key = f"{entity.get('PartitionKey')}/{entity.get('RowKey')}"
        raise CorruptRow(f"Run ledger row {key} can't be read: {type(error).__name__} {error}.") from error


def _lookups(entity: Mapping[str, Any]) -> dict[str, str]:
    if "lookups" in entity:
        return dict(json.loads(entity["lookups"]))
    return {"assets": entity[_LOOKUP_BEFORE]} if entity[_LOOKUP_BEFORE] else {}
