"""The counts that the lakehouse wrote of each window."""

from collections import defaultdict
from dataclasses import dataclass

from shared.clients.sql.database import SqlDatabase
from shared.clients.sql.statements import COUNTS_OF_WINDOW
from shared.clients.sql.tables import WINDOW_COUNTS
from shared.clients.sql.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SqlCounts:
    """The counts in the table `window_counts`."""

    database: SqlDatabase

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        """Read them."""

        def read(sql: Transaction) -> dict[str, dict[str, int]] | None:
            if not sql.has(WINDOW_COUNTS.name):
                return None
            found: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for stream, stage, name, rows in sql.execute(COUNTS_OF_WINDOW, of_window=window_id):
                found[stream][f"{stage}/{name}"] = rows
            return dict(found)

        return self.database.call(read)
