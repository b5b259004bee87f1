"""Opens what the app keeps in its SQL database.

SQLAlchemy, which costs a second of every cold start, is imported when the first store is opened and not before.
"""

from collections.abc import Callable
from typing import Any

from shared.clients.destination import Sender
from shared.clients.identity.credentials import Identity
from shared.clients.retrying import RetryPolicy
from shared.clients.sql.stores import ChangedRows, Counts, Metrics
from shared.contracts import Contract


def sql_metrics(url: str, identity: Identity, *, odbc: Callable[[], Any] | None = None) -> Metrics:
    """Open the measurements and alerts of a database; a SQLite file that is not there yet is made by the first write.

    url, identity, odbc and errors: as of `sql_database`.
    """
    from shared.clients.sql.database import sql_database  # noqa: PLC0415 - imports SQLAlchemy
    from shared.clients.sql.metrics import SqlMetrics  # noqa: PLC0415 - imports SQLAlchemy

    return SqlMetrics(sql_database(url, identity, odbc=odbc, makes_file=True))


def sql_counts(url: str, identity: Identity) -> Counts:
    """Open the counts of a database; errors as of `sql_database`."""
    from shared.clients.sql.counts import SqlCounts  # noqa: PLC0415 - imports SQLAlchemy
    from shared.clients.sql.database import sql_database  # noqa: PLC0415 - imports SQLAlchemy

    return SqlCounts(sql_database(url, identity))


def sql_rows(url: str, identity: Identity, contract: Contract, *, retry: RetryPolicy) -> Sender:
    """Open the table of a stream's records as a destination, whose sends are tried as `retry` says.

    Errors as of `sql_database`.
    """
    from shared.clients.sql.database import sql_database  # noqa: PLC0415 - imports SQLAlchemy
    from shared.clients.sql.rows import SqlRows  # noqa: PLC0415 - imports SQLAlchemy

    return SqlRows(contract, sql_database(url, identity, makes_file=True), retry)


def sql_changed_rows(url: str, identity: Identity, contract: Contract) -> ChangedRows:
    """Open the rows of a stream's table by their last change; errors as of `sql_database`."""
    from shared.clients.sql.changed_rows import SqlChangedRows  # noqa: PLC0415 - imports SQLAlchemy
    from shared.clients.sql.database import sql_database  # noqa: PLC0415 - imports SQLAlchemy

    return SqlChangedRows(contract, sql_database(url, identity))
