"""Tells in the log how each streaming query stands: what a batch read, how fast, and how far it lags behind its hub."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

logger = logging.getLogger(__name__)


class LogListener(StreamingQueryListener):
    """Writes one line a batch: `lakehouse.batch query=bronze_trades number=3 rows=200 lag=0 seconds=1.25`."""

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802 (Spark's own name)
        """Say nothing: a run starts a query for each pass."""

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802 (Spark's own name)
        """Log the batch."""
        progress = json.loads(event.progress.json)
        if progress["numInputRows"]:
            logger.info(
                "lakehouse.batch query=%s number=%s rows=%s lag=%s seconds=%.2f",
                *(progress.get("name"), progress["batchId"], progress["numInputRows"], lag_of(progress)),
                progress.get("durationMs", {}).get("triggerExecution", 0) / 1000,
            )

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802 (Spark's own name)
        """Say nothing."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802 (Spark's own name)
        """Log a failure; the run itself fails with it, this names the query."""
        if event.exception:
            logger.error("lakehouse.query_failed query_id=%s reason=%s", event.id, event.exception.partition("\n")[0])


def listen(spark: SparkSession) -> None:
    """Log the progress of this session's streaming queries."""
    spark.streams.addListener(LogListener())


def lag_of(progress: Mapping[str, Any]) -> int:
    """Count the events that a query's hub has and the query has not: Kafka tells it, or end and latest offset do.

    Offsets of this project's AMQP source are `{"last": {<partition>: <sequence number>}}`, Kafka's
    `{<topic>: {<partition>: <offset>}}`; sources that give neither count as 0.
    """
    return sum(_lag_of_source(source) for source in progress.get("sources", ()))


def _lag_of_source(source: Mapping[str, Any]) -> int:
    latest, end = _positions(source.get("latestOffset")), _positions(source.get("endOffset"))
    return sum(max(number - end.get(partition, -1), 0) for partition, number in latest.items())


def _positions(offset: object) -> dict[str, int]:
    try:
        given = json.loads(offset) if isinstance(offset, str) else offset
        by_partition = given["last"] if "last" in given else next(iter(given.values()))  # type: ignore[index, operator, union-attr]
        return {str(partition): int(number) for partition, number in by_partition.items()}
    except (TypeError, ValueError, AttributeError, StopIteration):
        return {}
