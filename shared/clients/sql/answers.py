"""What the errors of Azure SQL and of SQLite mean, by their numbers and states.

Sources: "Troubleshoot common connection issues" of learn.microsoft.com/azure-sql (its list of transient faults, marked
T), the list of Entity Framework Core (SqlServerTransientExceptionDetector, marked E), SQL Server's own message texts
(M), ODBC's states (appendix A of the ODBC reference), and sqlite.org/rescode.html.
"""

import re
import sqlite3
from collections.abc import Mapping
from typing import Final

from shared.domain.failures import FailureKind

BY_NUMBER: Final[Mapping[int, FailureKind]] = {
    **dict.fromkeys((20, 64, 121, 233, 10053, 10054, 10060, 11001), FailureKind.UNAVAILABLE),  # E: not or badly linked
    **dict.fromkeys((615, 926, 4060, 4221, 40197, 40613), FailureKind.UNAVAILABLE),  # T: the database moves or sleeps
    **dict.fromkeys((40020, 40143, 40166, 40540), FailureKind.UNAVAILABLE),  # T: the codes within a 40197
    **dict.fromkeys((17197, 18401, 22430, 40623, 49802), FailureKind.UNAVAILABLE),  # E: it recovers, shuts down, wakes
    3906: FailureKind.UNAVAILABLE,  # M "the database is read-only": a replica, for as long as a failover lasts
    6005: FailureKind.UNAVAILABLE,  # M "SHUTDOWN is in progress"
    **dict.fromkeys((40501, 49918, 49919, 49920), FailureKind.THROTTLED),  # T: "retry the request after 10 seconds"
    **dict.fromkeys((10928, 10929, 10930, 10936), FailureKind.THROTTLED),  # E: the limit of workers or sessions
    **dict.fromkeys((1204, 40642, 40648, 40675, 40903), FailureKind.THROTTLED),  # E: "currently too busy"
    **dict.fromkeys((1205, 1222, 3960), FailureKind.UNAVAILABLE),  # E: lost to another transaction
    # M: another made the same row or table at the same time, so the next try finds it
    **dict.fromkeys((2601, 2627, 2714), FailureKind.UNAVAILABLE),
    **dict.fromkeys((40532, 40615, 40914, 47073), FailureKind.UNAUTHORIZED),  # M: firewall, virtual network, private
    **dict.fromkeys((18470, 18486, 18487, 18488), FailureKind.UNAUTHORIZED),  # M: the login is disabled or ran out
    **dict.fromkeys((229, 230, 262, 297, 300, 2760), FailureKind.UNAUTHORIZED),  # M: permission denied on something
}
"""Of two numbers in one message the one that may pass counts: the other was its consequence."""

LOGIN_FAILED: Final = 18456
"""M "Login failed": said of a wrong identity, and also while a paused database resumes and its logins aren't there."""

BY_STATE: Final[Mapping[str, FailureKind]] = {
    "HYT00": FailureKind.UNAVAILABLE,  # timeout expired
    "HYT01": FailureKind.UNAVAILABLE,  # connection timeout expired
    "40001": FailureKind.UNAVAILABLE,  # serialization failure: a deadlock
    "28000": FailureKind.UNAUTHORIZED,  # invalid authorization specification
    "08": FailureKind.UNAVAILABLE,  # connection exceptions
    "22": FailureKind.REJECTED,  # data exceptions
    "23": FailureKind.REJECTED,  # violated constraints
}
"""By the whole state, else by its class, which is its first two letters."""

BY_SQLITE_CODE: Final[Mapping[int, FailureKind]] = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), FailureKind.UNAVAILABLE),  # another's transaction
    sqlite3.SQLITE_INTERRUPT: FailureKind.UNAVAILABLE,  # broken off at our own deadline
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH), FailureKind.UNAUTHORIZED),
    **dict.fromkeys((sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG), FailureKind.REJECTED),
}
"""By the primary code, which is the low byte of an extended one."""

_NUMBER: Final = re.compile(r"\((\d{1,6})\)(?=\s*(?:\(SQL\w+[()]|;|[\"')]|$))")  # ODBC: `text (number) (function)`
_PRIMARY: Final = 0xFF


def numbers_of(error: object) -> frozenset[int]:
    """Give the error numbers in what pyodbc raised."""
    return frozenset(int(number) for number in _NUMBER.findall(str(error)))


def meaning_of_server_error(error: object) -> FailureKind:
    """Say what an error of Azure SQL means, as pyodbc raises it: its state first, the numbers in its text."""
    state = str(next(iter(getattr(error, "args", ())), ""))
    kinds = [BY_NUMBER[number] for number in numbers_of(error) if number in BY_NUMBER]
    by_state = BY_STATE.get(state) or BY_STATE.get(state[:2])
    transient = [kind for kind in (*kinds, by_state) if kind is not None and kind.may_pass]
    return next(iter([*transient, *kinds]), by_state or FailureKind.PERMANENT)


def meaning_of_sqlite_error(error: sqlite3.Error) -> FailureKind:
    """Say what an error of SQLite means."""
    return BY_SQLITE_CODE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY, FailureKind.PERMANENT)
