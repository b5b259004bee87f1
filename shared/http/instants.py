"""How answers write a time."""

from datetime import datetime


def written(instant: datetime | None) -> str | None:
    """Write a time in UTC with `Z`, None for none."""
    return instant.isoformat().replace("+00:00", "Z") if instant else None
