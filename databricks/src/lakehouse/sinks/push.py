"""Pushes a published table's rows to a dashboard: off by default, and no reason to hold up what must arrive."""

import logging
from collections.abc import Sequence

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import Rewritten
from lakehouse.pipelines.table import Table
from lakehouse.sinks.power_bi import PowerBi, PushRefused
from lakehouse.sinks.sql import SqlSink
from lakehouse.sinks.tables import UnfitTable

logger = logging.getLogger(__name__)


class PushingSink:
    """SQL as a target, whose one table that is `pushed` goes to a push dataset too, once SQL has it.

    A row is pushed at least once, again with each change of it: where a run broke off between SQL and the push, the
    table's progress is the push's, so that both are given the same rows once more. What the service refuses is logged
    and left.
    """

    def __init__(self, sql: SqlSink, power_bi: PowerBi) -> None:
        self._sql = sql
        self._power_bi = power_bi

    def prepare(self, tables: Sequence[Table]) -> None:
        """Prepare SQL; a push that is new begins where SQL is. Raises UnfitTable."""
        pushed = [table for table in tables if table.pushed]
        if len(pushed) > 1 or any(not table.sql for table in pushed):
            names = ", ".join(table.name for table in pushed)
            raise UnfitTable(f"{names}: a push dataset's URL is that of one table, which must be in SQL too.")
        self._sql.prepare(tables)
        for table in pushed:
            begun = self._sql.progress(table)
            if begun is not None and self.progress(table) is None:
                self._sql.record(_name(table), begun)

    def progress(self, table: Table) -> Progress | None:
        """Give up to where both have the table."""
        return self._sql.progress_of(_name(table)) if table.pushed else self._sql.progress(table)

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        """Write to SQL, then push the new rows; those that they replace can't be taken back."""
        self._sql.write(table, rewritten, progress)
        if table.pushed:
            self._push(table, rewritten)
            self._sql.record(_name(table), progress)

    def _push(self, table: Table, rewritten: Rewritten) -> None:
        try:
            posts = self._power_bi.push(rewritten.rows)
            logger.info("power_bi.pushed table=%s posts=%s", table.sql, posts)
        except PushRefused as refused:
            logger.warning("power_bi.left table=%s reason=%s", table.sql, refused)


def _name(table: Table) -> str:
    return f"power_bi/{table.sql}"
