"""The ledger of Databricks runs: Azure Table rows, one for each run of each window."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, get_args

from shared.clients.storage.account import Account
from shared.clients.storage.columns import LONGEST_TEXT, VERSION, Columns, read_row, read_rows
from shared.clients.storage.tables import Entity, Query, TableStore, tables_of
from shared.domain.runs.run import ACTIVE, RUN_STATES, RunMode, RunRow, row_key
from shared.domain.windows.rows import Rows
from shared.domain.windows.window import Window, stamp

Change = Callable[[RunRow], RunRow | None]
_TABLE = "runs"


class RunLedger(Protocol):
    """Runs, safe against any number of writers; every verb raises Unavailable.

    A verb that lists rows passes over those that can't be read, and names them; `change` raises CorruptRow.
    """

    def claim(self, row: RunRow) -> bool:
        """Insert a run's row if its number is free; say whether this call did."""

    def change(self, window: Window, number: int, change: Change) -> RunRow | None:
        """Replace a run's row by what `change` makes of it, again on a race; None keeps it. Answer the row now."""

    def of_window(self, window: Window) -> Rows[RunRow]:
        """List a window's runs by their number."""

    def of_feed(self, feed: str) -> Rows[RunRow]:
        """List a feed's runs that have not ended, oldest window first."""

    def purge(self, feed: str, before: datetime, most: int) -> int:
        """Delete the oldest ended runs of windows that start before an instant; say how many."""


def table_run_ledger(account: Account) -> "TableRunLedger":
    """Give the ledger of runs in the tables of an account."""
    return TableRunLedger(tables_of(account))


class TableRunLedger:
    """The ledger in Azure Tables."""

    def __init__(self, tables: TableStore) -> None:
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

    def of_window(self, window: Window) -> Rows[RunRow]:
        """Query the keys that begin with the window's start."""
        feed, first = row_key(window, 0)
        prefix = first.removesuffix("0")
        found = read_rows(_TABLE, self._tables.query(_TABLE, Query(feed, prefix, prefix + "~")), _row)
        return Rows(sorted(found, key=lambda row: row.number), found.unreadable)

    def of_feed(self, feed: str) -> Rows[RunRow]:
        """Query by state; the filter runs in the service."""
        query = Query(feed, columns={"state": sorted(ACTIVE)})
        return read_rows(_TABLE, self._tables.query(_TABLE, query), _row)

    def purge(self, feed: str, before: datetime, most: int) -> int:
        """Query by key and state, then delete by keys."""
        query = Query(feed, before=stamp(before), columns={"state": sorted(set(RUN_STATES) - ACTIVE)})
        keys = [(feed, entity["RowKey"]) for entity in self._tables.query(_TABLE, query, most)]
        self._tables.delete(_TABLE, keys)
        return len(keys)


_TEXTS = ("mode", "state", "page_url", "lookup_note")
_MESSAGE_BEFORE = "words"  # what earlier versions called the column `message`
_LOOKUP_BEFORE = "lookup"  # where they kept the path of the only lookup that there was, of assets


def _entity(row: RunRow) -> dict[str, Any]:
    partition, key = row_key(row.window, row.number)
    return (
        VERSION
        | {
            "PartitionKey": partition,
            "RowKey": key,
            "start": row.window.start.isoformat(),
            "end": row.window.end.isoformat(),
            "number": row.number,
            "run_id": str(row.run_id),  # Databricks' ids may be over 32 bits, a plain number column's size
            "superseding": row.superseding,
            "claimed_at": row.claimed_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
            "message": row.message[:LONGEST_TEXT],
            "attempt": row.attempt,
            "lookups": json.dumps(dict(row.lookups)),
            **{name: getattr(row, name) for name in _TEXTS},
        }
    )


def _row(entity: Mapping[str, Any]) -> RunRow:
    return read_row(entity, _run_row)


def _run_row(columns: Columns) -> RunRow:
    return RunRow(
        window=Window(columns.text("PartitionKey"), columns.time("start"), columns.time("end")),
        number=columns.number("number"),
        mode=columns.text("mode", *get_args(RunMode)),  # type: ignore[arg-type] # one of them
        state=columns.text("state", *RUN_STATES),  # type: ignore[arg-type] # one of them
        claimed_at=columns.time("claimed_at"),
        updated_at=columns.time("updated_at"),
        run_id=int(columns.text("run_id")),
        page_url=columns.text("page_url"),
        lookups=_lookups(columns),
        lookup_note=columns.text("lookup_note"),
        superseding=columns.flag("superseding"),
        message=columns.text("message" if "message" in columns else _MESSAGE_BEFORE),
        attempt=columns.number("attempt", 1),
    )


def _lookups(columns: Columns) -> dict[str, str]:
    if "lookups" in columns:
        lookups = json.loads(columns.text("lookups"))
        if not isinstance(lookups, dict) or not all(isinstance(path, str) for path in lookups.values()):
            raise ValueError("lookups are no paths by name")
        return lookups
    before = columns.text(_LOOKUP_BEFORE)
    return {"assets": before} if before else {}
