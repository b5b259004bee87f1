"""Days by the clock of a time zone: when one begins, and which of them something is due for that is done once a day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailySchedule:
    """When each day's lookups of a feed are due, and the gold of the day before, by the clock of its zone.

    None: it has no daily lookups; no run is wanted for its gold.
    """

    zone: tzinfo
    lookups_at: time | None = None
    gold_at: time | None = None


def day_of(instant: datetime, zone: tzinfo) -> date:
    """Give the day in which an instant lies."""
    return instant.astimezone(zone).date()


def moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Give the instant, in UTC, at which the clock shows a time; where it shows it twice that day, the first one.

    Where the clock leaps over that time, it is the instant as far behind the leap as the time lies in it.
    """
    return datetime.combine(day, at, zone).astimezone(UTC)


def begins(day: date, zone: tzinfo) -> datetime:
    """Give the first instant of a day, in UTC."""
    return moment(day, time.min, zone)


def newest_due(now: datetime, at: time, zone: tzinfo) -> date:
    """Give the newest day whose time `at` has come: whoever missed a tick is told the same day at the next one."""
    today = day_of(now, zone)
    return today if now >= moment(today, at, zone) else today - ONE_DAY
