"""How answers write a time."""

from datetime import datetime

from shared.domain.instants import utc_text


def written(instant: datetime | None) -> str | None:
    """Write a time in UTC with `Z`, None for none."""
    return utc_text(instant) if instant else None
