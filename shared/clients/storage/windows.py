"""The ledger: Azure Table rows that say what was planned for each window and slice, and what happened."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

from shared.clients.storage.account import Account
from shared.clients.storage.columns import read_rows
from shared.clients.storage.newest import newest_first
from shared.clients.storage.tables import Entity, Query, TableStore, tables_of
from shared.clients.storage.window_entities import (
    attempt_entity,
    attempt_row,
    slice_entity,
    slice_prefix,
    slice_row,
    window_entity,
    window_key,
    window_row,
)
from shared.domain.windows.ledger_row import TERMINAL, SliceRow, WindowRow
from shared.domain.windows.rows import Rows
from shared.domain.windows.window import Slice, stamp
from shared.errors import Unavailable

Change = Callable[[WindowRow], WindowRow | None]

WINDOWS: Final = "windows"
SLICES: Final = "slices"
ATTEMPTS: Final = "attempts"
_ACTIVE = ("planned", "open")
_MAX_RACES = 50


class Ledger(Protocol):
    """Windows and tries at slices, safe against any number of writers; every verb raises Unavailable.

    A verb that lists rows passes over those that can't be read, and names them; one that reads or changes a single row
    raises CorruptRow.
    """

    def claim(self, row: WindowRow) -> bool:
        """Insert a window's row if its feed has none with that start; say whether this call did."""

    def reopen(self, row: WindowRow) -> bool:
        """Put a window's next attempt in the place of the one before it, which ended and is kept beside it.

        Says whether the window's row is this one now: not where another caller was first, or it can't be reopened.
        """

    def window(self, window_id: str) -> WindowRow | None:
        """Read one window, None where the ledger has none; ValueError for what is no window id."""

    def windows(
        self,
        feed: str,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        states: Iterable[str] = (),
    ) -> Rows[WindowRow]:
        """List a feed's windows in order of their starts, from `since` on, in any of `states` (none: all)."""

    def active(self) -> Rows[WindowRow]:
        """List the windows of all feeds that are planned or open, by feed and start."""

    def newest(
        self,
        feed: str,
        most: int,
        *,
        now: datetime,
        before: datetime | None = None,
        states: Iterable[str] = (),
        origin: str = "",
    ) -> Rows[WindowRow]:
        """List a feed's `most` newest windows that start before an instant (None: any), the newest first.

        now: where most windows lie, so that few rows beside them are read.
        """

    def change(self, window_id: str, change: Change) -> WindowRow | None:
        """Replace a window's row by what `change` makes of it, again on a race; None keeps it. Answer the row now."""

    def ended_attempts(self, window_id: str) -> Rows[WindowRow]:
        """List what became of the attempts of a window before its present one, by their numbers."""

    def begin_attempt(self, part: Slice, now: datetime, window_attempt: int = 1) -> SliceRow:
        """Insert the next try at a slice, `running`; of two callers at once each gets its own number (from 1)."""

    def write_attempt(self, row: SliceRow) -> None:
        """Write a try as it stands now, whatever was there."""

    def attempts(
        self, window_id: str, window_attempt: int | None = None, *, number: int | None = None
    ) -> Rows[SliceRow]:
        """List the tries at a window's slices by slice and number: all, or those of one attempt of the window.

        number: of the slice, where those at one alone are wanted.
        """

    def purge(self, feed: str, before: datetime, most: int) -> int:
        """Delete the oldest ended windows that start before an instant, with all that belongs to them; say how many."""


def known_window(ledger: Ledger, window_id: str | None) -> WindowRow | None:
    """Give a window's row, None for what the ledger has not, or what is no window id."""
    try:
        return ledger.window(window_id) if window_id else None
    except ValueError:
        return None


def claim_attempt(ledger: Ledger, row: WindowRow) -> bool:
    """Claim a window, or the next attempt of one that ended; say whether this call did."""
    return ledger.claim(row) if row.attempt == 1 else ledger.reopen(row)


def table_ledger(account: Account) -> "TableLedger":
    """Give the ledger in the tables of an account."""
    return TableLedger(tables_of(account))


class TableLedger:
    """The ledger in Azure Tables: `windows`, `slices` and `attempts`."""

    def __init__(self, tables: TableStore) -> None:
        """Keep the tables; nothing is dialled before the first verb."""
        self._tables = tables

    def claim(self, row: WindowRow) -> bool:
        """Insert the row; its primary key makes the one winner."""
        return self._tables.insert(WINDOWS, window_entity(row))

    def reopen(self, row: WindowRow) -> bool:
        """Keep the ended attempt first, then replace the row under its ETag; a lost answer is seen by what is there."""

        def next_attempt(entity: Entity) -> Entity | None:
            current = window_row(entity)
            if not current.reopenable or current.attempt != row.attempt - 1:
                return None
            self._tables.upsert(ATTEMPTS, attempt_entity(current))
            return window_entity(row)

        entity = self._tables.change(WINDOWS, window_key(row.window.id), next_attempt)
        return entity is not None and window_row(entity) == row

    def window(self, window_id: str) -> WindowRow | None:
        """Read one row by its keys."""
        entity = self._tables.read(WINDOWS, window_key(window_id))
        return window_row(entity) if entity else None

    def windows(
        self,
        feed: str,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        states: Iterable[str] = (),
    ) -> Rows[WindowRow]:
        """Query the feed's partition; the filter runs in the service."""
        first, last = (stamp(since) if since else ""), (stamp(before) if before else "")
        query = Query(feed, first, last, _columns(states))
        return read_rows(WINDOWS, self._tables.query(WINDOWS, query), window_row)

    def active(self) -> Rows[WindowRow]:
        """Query all partitions by state."""
        return read_rows(WINDOWS, self._tables.query(WINDOWS, Query(columns=_columns(_ACTIVE))), window_row)

    def newest(
        self,
        feed: str,
        most: int,
        *,
        now: datetime,
        before: datetime | None = None,
        states: Iterable[str] = (),
        origin: str = "",
    ) -> Rows[WindowRow]:
        """Walk back in ranges of time: Azure Tables answers in the order of the keys only."""
        columns = _columns(states, origin)

        def page(first: str, last: str, most: int) -> list[Entity]:
            return self._tables.query(WINDOWS, Query(feed, first, last, columns), most)

        return read_rows(WINDOWS, newest_first(page, most, now=now, before=before), window_row)

    def change(self, window_id: str, change: Change) -> WindowRow | None:
        """Change under the row's ETag."""

        def changed(entity: Entity) -> Entity | None:
            row = change(window_row(entity))
            return window_entity(row) if row else None

        entity = self._tables.change(WINDOWS, window_key(window_id), changed)
        return window_row(entity) if entity else None

    def ended_attempts(self, window_id: str) -> Rows[WindowRow]:
        """Query the window's partition."""
        return read_rows(ATTEMPTS, self._tables.query(ATTEMPTS, Query(window_id)), attempt_row)

    def begin_attempt(self, part: Slice, now: datetime, window_attempt: int = 1) -> SliceRow:
        """Insert under the next number above those of the rows that are there, whether they can be read or not."""
        prefix = slice_prefix(part.number)
        keys = [entity["RowKey"] for entity in self._tables.query(SLICES, _with_prefix(part.window_id, prefix))]
        taken = max((int(number) for key in keys if (number := key.removeprefix(prefix)).isdecimal()), default=0)
        for attempt in range(taken + 1, taken + 1 + _MAX_RACES):
            row = SliceRow(part, attempt, "running", now, now, window_attempt=window_attempt)
            if self._tables.insert(SLICES, slice_entity(row)):
                return row
        raise Unavailable(f"No free attempt number was found for slice {part.number} of {part.window_id}.")

    def write_attempt(self, row: SliceRow) -> None:
        """Upsert the row."""
        self._tables.upsert(SLICES, slice_entity(row))

    def attempts(
        self, window_id: str, window_attempt: int | None = None, *, number: int | None = None
    ) -> Rows[SliceRow]:
        """Query the window's partition, or the keys of one slice in it."""
        query = Query(window_id) if number is None else _with_prefix(window_id, slice_prefix(number))
        rows = read_rows(SLICES, self._tables.query(SLICES, query), slice_row)
        wanted = (row for row in rows if window_attempt in (None, row.window_attempt))
        return Rows(wanted, rows.unreadable)

    def purge(self, feed: str, before: datetime, most: int) -> int:
        """Delete what belongs to a window before its row: what is left half done is then found again."""
        ended = Query(feed, before=stamp(before), columns=_columns(sorted(TERMINAL)))
        keys = [(feed, entity["RowKey"]) for entity in self._tables.query(WINDOWS, ended, most)]
        for _, start in keys:
            for table in (SLICES, ATTEMPTS):
                found = self._tables.query(table, Query(f"{feed}-{start}"))
                self._tables.delete(table, [(entity["PartitionKey"], entity["RowKey"]) for entity in found])
        self._tables.delete(WINDOWS, keys)
        return len(keys)


def _columns(states: Iterable[str], origin: str = "") -> dict[str, tuple[str, ...]]:
    wanted = {"state": tuple(states), "origin": (origin,) if origin else ()}
    return {name: values for name, values in wanted.items() if values}


def _with_prefix(partition: str, prefix: str) -> Query:
    return Query(partition, prefix, prefix + "~")
