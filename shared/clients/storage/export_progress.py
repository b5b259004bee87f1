"""How far the rows of each SQL table are exported: one row of an Azure Table for each stream, under its ETag."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, Protocol

from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, read_row
from shared.clients.storage.tables import Entity, Key, TableStore, tables_of
from shared.domain.exports import Exported

_TABLE: Final = "exports"


class ExportProgress(Protocol):
    """How far tables are exported, by stream; both verbs raise Unavailable, and CorruptRow."""

    def read(self, stream: str) -> Exported:
        """Read how far a table is exported."""

    def move(self, stream: str, before: Exported, after: Exported) -> bool:
        """Write how far it is now, unless it is elsewhere than before; say whether this call did."""


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


def table_export_progress(account: Account) -> TableExportProgress:
    """Give the progress in the tables of an account."""
    return TableExportProgress(tables_of(account))


def _key(stream: str) -> Key:
    return stream, "exported"


def _entity(stream: str, exported: Exported) -> dict[str, Any]:
    partition, row = _key(stream)
    at = {"exported_at": exported.at.astimezone(UTC).isoformat()} if exported.at else {}
    # A text: a whole number of Azure Tables has 32 bits unless it is told otherwise.
    return VERSION | {"PartitionKey": partition, "RowKey": row, "position": str(exported.position)} | at


def _exported(columns: Columns) -> Exported:
    return Exported(int(columns.text("position")), columns.time_if_any("exported_at"))
