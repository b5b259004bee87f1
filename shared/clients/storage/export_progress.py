"""How far the rows of each SQL table are exported, and when some were written last: rows of an Azure Table.

A serverless database never pauses where it is asked each hour whether a table has changed; so whoever writes rows notes
it here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, read_row
from shared.clients.storage.tables import Entity, Key, TableStore, tables_of
from shared.domain.exports import Exported

_TABLE: Final = "exports"


class ExportProgress(Protocol):
    """How far tables are exported, by stream; every verb raises Unavailable or LoginRefused, what reads CorruptRow."""

    def read(self, stream: str) -> Exported:
        """Read how far a table is exported."""

    def move(self, stream: str, before: Exported, after: Exported) -> bool:
        """Write how far it is now, unless it is elsewhere than before; say whether this call did."""

    def note_change(self, stream: str, at: datetime) -> None:
        """Note that rows of a table are written now."""

    def changed_at(self, stream: str) -> datetime | None:
        """Read when that was noted last, None where it never was."""


@dataclass(frozen=True, slots=True)
class TableExportProgress:
    """Progress in Azure Tables."""

    tables: TableStore

    def read(self, stream: str) -> Exported:
        """Read the row."""
        entity = self.tables.read(_TABLE, _key(stream))
        return read_row(entity, _exported) if entity else Exported()

    def move(self, stream: str, before: Exported, after: Exported) -> bool:
        """Change the row under its ETag, or insert it."""
        moved: list[bool] = []

        def changed(entity: Entity) -> Entity | None:
            moved[:] = [read_row(entity, _exported) == before]
            return _entity(stream, after) if moved[0] else None

        if self.tables.change(_TABLE, _key(stream), changed) is None:
            return before == Exported() and self.tables.insert(_TABLE, _entity(stream, after))
        return moved[0]

    def note_change(self, stream: str, at: datetime) -> None:
        """Write a row beside the other: its ETag is not that of the progress."""
        partition, row = _changed_key(stream)
        noted = {"PartitionKey": partition, "RowKey": row, "changed_at": at.astimezone(UTC).isoformat()}
        self.tables.upsert(_TABLE, VERSION | noted)

    def changed_at(self, stream: str) -> datetime | None:
        """Read that row."""
        entity = self.tables.read(_TABLE, _changed_key(stream))
        return read_row(entity, lambda columns: columns.time("changed_at")) if entity else None


def table_export_progress(account: Account) -> TableExportProgress:
    """Give the progress in the tables of an account."""
    return TableExportProgress(tables_of(account))


def _key(stream: str) -> Key:
    return stream, "exported"


def _changed_key(stream: str) -> Key:
    return stream, "changed"


def _entity(stream: str, exported: Exported) -> dict[str, Any]:
    partition, row = _key(stream)
    at = {"exported_at": exported.at.astimezone(UTC).isoformat()} if exported.at else {}
    # A text: a whole number of Azure Tables has 32 bits unless it is told otherwise.
    return VERSION | {"PartitionKey": partition, "RowKey": row, "position": str(exported.position)} | at


def _exported(columns: Columns) -> Exported:
    return Exported(int(columns.text("position")), columns.time_if_any("exported_at"))
