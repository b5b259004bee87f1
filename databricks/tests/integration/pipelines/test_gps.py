"""Points near stores and the promotions that users get: what the tables hold, in whatever order points come."""

import json
import os
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from gold_stage import DictStore
from hub_stage import PYTHON, ROOT
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.gps import PIPELINE
from lakehouse.pipelines.targets.fake import FakeTarget
from lakehouse.streams.contract import load_contract
from lakehouse.streams.silver_tables import columns_of

ENRICHED, BY_USER, BY_PLACE = PIPELINE.tables
OWN, LATER = "gps-20261122T200000Z", "gps-20261122T210000Z"
EIGHT = datetime(2026, 11, 22, 20, tzinfo=UTC)
A_DAY = 24 * 60
STREAMS = {name: columns_of(load_contract(f"{name}/1")) for name in ("gps", "promotions", "deliveries")}
LOOKUPS = ("stores", "promotions_of_stores")
PATHS = {name: f"{name}/20261122.parquet" for name in LOOKUPS}
DEGREE = 111_195.08
"""Metres of a degree of latitude."""


class Town:
    """The pipeline of gps over silver and lookups that the test fills."""

    def __init__(self, spark):
        self.spark, self.target, self.store = spark, FakeTarget(), DictStore()
        for name, schema in STREAMS.items():
            Lake(spark).create(f"silver.{name}", schema)

    def gold(self):
        self.lake = Lake(self.spark)
        gold = Gold(self.lake, PIPELINE.given({}), Lookups(self.spark, self.store, PATHS), (self.target,))
        gold.prepare()
        return gold

    def know(self, stores, promotions):
        for name, rows in zip(LOOKUPS, (stores, promotions), strict=True):
            content = BytesIO()
            pq.write_table(pa.Table.from_pylist(rows), content)
            self.store.documents[PATHS[name]] = content.getvalue()

    def put(self, stream, *rows):
        schema = STREAMS[stream]
        made = [tuple(row.get(name) for name in schema.names) for row in rows]
        self.lake.append(f"silver.{stream}", self.spark.createDataFrame(made, schema))

    def rows(self, table, *names):
        return sorted((tuple(row) for row in self.lake.read(table.lake_name).select(*names).collect()), key=str)


def store(number, **changes):
    """A store so many times 100 m north of 51.5° north, on the meridian."""
    plain = {
        "store_id": f"s{number}",
        "location": "Greenwich",
        "merchant": f"m{number}",
        "service_type": "Bakery",
        "latitude": 51.5 + number * 100 / DEGREE,
        "longitude": 0.0,
        "radius": 50.0,
    }
    return {**plain, **changes}


def promotion(number, percent=10, **changes):
    """A promotion of the store of this number, at all hours of a year."""
    plain = {
        "promotion_id": f"p{number}",
        "store_id": f"s{number}",
        "discount_percent": pa.scalar(percent, pa.int32()).as_py(),
        "promotion_type": "Promotion",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "valid_to": datetime(2027, 1, 1, tzinfo=UTC),
        "opens": 0,
        "closes": 1440,
        "zone": "Europe/London",
    }
    return {**plain, **changes}


def point(minute=0, metres=0, *, appid="a", window=OWN, **changes):
    """A point so many metres north of the store of number 0, so many minutes after eight."""
    plain = {
        "appid": appid,
        "time": EIGHT + timedelta(minutes=minute),
        "latitude": Decimal(f"{51.5 + metres / DEGREE:.9f}"),
        "longitude": Decimal(0),
        "accuracy": None,
        "cleaned": [],
        "window_id": window,
    }
    return {**plain, **changes}


def sent(minute, store_number, *, appid="a", at=EIGHT):
    time = at + timedelta(minutes=minute)
    return {
        "id": f"{appid}/s{store_number}/{time:%Y%m%d}",
        "appid": appid,
        "store_id": f"s{store_number}",
        "promotion_id": f"p{store_number}",
        "location": "Greenwich",
        "merchant": f"m{store_number}",
        "point_time": time,
        "promoted_at": time + timedelta(seconds=1),
        "window_id": OWN,
    }


def told(minute, store_number, outcome, *, appid="a", after=2):
    """What became of a promotion, so many seconds after its point."""
    promoted = sent(minute, store_number, appid=appid)
    kept = {name: promoted[name] for name in ("id", "appid", "store_id", "point_time", "window_id")}
    return {**kept, "outcome": outcome, "settled_at": promoted["point_time"] + timedelta(seconds=after)}


@pytest.fixture
def town(stages, spark):
    return Town(spark)


def test_a_point_is_near_the_stores_within_whose_radius_the_phone_may_be(town):
    stores = [store(0), store(1), store(2, radius=None), store(3, latitude=None), store(4, radius=450.0)]
    ends = EIGHT + timedelta(minutes=2)
    shut = {"opens": 21 * 60, "closes": 60}
    town.know(
        stores,
        [
            promotion(0, valid_to=ends),
            promotion(4, 20, **shut),
            promotion(2, zone="Mars/Base"),
            promotion(1, valid_from=ends, promotion_id="later"),
        ],
    )
    gold = town.gold()
    town.put(
        "gps",
        point(1, 49),
        point(2, 51),
        point(3, 51, accuracy=Decimal(1)),
        point(4, 0, accuracy=Decimal("100.5")),
        point(5, latitude=Decimal(0)),
        point(61, 400, accuracy=Decimal(0)),
    )

    gold.run_pass(OWN)

    near = town.lake.read(ENRICHED.lake_name).select(
        F.expr("minute(time) + 60 * (hour(time) - 20)"), "store_id", F.round("metres"), "offers.promotion_id"
    )
    assert sorted(map(tuple, near.collect())) == [
        (1, "s0", 49.0, ["p0"]),
        (1, "s2", 151.0, []),
        (1, "s4", 351.0, []),
        (2, "s1", 49.0, ["later"]),
        (2, "s2", 149.0, []),
        (2, "s4", 349.0, []),
        (3, "s0", 51.0, []),
        (3, "s1", 49.0, ["later"]),
        (3, "s2", 149.0, []),
        (3, "s4", 349.0, []),
        (61, "s2", 200.0, []),
        (61, "s4", 0.0, ["p4"]),
    ]


def test_a_point_that_comes_late_changes_its_users_days_from_there_on_and_no_others(town):
    numbers = range(5)
    town.know([store(n) for n in numbers], [promotion(n, 10 + n) for n in numbers])
    gold = town.gold()
    before_midnight, after = 239, 245
    town.put("gps", point(0, 0), point(before_midnight, 100), point(after, 100), point(0, 200, appid="b"))
    town.put("promotions", sent(0, 0), sent(after, 1), sent(0, 3, appid="c"))
    gold.run_pass(OWN)
    columns = ("appid", "day", "store_id", "promoted", "suppressed_by_cool_down", "sent_at IS NOT NULL")
    expressions = [F.expr(name) for name in columns]
    first, second = date(2026, 11, 22), date(2026, 11, 23)
    assert town.rows(BY_USER, *expressions) == [
        ("a", first, "s0", 1, 0, True),
        ("a", first, "s1", 1, 0, False),
        ("a", second, "s1", 0, 1, True),
        ("b", first, "s2", 1, 0, False),
        ("c", first, "s3", 0, 0, True),
    ]
    files = town.rows(BY_USER, "appid", "_metadata.file_path")

    late = [point(n, 100 * m, window=LATER) for n, m in ((1, 2), (2, 3), (3, 4))]
    town.put("gps", *late)
    gold.run_pass(LATER)

    assert town.rows(BY_USER, *expressions) == [
        ("a", first, "s0", 1, 0, True),
        ("a", first, "s1", 0, 0, False),
        ("a", first, "s2", 1, 0, False),
        ("a", first, "s3", 1, 0, False),
        ("a", first, "s4", 0, 0, False),
        ("a", second, "s1", 1, 0, True),
        ("b", first, "s2", 1, 0, False),
        ("c", first, "s3", 0, 0, True),
    ]
    assert files != []
    assert town.rows(BY_PLACE, "day", "merchant", "matched", "promoted", "sent", "missed", "sent_beyond") == [
        (first, "m0", 1, 1, 1, 0, 0),
        (first, "m1", 1, 0, 0, 0, 0),
        (first, "m2", 2, 2, 0, 2, 0),
        (first, "m3", 1, 1, 1, 1, 1),
        (first, "m4", 1, 0, 0, 0, 0),
        (second, "m1", 1, 1, 1, 0, 0),
    ]
    gold.rerun(LATER)
    assert town.rows(BY_USER, *expressions)[5] == ("a", second, "s1", 1, 0, True)
    assert sorted(map(tuple, town.target.rows(BY_USER)), key=str) == town.rows(
        BY_USER, *[column.name for column in BY_USER.columns]
    )


def test_what_was_sent_is_delivered_dead_or_pending_and_delivered_outweighs_what_came_of_a_repeat(town):
    numbers = range(4)
    town.know([store(n) for n in numbers], [promotion(n) for n in numbers])
    gold = town.gold()
    town.put("promotions", *(sent(0, n, appid=app) for n, app in enumerate("abcd")))
    town.put("deliveries", told(0, 0, "delivered"), told(0, 1, "gone", appid="b"), told(0, 2, "ended", appid="c"))
    gold.run_pass(OWN)
    assert town.rows(BY_USER, "appid", "outcome", F.expr("second(settled_at)")) == [
        ("a", "delivered", 2),
        ("b", "gone", 2),
        ("c", "ended", 2),
        ("d", None, None),
    ]

    town.put("deliveries", told(0, 2, "delivered", appid="c", after=9), told(0, 3, "refused", appid="d"))
    town.put("deliveries", told(0, 0, "ended", after=1), told(0, 0, "delivered", appid="nobody"))
    gold.run_pass(OWN)

    assert [row[1] for row in town.rows(BY_USER, "appid", "outcome")] == ["delivered", "gone", "delivered", "refused"]
    assert town.rows(BY_PLACE, "merchant", "sent", "delivered", "dead", "pending") == [
        ("m0", 1, 1, 0, 0),
        ("m1", 1, 0, 1, 0),
        ("m2", 1, 1, 0, 0),
        ("m3", 1, 0, 1, 0),
    ]


@pytest.fixture
def compiling(spark):
    """So many rows are worth the compiling that tests do without."""
    names = ("spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode")
    before = {name: spark.conf.get(name) for name in names}
    for name, value in zip(names, ("true", "FALLBACK"), strict=True):
        spark.conf.set(name, value)
    yield
    for name, value in before.items():
        spark.conf.set(name, value)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("compiling")
def test_lakehouse_and_app_decide_the_same_of_100_000_points(town, spark, tmp_path):
    script = ROOT / "tests/gps_truth/write.py"
    subprocess.run([PYTHON, script, tmp_path], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    for name in LOOKUPS:
        town.store.documents[PATHS[name]] = (tmp_path / f"{name}.parquet").read_bytes()
    gold = town.gold()
    points = spark.read.parquet(str(tmp_path / "points.parquet")).withColumns(
        {"cleaned": F.array().cast("array<string>"), "window_id": F.lit(OWN)}
    )
    known = {column.name: column.dataType for column in STREAMS["gps"] if column.name in points.columns}
    typed = points.select(*[F.col(name).cast(kind) for name, kind in known.items()])
    whole = typed.select(
        *[F.col(c.name) if c.name in known else F.lit(None).cast(c.dataType).alias(c.name) for c in STREAMS["gps"]]
    )
    town.lake.append("silver.gps", whole.orderBy(F.hash("appid", "time")))

    gold.run_pass(OWN)

    counts = ("matched", "promoted", "suppressed_by_cap", "suppressed_by_cool_down")
    found = town.lake.read(BY_USER.lake_name).select(
        F.col("day").cast("string"), "appid", "store_id", *counts, "promotion_id"
    )
    decided = json.loads((tmp_path / "decided.json").read_text())
    assert sorted(map(list, found.collect()), key=str) == sorted(decided, key=str)
    sums = town.lake.read(BY_PLACE.lake_name).agg(*map(F.sum, (*counts, "missed"))).collect()[0]
    assert sums["sum(matched)"] == sum(sums[f"sum({name})"] for name in counts[1:])
    assert sums["sum(missed)"] == sums["sum(promoted)"] == sum(row[4] for row in decided)
