"""Where the rows of SQL tables are exported to in the lake, and when it is time to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


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


NOTED_EVERY: Final = timedelta(minutes=1)
"""How often whoever writes rows notes that at least."""

_UNCERTAIN: Final = timedelta(minutes=10)
"""How long after a note rows may still be committed: until the next note, and longer than any send is tried."""


def is_export_due(exported: Exported, every: timedelta, now: datetime) -> bool:
    """Say whether it is time to export again; one that was broken off is gone on with at once."""
    return exported.at is None or now - exported.at >= every


def may_have_changed(exported: Exported, noted: datetime | None) -> bool:
    """Say whether rows may have changed since the last export, by when it was noted last that some are written."""
    return exported.at is None or (noted is not None and noted >= exported.at - _UNCERTAIN)
