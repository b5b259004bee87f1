"""Timer schedules: NCRONTAB of six or five fields, or a constant interval hh:mm:ss."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from croniter import CroniterBadDateError, croniter

from emulators.functions_host.errors import TimerScheduleError
from emulators.functions_host.host_json import parse_timespan

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_PART = re.compile(r"(?P<first>\*|[a-z]+|\d+)(?:-(?P<last>[a-z]+|\d+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an expression: its name, its lowest and highest value, and the names of its values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    Field("second", 0, 59), Field("minute", 0, 59), Field("hour", 0, 23),
    Field("day of month", 1, 31), Field("month", 1, 12, _MONTHS), Field("day of week", 0, 6, _DAYS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires: a cron expression of plain numbers in `zone`, or every `interval`."""

    cron: str = ""
    interval: timedelta = timedelta()
    zone: tzinfo = UTC

    def next_after(self, moment: datetime) -> datetime:
        """Give the first firing time strictly after `moment` (aware); an interval counts from `moment`."""
        if self.interval:
            return moment + self.interval
        # Day of month and day of week must both match: NCrontab ANDs them where cron ORs.
        times = croniter(self.cron, moment.astimezone(self.zone), second_at_beginning=True, day_or=False)
        following: datetime = times.get_next(datetime)
        return following.astimezone(UTC)


def parse_schedule(expression: str, settings: Mapping[str, str], zone: tzinfo = UTC) -> Schedule:
    """Parse a timerTrigger's schedule; `%NAME%` is taken from `settings`.

    Raises TimerScheduleError with the expression and the rule it breaks. Rules: NCrontab (weekdays 0-6, no L W # ?,
    month and weekday names short or full) and .NET's TimeSpan, which reads 24:00:00 as 24 days and is refused here.
    """
    text = _resolve(expression, settings)
    if ":" in text:
        return Schedule(interval=_interval(text), zone=zone)
    parts = text.lower().split()
    if len(parts) == len(_FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(_FIELDS):
        raise TimerScheduleError(f"schedule {text!r} has {len(parts)} fields: NCRONTAB has six (or five, no seconds)")
    schedule = Schedule(" ".join(_numbers(p, f, text) for p, f in zip(parts, _FIELDS, strict=True)), zone=zone)
    _check_it_fires(schedule, text)
    return schedule


def _resolve(expression: str, settings: Mapping[str, str]) -> str:
    match = re.fullmatch(r"\s*%([^%]+)%\s*", expression)
    if match is None:
        return expression.strip()
    if match[1] not in settings:
        raise TimerScheduleError(f"schedule {expression!r} names an app setting that does not exist")
    return settings[match[1]].strip()


def _interval(text: str) -> timedelta:
    try:
        interval = parse_timespan(text)
    except ValueError as error:
        raise TimerScheduleError(f"schedule {text!r}: {error}") from error
    if interval.microseconds:
        raise TimerScheduleError(f"schedule {text!r}: an interval is in whole seconds")
    hours, minutes, *seconds = (int(float(part)) for part in text.split(".", 1)[-1].split(":"))
    if hours > _FIELDS[2].high or max(minutes, *seconds, 0) > _FIELDS[1].high or not interval:
        raise TimerScheduleError(f"schedule {text!r}: an interval is 00:00:01 to 23:59:59, or d.hh:mm:ss")
    return interval


def _numbers(part: str, field: Field, text: str) -> str:
    values = sorted({value for piece in part.split(",") for value in _piece(piece, field, text)})
    if values == list(range(field.low, field.high + 1)):
        return "*"
    return ",".join(map(str, values))


def _piece(piece: str, field: Field, text: str) -> range:
    match = _PART.fullmatch(piece)
    if match is None or (match["first"] == "*" and match["last"]):
        raise TimerScheduleError(f"schedule {text!r}: {piece!r} is no value of the {field.name} field")
    step = int(match["step"] or 1)
    first = field.low if match["first"] == "*" else _value(match["first"], field, text)
    open_ended = match["first"] == "*" or (match["step"] and not match["last"])
    last = field.high if open_ended else _value(match["last"] or match["first"], field, text)
    if step < 1 or last < first:
        raise TimerScheduleError(f"schedule {text!r}: {piece!r} runs backwards or not at all ({field.name})")
    return range(first, last + 1, step)


def _value(word: str, field: Field, text: str) -> int:
    named = {name[:3]: n for n, name in enumerate(field.names, field.low)} | {
        name: n for n, name in enumerate(field.names, field.low)
    }
    value = named.get(word, int(word) if word.isdigit() else -1)
    if not field.low <= value <= field.high:
        raise TimerScheduleError(
            f"schedule {text!r}: {word!r} is no {field.name}: {field.low} to {field.high}"
            + (" or a name" if field.names else "")
        )
    return value


def _check_it_fires(schedule: Schedule, text: str) -> None:
    try:
        schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC))
    except CroniterBadDateError as error:
        raise TimerScheduleError(f"schedule {text!r} never fires: no date matches it") from error
