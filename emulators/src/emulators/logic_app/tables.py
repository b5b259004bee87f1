"""The entities that workflows keep, in a SQLite file that outlives a restart."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CREATE = (
    "CREATE TABLE IF NOT EXISTS entities (account TEXT, name TEXT, partition_key TEXT, row_key TEXT, entity TEXT,"
    " PRIMARY KEY (account, name, partition_key, row_key))"
)
_FIND = "SELECT entity FROM entities WHERE account = ? AND name = ? AND partition_key = ? AND row_key = ?"
_INSERT = "INSERT OR IGNORE INTO entities VALUES (?, ?, ?, ?, ?)"


class Tables:
    """Tables of storage accounts; one is there as soon as something is written to it."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self._database = sqlite3.connect(path, autocommit=True)
        self._database.execute(_CREATE)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def find(self, account: str, table: str, partition_key: str, row_key: str) -> dict[str, Any] | None:
        """Give an entity, or None where there is none of these keys."""
        row = self._database.execute(_FIND, (account, table, partition_key, row_key)).fetchone()
        return json.loads(row[0]) if row else None

    def insert(self, account: str, table: str, entity: Mapping[str, Any]) -> bool:
        """Insert an entity by its PartitionKey and RowKey; say whether they were free."""
        keys = (account, table, entity["PartitionKey"], entity["RowKey"])
        return self._database.execute(_INSERT, (*keys, json.dumps(entity))).rowcount == 1
