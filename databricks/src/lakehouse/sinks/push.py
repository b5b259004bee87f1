"""Pushes a published table's rows to a dashboard: off by default, and no reason to hold up what must arrive."""

import logging
from collections.abc import Iterable

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import Rewritten
from lakehouse.pipelines.table import Table
from lakehouse.sinks.power_bi import PowerBi, PushRefused
from lakehouse.sinks.sql import SqlSink
from lakehouse.sinks.tables import UnfitTable

logger = logging.getLogger(__name__)


class PushTarget:
    """A push dataset as a target of the one table that is `pushed`; its progress stands beside those of SQL's tables.

    A row is pushed at least once, again with each change of it. What the service refuses is logged and left.
    """

    def __init__(self, power_bi: PowerBi, sql: SqlSink) -> None:
        self._power_bi = power_bi
        self._sql = sql

    def prepare(self, tables: Iterable[Table]) -> None:
        """Begin where SQL is, once SQL is prepared and before anything is written to it; raises UnfitTable."""
        pushed = [table for table in tables if table.pushed]
        if len(pushed) > 1 or any(not table.sql for table in pushed):
            names = ", ".join(table.name for table in pushed)
            raise UnfitTable(f"{names}: the URL of a push dataset is that of one table, which SQL must have too.")
        for table in pushed:
            begun = self._sql.progress(table)
            if begun is not None and self.progress(table) is None:
                self._sql.record(_name(table), begun)

    def progress(self, table: Table) -> Progress | None:
        """Give up to where rows were pushed or refused."""
        return self._sql.progress_of(_name(table))

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        """Push rows; those that they replace can't be taken back."""
        try:
            posts = self._power_bi.push(rewritten.rows)
            logger.info("power_bi.pushed table=%s posts=%s", table.sql, posts)
        except PushRefused as refused:
            logger.warning("power_bi.left table=%s reason=%s", table.sql, refused)
        self._sql.record(_name(table), progress)


def _name(table: Table) -> str:
    return f"power_bi/{table.sql}"
