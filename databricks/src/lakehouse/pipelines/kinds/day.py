"""Tables that are made of whole days, such as a day's visits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, Rewritten, RowsOfValues
from lakehouse.pipelines.kinds.near import Span, between, lies_in

_LONGEST_DAY = timedelta(hours=25)
_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = ((day - _EPOCH).days for day in (date.min, date.max))
_NOTHING = timedelta(0)
_MICROSECOND = timedelta(microseconds=1)
_MOST_RUNS = 16


def day_of(moment: Column, zone: str = "UTC") -> Column:
    """Give the day of a time where the clocks show `zone`; the session's own zone is UTC."""
    return F.to_date(moment if zone == "UTC" else F.from_utc_timestamp(moment, zone))


@dataclass(frozen=True, slots=True)
class Step:
    """From rows to those of `to` that have the same `key` and lie from `before` their time to `after` it.

    time: the column of the found rows' time, from which a next step goes on. A first step starts at `MadeOf.time`.
    """

    to: str
    key: str
    time: str
    before: timedelta
    after: timedelta


type Way = tuple[Step, ...]
"""How a changed row finds rows whose days it changes; without a step that is its own day."""

OWN_DAY: Way = ()


@dataclass(frozen=True, slots=True)
class MadeOf:
    """An input of a day's rows: they look at its rows of the day, `before` it and `after` it, and at no others.

    time: the input's column. ways: by which of them a changed row finds the days that it changes; without any it
    changes all days that look at it.
    """

    name: str
    time: str
    before: timedelta = _NOTHING
    after: timedelta = _NOTHING
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The days that changed rows belong to, or belonged to, are made anew and replaced.

    day: the table's column with the day, as `day_of` gives it.
    """

    day: str
    made_of: tuple[MadeOf, ...]
    zone: str = "UTC"

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the inputs."""
        return tuple(one.name for one in self.made_of)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows of the touched days."""
        touched = [found.toDF(self.day) for one in self.made_of for found in self._touched(one, inputs)]
        if any(changed.whole for changed in inputs.changes.values()):
            touched.append(inputs.read(OWN_ROWS).select(self.day))
        days = _days(reduce(DataFrame.union, touched)) if touched else []
        if not days:
            return None
        rows = build({one.name: self._near(one, inputs.read(one.name), days) for one in self.made_of})
        return RowsOfValues(rows.where(F.col(self.day).isin(*map(literal_of, days))), self.day, days)

    def _touched(self, one: MadeOf, inputs: Inputs) -> Iterator[DataFrame]:
        """Give the days that changed rows of an input change.

        Where nobody knows what changed, the days that the table has and those of its inputs' rows say it all.
        """
        changed = inputs.changes[one.name]
        rows = changed.rows.where(F.col(one.time).isNotNull())
        if not one.ways:
            yield rows.select(F.explode(self._looking(one)))
        if OWN_DAY in one.ways:
            yield rows.select(day_of(F.col(one.time), self.zone))
        longer = [way for way in one.ways if way and not changed.whole]
        span = changed.around(one.time, _NOTHING) if longer else None
        if span is not None:
            yield from (self._at_the_end_of(way, one, rows, span, inputs) for way in longer)

    def _at_the_end_of(self, way: Way, one: MadeOf, rows: DataFrame, span: Span, inputs: Inputs) -> DataFrame:
        """Give the days of the rows that a way leads to; each input is read within bounds that the steps give."""
        time, (first, last) = one.time, span
        for step in way:
            first, last = first - step.before // _MICROSECOND, last + step.after // _MICROSECOND
            there = between(inputs.read(step.to), step.time, (first, last))
            rows, time = _found(there, step, rows, time), step.time
        return rows.select(day_of(F.col(time), self.zone))

    def _looking(self, one: MadeOf) -> Column:
        """Give the days that look at a row of an input."""
        moment = F.col(one.time)
        if not (one.before or one.after):
            return F.array(day_of(moment, self.zone))
        return F.sequence(day_of(moment - F.lit(one.after), self.zone), day_of(moment + F.lit(one.before), self.zone))

    def _near(self, one: MadeOf, rows: DataFrame, days: list[date]) -> DataFrame:
        """Take the rows between the first and the last moment that a run of these days looks at.

        The bounds spare reading the files of other times. Which day looks at which row is not asked: in another zone
        that costs more for each row than all that is made of it, and `build` makes nothing else of a row too many.
        """
        spans = [
            (self._begin(first, -one.before), self._begin(last, _LONGEST_DAY + one.after))
            for first, last in runs_of(days, one.before + one.after + _LONGEST_DAY)
        ]
        return rows.where(reduce(or_, [lies_in(one.time, span) for span in spans]))

    def _begin(self, day: date, later: timedelta) -> int:
        """Give the moment so long after a day's first one, in µs since 1970: it may lie beyond Python's calendar."""
        offset = datetime.combine(day, time(), ZoneInfo(self.zone)).utcoffset() or _NOTHING
        return (day - _EPOCH - offset + later) // _MICROSECOND


def _found(there: DataFrame, step: Step, rows: DataFrame, time: str) -> DataFrame:
    """Take the rows that a step leads to."""
    start = rows.select(F.col(step.key).alias("_key"), F.col(time).alias("_time")).distinct()
    near = F.col(step.time).between(F.col("_time") - F.lit(step.before), F.col("_time") + F.lit(step.after))
    return there.join(start, (F.col(step.key) == F.col("_key")) & near, "left_semi")


def _days(column: DataFrame) -> list[date]:
    """Collect days in their order; those beyond the calendar, which only a zone can make, have no place in any table.

    Spark would ask a condition on the day of each row that is read, long before it knows of which few rows it is.
    """
    found = (row[0] for row in column.distinct().select(F.unix_date(column[0])).collect())
    return sorted(_EPOCH + timedelta(days=one) for one in found if one is not None and _FIRST <= one <= _LAST)


def runs_of(days: Sequence[date], reach: timedelta) -> list[tuple[date, date]]:
    """Give the first and the last day of each run of ascending days that lie no further apart than `reach`.

    Of more than 16 runs those that lie closest together are one.
    """
    ends = sorted(pairwise(days), key=lambda pair: pair[0] - pair[1])[: _MOST_RUNS - 1]
    cuts = sorted(pair for pair in ends if pair[1] - pair[0] > reach)
    firsts, lasts = [days[0], *(later for _, later in cuts)], [*(one for one, _ in cuts), days[-1]]
    return list(zip(firsts, lasts, strict=True))


def literal_of(day: date) -> Column:
    """Write a day: of years before 1000 PySpark can't make a literal by itself."""
    return F.lit(day.isoformat()).cast("date")
