"""Pushes a batch of gold to a dashboard: off by default, and never a reason to hold up what must arrive."""

import logging
from collections.abc import Callable

from pyspark.sql import DataFrame

from lakehouse.lake.tables import MicroBatch
from lakehouse.sinks.power_bi import PowerBi, PushRefused
from lakehouse.sinks.sql import SqlSink

logger = logging.getLogger(__name__)

type Push = Callable[[DataFrame, MicroBatch], None]


def no_push(_rows: DataFrame, _batch: MicroBatch) -> None:
    """Push nothing."""


def pushing(power_bi: PowerBi, sql: SqlSink) -> Push:
    """Push each batch that the database does not record as pushed; what the service refuses is logged and left."""

    def push(rows: DataFrame, batch: MicroBatch) -> None:
        name = f"power_bi/{batch.query}/{batch.number}"
        if sql.claimed(name):
            return
        try:
            posts = power_bi.push(rows)
            logger.info("power_bi.pushed batch=%s posts=%s", batch.number, posts)
        except PushRefused as refused:
            logger.warning("power_bi.left batch=%s reason=%s", batch.number, refused)
        sql.claim(name)

    return push
