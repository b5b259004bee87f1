"""Rows of SQL tables into the lake: those that changed since the last export, as Parquet files.

A file is written before the progress that accounts for it. So what a kill in between leaves is written once more, under
the same name or with more behind it, and whoever reads the files tells a row by its key.

The database is asked only where rows may have been written since the last export: one that is serverless pauses else.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.sql.stores import ChangedRows
from shared.clients.storage.export_progress import ExportProgress
from shared.clients.storage.exported_files import ExportedFiles
from shared.contracts import Contract
from shared.domain.exports import Exported, export_path, is_export_due, may_have_changed
from shared.errors import IngestionError

logger = logging.getLogger(__name__)

TIME: Final = timedelta(minutes=4)
"""How long one tick of the timer exports; the next one goes on."""

ROWS: Final = 20_000
"""Of a file, and at once in memory."""


@dataclass(frozen=True, slots=True)
class ExportTools:
    """What exporting needs of the world.

    contracts: of the streams that end in SQL. rows: opens the table of a contract. every: how often a table is
    exported, None is never.
    """

    contracts: Sequence[Contract]
    rows: Callable[[Contract], ChangedRows]
    files: ExportedFiles
    progress: ExportProgress
    every: timedelta | None
    clock: Callable[[], datetime]


def export_rows(tools: ExportTools) -> None:
    """Export each table for which it is time and of which rows were written.

    One that fails is told, tried again at the next tick, and costs no other.
    """
    if tools.every is None:
        return
    until = tools.clock() + TIME
    for contract in tools.contracts:
        try:
            exported = tools.progress.read(contract.stream)
            due = is_export_due(exported, tools.every, tools.clock())
            if due and may_have_changed(exported, tools.progress.changed_at(contract.stream)):
                _export(tools, contract, exported, until)
        except IngestionError as error:
            telemetry.warning(logger, "export.failed", stream=contract.stream, cause=error)


def _export(tools: ExportTools, contract: Contract, exported: Exported, until: datetime) -> None:
    """Write file after file, until all is exported, the time is over or another instance was first."""
    table, rows = tools.rows(contract), 0
    while True:
        part = table.after(exported.position, ROWS)
        if part.rows:
            tools.files.write(export_path(contract.stream, part.begin, part.to), part.rows, contract)
        after = Exported(part.to, None if part.has_more else tools.clock())
        if not tools.progress.move(contract.stream, exported, after):
            telemetry.info(logger, "export.done_elsewhere", stream=contract.stream)
            return
        rows, exported = rows + len(part.rows), after
        telemetry.info(logger, "export.progress", stream=contract.stream, rows=rows, position=part.to)
        if not part.has_more or tools.clock() >= until:
            return
