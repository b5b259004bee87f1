"""The ledger: Azure Table rows that say what was planned for each window and slice, and what happened."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from shared.clients.identity.credentials import Identity
from shared.clients.storage.tables import Entity, Tables, tables_of
from shared.clients.storage.window_entities import slice_entity, slice_row, window_entity, window_key, window_row
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, stamp
from shared.errors import Unavailable

Change = Callable[[WindowRow], WindowRow | None]

_MAX_RACES = 50


class Ledger(Protocol):
    """Windows and tries at slices, safe against any number of writers; every verb raises Unavailable."""

    def claim(self, row: WindowRow) -> bool:
        """Insert a window's row if its feed has none with that start; say whether this call did."""

    def window(self, window_id: str) -> WindowRow | None:
        """Read one window, None where the ledger has none; ValueError for what is no window id."""

    def windows(self, feed: str, *, since: datetime | None = None, states: Iterable[str] = ()) -> list[WindowRow]:
        """List a feed's windows in order of their starts, from `since` on, in any of `states` (none: all)."""

    def change(self, window_id: str, change: Change) -> WindowRow | None:
        """Replace a window's row by what `change` makes of it, again on a race; None keeps it. Answer the row now."""

    def begin_attempt(self, part: Slice, now: datetime) -> SliceRow:
        """Insert the next try at a slice, `running`; of two callers at once each gets its own number (from 1)."""

    def write_attempt(self, row: SliceRow) -> None:
        """Write a try as it stands now, whatever was there."""

    def attempts(self, window_id: str) -> list[SliceRow]:
        """List all tries at a window's slices, by slice and attempt."""


def known_window(ledger: Ledger, window_id: str | None) -> WindowRow | None:
    """Give a window's row, None for what the ledger has not, or what is no window id."""
    try:
        return ledger.window(window_id) if window_id else None
    except ValueError:
        return None


def table_ledger(connection: str | None, endpoint: str, identity: Identity, ca_bundle: str | None) -> "TableLedger":
    """Give the ledger in the tables of an account: by connection string, or at `endpoint` by identity."""
    return TableLedger(tables_of(connection, endpoint, identity, ca_bundle))


class TableLedger:
    """The ledger in Azure Tables, `windows` and `slices`."""

    def __init__(self, tables: Tables) -> None:
        """Keep the tables; nothing is dialled before the first verb."""
        self._tables = tables

    def claim(self, row: WindowRow) -> bool:
        """Insert the row; its primary key makes the one winner."""
        return self._tables.insert("windows", window_entity(row))

    def window(self, window_id: str) -> WindowRow | None:
        """Read one row by its keys."""
        entity = self._tables.read("windows", window_key(window_id))
        return window_row(entity) if entity else None

    def windows(self, feed: str, *, since: datetime | None = None, states: Iterable[str] = ()) -> list[WindowRow]:
        """Query the feed's partition; the filter runs in the service."""
        clauses = ["PartitionKey eq @feed", *(["RowKey ge @since"] if since else [])]
        wanted = " or ".join(f"state eq '{state}'" for state in states)
        parameters = {"feed": feed} | ({"since": stamp(since)} if since else {})
        query = " and ".join([*clauses, *([f"({wanted})"] if wanted else [])])
        return [window_row(entity) for entity in self._tables.query("windows", query, parameters)]

    def change(self, window_id: str, change: Change) -> WindowRow | None:
        """Change under the row's ETag."""

        def changed(entity: Entity) -> Entity | None:
            row = change(window_row(entity))
            return window_entity(row) if row else None

        entity = self._tables.change("windows", window_key(window_id), changed)
        return window_row(entity) if entity else None

    def begin_attempt(self, part: Slice, now: datetime) -> SliceRow:
        """Insert under the next free attempt number."""
        taken = [row.attempt for row in self.attempts(part.window_id) if row.slice.number == part.number]
        for attempt in range(max(taken, default=0) + 1, max(taken, default=0) + 1 + _MAX_RACES):
            row = SliceRow(part, attempt, "running", now, now)
            if self._tables.insert("slices", slice_entity(row)):
                return row
        raise Unavailable(f"No free attempt number was found for slice {part.number} of {part.window_id}.")

    def write_attempt(self, row: SliceRow) -> None:
        """Upsert the row."""
        self._tables.upsert("slices", slice_entity(row))

    def attempts(self, window_id: str) -> list[SliceRow]:
        """Query the window's partition."""
        return [slice_row(entity) for entity in self._tables.query("slices", "PartitionKey eq @id", {"id": window_id})]
