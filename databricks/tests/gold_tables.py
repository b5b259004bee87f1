"""A test table of each kind."""

from datetime import timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.buckets import Buckets, bucket_of
from lakehouse.pipelines.kinds.correlate import Correlate
from lakehouse.pipelines.kinds.day import Day, MadeOf, day_of
from lakehouse.pipelines.kinds.days_onward import DaysOnward
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.kinds.kind import OWN_ROWS
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.kinds.snapshot import Snapshot
from lakehouse.pipelines.kinds.totals import Part, Totals
from lakehouse.pipelines.table import Column, Table

WIDTH = timedelta(minutes=5)
WITHIN = timedelta(minutes=10)
REACH = timedelta(minutes=15)


def per_row(stream: str) -> Table:
    """Rows of one kind alone, doubled in amount."""
    return Table(
        name="rows",
        comment="rows",
        columns=(
            Column("number", "long", "key", of=f"{stream}.id", required=True),
            Column("doubled", "long", "amount"),
            Column("moment", "timestamp", "time", of=f"{stream}.at", required=True),
            Column("window_id", "string", "window", of=f"{stream}.window_id", required=True),
        ),
        key=("number",),
        kind=PerRow(stream),
        inputs=(stream,),
        build=lambda **inputs: (
            inputs[stream]
            .where("kind = 'a'")
            .selectExpr("id AS number", "amount * 2 AS doubled", "at AS moment", "window_id")
        ),
        sql="Rows",
        time="moment",
    )


def buckets(stream: str) -> Table:
    """Rows and sums of five minutes and a kind."""

    def build(**inputs: DataFrame) -> DataFrame:
        grouped = inputs[stream].groupBy(bucket_of(F.col("at"), WIDTH).alias("bucket"), "kind")
        return grouped.agg(F.count("*").alias("rows"), F.sum("amount").alias("amount"))

    return Table(
        name="buckets",
        comment="buckets",
        columns=(
            Column("bucket", "timestamp", "beginning", required=True),
            Column("kind", "string", "kind", required=True, length=8),
            Column("rows", "long", "rows"),
            Column("amount", "long", "sum"),
        ),
        key=("bucket", "kind"),
        kind=Buckets(stream, WIDTH, "at", "bucket"),
        inputs=(stream,),
        build=build,
        sql="Buckets",
    )


def firsts_of_buckets(stream: str) -> Table:
    """The first row of each kind in five minutes."""

    def build(**inputs: DataFrame) -> DataFrame:
        grouped = inputs[stream].groupBy(bucket_of(F.col("at"), WIDTH).alias("bucket"), "kind")
        return grouped.agg(F.min_by("id", F.struct("at", "id")).alias("first"))

    return Table(
        name="firsts_of_buckets",
        comment="firsts",
        columns=(
            Column("bucket", "timestamp", "beginning", required=True),
            Column("kind", "string", "kind", required=True, length=8),
            Column("first", "long", "id"),
        ),
        key=("bucket", "kind"),
        kind=Buckets(stream, WIDTH, "at", "bucket", by=("kind",)),
        inputs=(stream,),
        build=build,
        sql="FirstsOfBuckets",
    )


def totals(left: str, right: str) -> Table:
    """Per kind: the rows of the left, and those of the right that share the id of one of them."""

    def build(**inputs: DataFrame) -> DataFrame:
        parts = inputs[right].select("id").join(inputs[left].select("id", "kind"), "id")
        counted = parts.groupBy("kind").agg(F.count("*").alias("parts"))
        rows = inputs[left].groupBy("kind").agg(F.count("*").alias("rows"), F.sum("amount").alias("amount"))
        return rows.join(counted, "kind", "left")

    return Table(
        name="totals",
        comment="totals",
        columns=(
            Column("kind", "string", "kind", required=True, length=8),
            Column("rows", "long", "rows"),
            Column("amount", "long", "sum"),
            Column("parts", "long", "parts"),
        ),
        key=("kind",),
        kind=Totals("kind", (Part(left), Part(right, of=left, by="id"))),
        inputs=(left, right),
        build=build,
        sql="Totals",
    )


def days(stream: str, zone: str = "Europe/Zurich") -> Table:
    """Per day of a zone and kind: rows, and how many rows lie within a quarter of an hour of them, of any day."""

    def build(**inputs: DataFrame) -> DataFrame:
        rows, others = inputs[stream].alias("r"), inputs[stream].alias("o")
        apart = F.abs(F.unix_micros("r.at") - F.unix_micros("o.at"))
        near = rows.join(others, apart <= REACH // timedelta(microseconds=1))
        grouped = near.groupBy(day_of(F.col("r.at"), zone).alias("day"), F.col("r.kind").alias("kind"))
        return grouped.agg(F.count_distinct("r.id").alias("rows"), F.count("*").alias("near"))

    return Table(
        name="days",
        comment="days",
        columns=(
            Column("day", "date", "day", required=True),
            Column("kind", "string", "kind", required=True, length=8),
            Column("rows", "long", "rows"),
            Column("near", "long", "pairs"),
        ),
        key=("day", "kind"),
        kind=Day("day", (MadeOf(stream, "at", before=REACH, after=REACH),), zone),
        inputs=(stream,),
        build=build,
        sql="Days",
    )


def days_onward(stream: str) -> Table:
    """Per kind and day: the day's amount and that of all days before it, which the table itself says."""

    def build(**inputs: DataFrame) -> DataFrame:
        days = inputs[stream].groupBy("kind", day_of(F.col("at")).alias("day")).agg(F.sum("amount").alias("own"))
        before = inputs[OWN_ROWS].groupBy("kind").agg(F.max_by("amount", "day").alias("before"))
        so_far = F.sum("own").over(Window.partitionBy("kind").orderBy("day"))
        amount = (so_far + F.coalesce("before", F.lit(0))).alias("amount")
        return days.join(before, "kind", "left").select("day", "kind", amount)

    return Table(
        name="onward",
        comment="onward",
        columns=(
            Column("day", "date", "day", required=True),
            Column("kind", "string", "kind", required=True, length=8),
            Column("amount", "long", "sum"),
        ),
        key=("day", "kind"),
        kind=DaysOnward("kind", "day", (MadeOf(stream, "at"),), days_before=1),
        inputs=(stream, OWN_ROWS),
        build=build,
        sql="Onward",
    )


def pairs(left: str, right: str) -> Table:
    """Pairs of one kind within ten minutes."""

    def build(**inputs: DataFrame) -> DataFrame:
        a, b = inputs[left].alias("a"), inputs[right].alias("b")
        apart = F.abs(F.unix_micros("a.at") - F.unix_micros("b.at"))
        near = apart <= WITHIN // timedelta(microseconds=1)
        both = a.join(b, (F.col("a.kind") == F.col("b.kind")) & near)
        return both.selectExpr("a.id AS left_id", "b.id AS right_id", "a.at AS moment", "a.amount + b.amount AS amount")

    return Table(
        name="pairs",
        comment="pairs",
        columns=(
            Column("left_id", "long", "left", of=f"{left}.id", required=True),
            Column("right_id", "long", "right", of=f"{right}.id", required=True),
            Column("moment", "timestamp", "time of the left", of=f"{left}.at", required=True),
            Column("amount", "long", "sum"),
        ),
        key=("left_id", "right_id"),
        kind=Correlate(left, right, WITHIN, "at", "at"),
        inputs=(left, right),
        build=build,
        sql="Pairs",
        time="moment",
    )


def groups(stream: str) -> Table:
    """Rows with their place in their kind."""

    def build(**inputs: DataFrame) -> DataFrame:
        place = F.row_number().over(Window.partitionBy("kind").orderBy("at", "id"))
        return inputs[stream].select(F.col("id").alias("number"), "kind", place.alias("place"), "at", "window_id")

    return Table(
        name="places",
        comment="places",
        columns=(
            Column("number", "long", "key", of=f"{stream}.id", required=True),
            Column("kind", "string", "kind", of=f"{stream}.kind", required=True, length=8),
            Column("place", "integer", "place"),
            Column("at", "timestamp", "time", of=f"{stream}.at", required=True),
            Column("window_id", "string", "window", of=f"{stream}.window_id", required=True),
        ),
        key=("number",),
        kind=Groups(stream, by=("kind",), time="at", within=timedelta(hours=1)),
        inputs=(stream,),
        build=build,
        sql="Places",
        time="at",
        layer="silver",
    )


def first_places(table: str) -> Table:
    """The rows of a table of places that are the first of their kind."""
    return Table(
        name="firsts",
        comment="firsts",
        columns=(
            Column("number", "long", "key", of=f"{table}.number", required=True),
            Column("kind", "string", "kind", of=f"{table}.kind"),
        ),
        key=("number",),
        kind=PerRow(table),
        inputs=(table,),
        build=lambda **inputs: inputs[table].where("place = 1").select("number", "kind"),
        sql="Firsts",
    )


def latest(stream: str) -> Table:
    """The last row of each kind."""

    def build(**inputs: DataFrame) -> DataFrame:
        newest = F.max_by(F.struct("at", "id", "amount"), F.struct("at", "id")).alias("last")
        return inputs[stream].groupBy("kind").agg(newest).select("kind", "last.*")

    return Table(
        name="latest",
        comment="latest",
        columns=(
            Column("kind", "string", "kind", required=True, length=8),
            Column("id", "long", "id"),
            Column("at", "timestamp", "time"),
            Column("amount", "long", "amount"),
        ),
        key=("kind",),
        kind=Snapshot(stream),
        inputs=(stream,),
        build=build,
        sql="Latest",
    )


def stores(lookup: str) -> Table:
    """A lookup, kept as a table."""
    return Table(
        name="stores",
        comment="stores",
        columns=(
            Column("store", "string", "store", of=f"{lookup}.store", required=True, length=8),
            Column("city", "string", "city", of=f"{lookup}.city", length=8),
        ),
        key=("store",),
        kind=Snapshot(lookup),
        inputs=(lookup,),
        build=lambda **inputs: inputs[lookup].select("store", "city"),
        sql="Stores",
    )
