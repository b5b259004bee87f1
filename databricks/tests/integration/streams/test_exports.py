"""Exported files into silver over real Spark and Delta: each row once, its newest version, whatever lies beside it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from job_house import DictReference
from lakehouse.exports import Exports
from lakehouse.lake.tables import Lake
from lakehouse.reference import StoreFailed
from lakehouse.streams import exported
from lakehouse.streams.silver import Silver
from lakehouse.streams.versions import versions_of
from silver_house import SUFFIXES, Killed

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FOLDER = "exports/orders"
VERSIONS = versions_of("orders/1")


def order_id(number):
    return f"{number:08x}-0000-8000-8000-000000000000"


class Shop:
    """A lake with exported files and the lakehouse that reads them. Each process has a `Lake` of its own."""

    def __init__(self, spark):
        self.spark, self.store, self.now = spark, DictReference(), NOON + timedelta(hours=1)

    def process(self, on_commit=lambda table: None):
        self.lake = Lake(self.spark)
        silver = Silver(self.lake, "shop", VERSIONS, on_commit)
        exports = Exports(self.lake, self.store, {"orders": FOLDER}, {"orders": silver}, lambda: self.now)
        exports.prepare()
        return exports

    def export(self, begin, to, *rows, changed=NOON, **columns):
        """Put a file of (number, value) in the folder."""
        made = {
            "order_id": [order_id(number) for number, _ in rows],
            "user_id": [number for number, _ in rows],
            "order_date": pa.array([NOON] * len(rows), pa.timestamp("us", "UTC")),
            "order_value": pa.array([Decimal(value) for _, value in rows], pa.decimal128(38, 18)),
            **columns,
        }
        sink = BytesIO()
        pq.write_table(pa.table(made), sink)
        self.store.write(f"{FOLDER}/{begin:020d}-{to:020d}.parquet", sink.getvalue(), changed)

    def values(self):
        found = self.lake.read("silver.orders").select("user_id", "order_value").collect()
        return sorted((user, str(value).rstrip("0").rstrip(".")) for user, value in found)

    def quarantined(self):
        found = self.lake.read("silver.orders_quarantine").select("body", "reason").collect()
        return [(json.loads(body), reason) for body, reason in found]

    def records(self, *tables):
        return [self.lake.read(f"silver.orders{suffix}").count() for suffix in tables]

    def drop(self):
        for name in ("bronze.orders", *(f"silver.orders{suffix}" for suffix in SUFFIXES)):
            self.spark.sql(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def shop(spark):
    made = Shop(spark)
    made.drop()
    yield made
    made.drop()


def test_rows_are_in_silver_once_in_their_newest_version_and_hostile_files_stop_none(shop):
    shop.export(0, 10, (1, "10.50"), (2, "20"))
    shop.export(0, 12, (1, "10.50"), (2, "20"), (3, "30"))
    shop.export(12, 20, (2, "22.22"), changed=NOON + timedelta(hours=-1))
    shop.export(20, 30, (9, "-1"))
    shop.export(30, 40)
    shop.export(40, 50, (4, "40"), password=["secret"])
    shop.store.write(f"{FOLDER}/empty.parquet", b"", NOON)
    shop.store.write(f"{FOLDER}/lines.parquet", b'{"order_id":"x"}', NOON)
    shop.store.write(f"{FOLDER}/_SUCCESS", b"", NOON)
    exports = shop.process()

    exports.run_pass()

    assert shop.values() == [(1, "10.5"), (2, "22.22"), (3, "30")]
    bad = shop.quarantined()
    assert {record.get("file", record.get("user_id")) for record, _ in bad} == {
        9,
        f"{FOLDER}/empty.parquet",
        f"{FOLDER}/lines.parquet",
        f"{FOLDER}/{40:020d}-{50:020d}.parquet",
    }
    assert all(reason for _, reason in bad)
    assert set(exports.failures) == {record["file"] for record, _ in bad if "file" in record}
    before = shop.records(*SUFFIXES)

    shop.process().run_pass()
    assert shop.records(*SUFFIXES) == before

    shop.export(50, 60, (1, "11"), changed=NOON + timedelta(seconds=1))
    shop.process().run_pass()
    assert shop.values() == [(1, "11"), (2, "22.22"), (3, "30")]


@pytest.mark.parametrize("moment", ["before bronze", "after bronze", "silver.orders"])
def test_a_kill_anywhere_doubles_nothing_and_loses_nothing(shop, monkeypatch, moment):
    monkeypatch.setattr(exported, "_BYTES", 1)  # a commit for each file
    for number in (1, 2, 3):
        shop.export(number, number + 1, (number, "1"), changed=NOON + timedelta(minutes=number))
    append, commits = Lake.append, []

    def killed(lake, name, rows, progress=None):
        if name == "bronze.orders":
            commits.append(name)
            if moment == "before bronze" and len(commits) == 2:
                raise Killed
        append(lake, name, rows, progress)
        if moment == "after bronze" and len(commits) == 2:
            raise Killed

    monkeypatch.setattr(Lake, "append", killed)

    def end(table):
        if table == moment:
            raise Killed

    with pytest.raises(Killed):
        shop.process(end).run_pass()
    monkeypatch.setattr(Lake, "append", append)
    shop.process().run_pass()

    assert shop.values() == [(1, "1"), (2, "1"), (3, "1")]
    assert shop.records("_duplicates", "_quarantine") == [0, 0]
    assert shop.lake.read("bronze.orders").count() == 3


def test_a_file_that_may_still_be_written_is_awaited_and_a_store_that_is_away_is_told(shop):
    path = f"{FOLDER}/{1:020d}-{2:020d}.parquet"
    shop.export(0, 1, (1, "1"))
    shop.store.write(path, b"PAR1", shop.now - timedelta(seconds=10))
    exports = shop.process()
    exports.run_pass()
    assert (shop.values(), exports.failures) == ([(1, "1")], {})

    shop.store.failure = StoreFailed("The folder can't be listed.")
    exports.run_pass()
    assert exports.failures == {FOLDER: "The folder can't be listed."}

    shop.store.failure = None
    shop.export(1, 2, (2, "2"), changed=shop.now)
    exports.run_pass()
    assert (shop.values(), exports.failures) == ([(1, "1"), (2, "2")], {})
