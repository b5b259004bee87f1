"""The two tables that measurements and alerts lie in: made where they may be, under the lock of what is written."""

from datetime import UTC, datetime
from typing import Final

from shared.clients.sql.transaction import Transaction

METRICS: Final = "enrichment_pipeline_metrics"
ALERTS: Final = "enrichment_alerts"

ADMINISTRATORS_FILE: Final = "definitions/sql/enrichment_pipeline_metrics.sql"
"""What an administrator runs where the identity may not make the tables; it holds the least grants too."""


def prepare(sql: Transaction, table: str) -> None:
    """Take the lock of a table key, and make the tables where they are not there yet."""
    sql.lock(f"{METRICS}:{table}")
    if _there(sql):
        return
    sql.lock(f"{METRICS}: making the tables")
    if not _there(sql):
        sql.change("create_metrics")
        sql.change("create_alerts")


def written(instant: datetime) -> str:
    """Write a time in UTC as both dialects read and sort it, to the microsecond."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def read(cell: object) -> datetime:
    """Read a time that either driver gave, as text or as a datetime without a zone."""
    return datetime.fromisoformat(str(cell)).replace(tzinfo=UTC)


def _there(sql: Transaction) -> bool:
    return sql.has(METRICS, ALERTS)
