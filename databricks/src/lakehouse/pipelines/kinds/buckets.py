"""Tables of figures for each stretch of time of one length, such as counts of five minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.keys import matching
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, Rewritten, RowsOfKeys, RowsOfValues

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def bucket_of(time: Column, width: timedelta) -> Column:
    """Give the beginning of the bucket that a time lies in; the first one begins on 1 January 1970, UTC."""
    micros = F.unix_micros(time)
    return F.timestamp_micros(micros - F.pmod(micros, F.lit(width // _MICROSECOND)))


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets that changed rows lie in, or lay in, are counted again from the stream and replaced.

    time: the stream's column. bucket: the table's column with a bucket's beginning, as `bucket_of` gives it. by: where
    rows of a bucket depend on others of a group alone, such as those of one user, the columns of stream and table that
    tell groups apart: then only the groups of the changed rows are made anew, and `bucket` with `by` is the key.
    """

    stream: str
    width: timedelta
    time: str
    bucket: str
    by: tuple[str, ...] = ()

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the stream."""
        return (self.stream,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows of the touched buckets, or of the touched groups in them."""
        changed, key = inputs.changes[self.stream], (self.bucket, *self.by)
        touched = self._with_bucket(changed.rows).select(*key)
        if changed.whole:
            touched = touched.union(inputs.read(OWN_ROWS).select(*key))
        groups = touched.dropna().distinct()
        groups = groups.localCheckpoint() if self.by else groups
        buckets = _times(groups.select(self.bucket).distinct())
        if not buckets:
            return None
        there = self._within(inputs.read(self.stream), buckets)
        if not self.by:
            return RowsOfValues(build({self.stream: there}), self.bucket, buckets)
        of_groups = matching(self._with_bucket(there), groups, {name: name for name in key}).drop(self.bucket)
        return RowsOfKeys(build({self.stream: of_groups}), groups)

    def _with_bucket(self, rows: DataFrame) -> DataFrame:
        return rows.withColumn(self.bucket, bucket_of(F.col(self.time), self.width))

    def _within(self, rows: DataFrame, buckets: list[datetime]) -> DataFrame:
        """Take the rows of these buckets; the two bounds are what spares reading the files of other times."""
        time = F.col(self.time)
        near = rows.where((time >= F.lit(buckets[0])) & (time < F.lit(buckets[-1] + self.width)))
        return near.where(bucket_of(time, self.width).isin(buckets)) if len(buckets) > 1 else near


def _times(column: DataFrame) -> list[datetime]:
    """Collect times in their order; as microseconds, since Spark would give them in this machine's zone."""
    found = column.select(F.unix_micros(column.columns[0])).collect()
    return [_EPOCH + micros * _MICROSECOND for micros in sorted(row[0] for row in found)]
