"""Looks after the tables: small files become large ones, old files and rows that are kept no longer are deleted."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from lakehouse.lake.naming import LAYERS
from lakehouse.lake.tables import Lake
from lakehouse.pipelines.pipeline import Pipeline

logger = logging.getLogger(__name__)

LEAST_KEPT = timedelta(days=7)
"""Delta refuses less: a reader or a run that was killed may still need the files, and the change feed lies in them."""


def maintain(lake: Lake, pipelines: Iterable[Pipeline], now: datetime, kept: timedelta) -> dict[str, Any]:
    """Delete rows that gold tables keep no longer, compact every table, delete files unused for longer than `kept`.

    One table's failure is told and does not keep the others from it; raises the first one at the end.
    """
    deleted = _delete_old_rows(lake, pipelines, now)
    failures: dict[str, Exception] = {}
    tables = [name for layer in LAYERS for name in lake.tables(layer)]
    for name in tables:
        try:
            lake.compact(name, kept)
            logger.info("lakehouse.maintained table=%s", name)
        except Exception as error:
            logger.exception("lakehouse.not_maintained table=%s", name)
            failures[name] = error
    if failures:
        raise next(iter(failures.values()))
    return {"event": "lakehouse.maintained", "tables": tables, "deleted": deleted}


def _delete_old_rows(lake: Lake, pipelines: Iterable[Pipeline], now: datetime) -> list[str]:
    kept = [table for pipeline in pipelines for table in pipeline.tables if table.kept_for and table.time]
    there = [table for table in kept if lake.exists(table.lake_name)]
    for table in there:
        before = (now - (table.kept_for or timedelta())).strftime("%Y-%m-%d %H:%M:%S")
        lake.delete(table.lake_name, f"`{table.time}` < TIMESTAMP '{before}'")
    return [table.name for table in there]
