"""Tables of figures for each stretch of time of one length, such as counts of five minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, Rewritten, RowsOfValues

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def bucket_of(time: Column, width: timedelta) -> Column:
    """Give the beginning of the bucket that a time lies in; the first one begins on 1 January 1970, UTC."""
    micros = F.unix_micros(time)
    return F.timestamp_micros(micros - F.pmod(micros, F.lit(width // _MICROSECOND)))


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets that changed rows lie in, or lay in, are counted again from the stream and replaced.

    time: the stream's column. bucket: the table's column with a bucket's beginning, as `bucket_of` gives it.
    """

    stream: str
    width: timedelta
    time: str
    bucket: str

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the stream."""
        return (self.stream,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows of the touched buckets."""
        changed = inputs.changes[self.stream]
        touched = changed.rows.select(bucket_of(F.col(self.time), self.width).alias(self.bucket))
        if changed.whole:
            touched = touched.union(inputs.read(OWN_ROWS).select(self.bucket))
        buckets = _times(touched.dropna().distinct())
        if not buckets:
            return None
        rows = build({self.stream: self._within(inputs.read(self.stream), buckets)})
        return RowsOfValues(rows, self.bucket, buckets)

    def _within(self, rows: DataFrame, buckets: list[datetime]) -> DataFrame:
        """Take the rows of these buckets; the two bounds are what spares reading the files of other times."""
        time = F.col(self.time)
        near = rows.where((time >= F.lit(buckets[0])) & (time < F.lit(buckets[-1] + self.width)))
        return near.where(bucket_of(time, self.width).isin(buckets)) if len(buckets) > 1 else near


def _times(column: DataFrame) -> list[datetime]:
    """Collect times in their order; as microseconds, since Spark would give them in this machine's zone."""
    found = column.select(F.unix_micros(column.columns[0])).collect()
    return [_EPOCH + micros * _MICROSECOND for micros in sorted(row[0] for row in found)]
