"""Tables that are made of whole days, such as a day's visits."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, Rewritten, RowsOfValues

_A_DAY = timedelta(days=1)


def day_of(moment: Column, zone: str = "UTC") -> Column:
    """Give the day of a time where the clocks show `zone`; the session's own zone is UTC."""
    return F.to_date(moment if zone == "UTC" else F.from_utc_timestamp(moment, zone))


@dataclass(frozen=True, slots=True)
class Day:
    """The days of changed rows are made anew and replaced.

    time: the stream's column. day: the table's column with the day, as `day_of` gives it. reach: how far beyond a day
    its rows look at the stream: they depend on no row that is further away.
    """

    stream: str
    time: str
    day: str
    zone: str = "UTC"
    reach: timedelta = timedelta(0)

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the stream."""
        return (self.stream,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows of the touched days."""
        changed = inputs.changes[self.stream]
        touched = changed.rows.where(F.col(self.time).isNotNull()).select(F.explode(self._days()).alias(self.day))
        if changed.whole:
            touched = touched.union(inputs.read(OWN_ROWS).select(self.day))
        days = sorted(row[0] for row in touched.distinct().collect())
        if not days:
            return None
        rows = build({self.stream: self._near(inputs.read(self.stream), days)})
        return RowsOfValues(rows.where(F.col(self.day).isin(days)), self.day, days)

    def _days(self) -> Column:
        """Give the days whose rows look at a row."""
        moment, reach = F.col(self.time), F.make_dt_interval(secs=F.lit(self.reach.total_seconds()))
        if not self.reach:
            return F.array(day_of(moment, self.zone))
        return F.sequence(day_of(moment - reach, self.zone), day_of(moment + reach, self.zone))

    def _near(self, rows: DataFrame, days: list[date]) -> DataFrame:
        """Take the rows that these days look at; the two bounds are what spares reading the files of other times."""
        moment = F.col(self.time)
        first, last = self._begin(days[0]) - self.reach, self._begin(days[-1] + _A_DAY) + self.reach
        near = rows.where((moment >= F.lit(first)) & (moment <= F.lit(last)))
        return near.where(F.arrays_overlap(self._days(), F.array(*map(F.lit, days))))

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)
