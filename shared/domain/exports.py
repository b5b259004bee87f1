"""Where the rows of SQL tables are exported to in the lake, and when it is time to."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Exported:
    """How far a table is exported: up to which change, and when all changes of that moment were (None: never yet)."""

    position: int = 0
    at: datetime | None = None


def export_folder(stream: str) -> str:
    """Name the folder of a stream's exported rows in the container `lake`."""
    return f"exports/{stream}"


def export_path(stream: str, begin: int, to: int) -> str:
    """Name the file of the rows that changed behind one position up to another.

    Both ends are in it: of two exports at once neither writes over what the other has and it has not.
    """
    return f"{export_folder(stream)}/{begin:020d}-{to:020d}.parquet"


def is_export_due(exported: Exported, every: timedelta, now: datetime) -> bool:
    """Say whether it is time to export again; one that was broken off is gone on with at once."""
    return exported.at is None or now - exported.at >= every
