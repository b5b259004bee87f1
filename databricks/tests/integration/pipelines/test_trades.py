"""Trades, enriched or unmatched, each window's with its own lookup."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gold_stage import LINEAGE, DictStore
from lakehouse.lake.tables import Lake, columns
from lakehouse.lookups import BadLookup, Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.targets.fake import FakeTarget
from lakehouse.pipelines.trades import PIPELINE

OWN, LATER = "trades-20261122T100000Z", "trades-20261122T110000Z"
ENRICHED, UNMATCHED = PIPELINE.tables
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRADE = (
    "venue string, symbol string, base string, quote string, trade_id long, price decimal(38,18), "
    "volume decimal(38,18), direction string, direction_basis string, timestamp timestamp, received_at timestamp, "
    "origin string"
)
AMOUNTS = ("supply", "maxSupply", "marketCapUsd", "volumeUsd24Hr", "priceUsd", "changePercent24Hr", "vwap24Hr")
ASSETS = pa.schema(
    [("id", pa.string()), ("rank", pa.int32()), ("symbol", pa.string()), ("name", pa.string())]
    + [(name, pa.decimal128(38, 18)) for name in AMOUNTS]
    + [("explorer", pa.string())]
)


def asset(symbol, rank=1, **changes):
    return {"id": f"{symbol}-{rank}", "rank": rank, "symbol": symbol, "name": symbol, "maxSupply": 21, **changes}


def parquet(*assets, schema=ASSETS):
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(assets), schema=schema), sink)
    return sink.getvalue()


class Desk:
    """The trades pipeline over a silver that the test fills."""

    def __init__(self, spark):
        self.spark, self.store, self.target = spark, DictStore(), FakeTarget()
        self.store.documents[f"assets/{OWN}.parquet"] = parquet(asset("BTC"))
        Lake(spark).create("silver.trades", columns(f"{TRADE}, {LINEAGE}"))

    def gold(self, window=OWN):
        self.lake = Lake(self.spark)
        lookups = Lookups(self.spark, self.store, {"assets": f"assets/{window}.parquet"})
        gold = Gold(self.lake, PIPELINE, lookups, (self.target,))
        gold.prepare()
        return gold

    def frame(self, *trades):
        plain = {"venue": "kraken", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "timestamp": NOON}
        whole = [
            {**plain, "price": Decimal("1.5"), "volume": Decimal(2), "direction": "buy", "window_id": OWN, **trade}
            for trade in trades
        ]
        schema = self.lake.read("silver.trades").schema
        return self.spark.createDataFrame([tuple(one.get(name) for name in schema.names) for one in whole], schema)

    def trade(self, *trades):
        self.lake.append("silver.trades", self.frame(*trades))

    def displace(self, trade_id, **changes):
        self.lake.replace("silver.trades", self.frame({"trade_id": trade_id, **changes}), f"trade_id = {trade_id}")

    def enriched(self):
        found = self.lake.read("gold.trades_enriched").select("trade_id", "id", "window_id").collect()
        assert sorted(map(tuple, found)) == sorted(
            (row["trade_id"], row["id"], row["window_id"]) for row in self.target.rows(ENRICHED)
        )
        return {row["trade_id"]: row["id"] for row in found}

    def unmatched(self):
        return {row["trade_id"]: row["base"] for row in self.lake.read("gold.trades_unmatched").collect()}


@pytest.fixture
def desk(stages, spark):
    return Desk(spark)


def test_each_trade_is_in_exactly_one_of_the_two_tables(desk):
    gold = desk.gold()
    desk.trade({"trade_id": 1}, {"trade_id": 2, "base": "XYZ"})

    touched = gold.run_pass(OWN)

    assert (desk.enriched(), desk.unmatched(), touched) == ({1: "BTC-1"}, {2: "XYZ"}, {OWN})
    (row,) = desk.target.rows(ENRICHED)
    assert (row["symbol"], row["exchange"], row["market"], row["rank"]) == ("BTC", "kraken", "BTC/USD", 1)
    assert (row["price"], row["maxSupply"]) == (Decimal("1.5"), Decimal(21))


def test_the_best_asset_of_a_symbol_counts_even_where_it_has_no_max_supply(desk):
    desk.store.documents[f"assets/{OWN}.parquet"] = parquet(
        asset("ETH", rank=2, maxSupply=None), asset("ETH", rank=900), asset("BTC", rank=7), asset("BTC", rank=1)
    )
    gold = desk.gold()
    desk.trade({"trade_id": 1, "base": "ETH"}, {"trade_id": 2})

    gold.run_pass(OWN)

    assert (desk.enriched(), desk.unmatched()) == ({2: "BTC-1"}, {1: "ETH"})


def test_a_lookup_that_lacks_columns_is_refused_by_name(desk):
    desk.store.documents[f"assets/{OWN}.parquet"] = parquet({"id": "x"}, schema=pa.schema([("id", pa.string())]))
    gold = desk.gold()
    desk.trade({"trade_id": 1})

    with pytest.raises(BadLookup, match="lookup 'assets' lacks"):
        gold.run_pass(OWN)


def test_an_empty_unmatched_costs_no_commit(desk):
    gold = desk.gold()
    desk.trade({"trade_id": 1})
    gold.run_pass(OWN)
    before = desk.lake.version("gold.trades_unmatched")

    desk.trade({"trade_id": 2})
    gold.run_pass(OWN)

    history = desk.spark.sql("DESCRIBE HISTORY gold.trades_enriched").select("operation").collect()
    assert history[0]["operation"] == "WRITE"
    assert desk.spark.sql("DESCRIBE HISTORY gold.trades_unmatched").count() == before + 1


def test_rows_of_a_later_window_wait_for_a_run_of_it_which_joins_them_with_its_own_lookup(desk):
    gold = desk.gold()
    desk.trade({"trade_id": 1}, {"trade_id": 2, "window_id": LATER}, {"trade_id": 3, "window_id": "unknown"})
    touched = gold.run_pass(OWN)
    gold.note()
    waiting = desk.enriched()
    desk.trade({"trade_id": 4, "window_id": OWN})
    desk.store.documents[f"assets/{LATER}.parquet"] = parquet(asset("BTC", rank=9))

    gold = desk.gold(LATER)
    told = gold.lake.progress("gold.trades_enriched").waiting
    gold.run_pass(LATER)

    assert (waiting, told) == ({1: "BTC-1", 3: "BTC-1"}, (LATER,))
    assert LATER not in touched
    assert desk.enriched() == {1: "BTC-1", 2: "BTC-9", 3: "BTC-1", 4: "BTC-1"}
    assert desk.lake.progress("gold.trades_enriched").waiting == ()


def test_late_rows_of_a_former_window_take_its_lookup_while_it_is_there_else_the_runs_own(desk):
    desk.store.documents[f"assets/{LATER}.parquet"] = parquet(asset("BTC", rank=9))
    gone = "trades-20261101T000000Z"
    gold = desk.gold(LATER)
    desk.trade({"trade_id": 1}, {"trade_id": 2, "window_id": gone}, {"trade_id": 3, "window_id": LATER})

    gold.run_pass(LATER)

    assert desk.enriched() == {1: "BTC-1", 2: "BTC-9", 3: "BTC-9"}


def test_a_trade_that_a_waiting_one_displaced_goes_and_comes_back_in_the_later_run(desk):
    desk.store.documents[f"assets/{LATER}.parquet"] = parquet(asset("BTC", rank=9))
    gold = desk.gold()
    desk.trade({"trade_id": 1}, {"trade_id": 2})
    gold.run_pass(OWN)
    desk.displace(1, window_id=LATER, base="XYZ")

    touched = gold.run_pass(OWN)
    between = (desk.enriched(), desk.unmatched())
    gold.note()
    desk.gold(LATER).run_pass(LATER)

    assert OWN in touched
    assert between == ({2: "BTC-1"}, {})
    assert (desk.enriched(), desk.unmatched()) == ({2: "BTC-1"}, {1: "XYZ"})


def test_a_rerun_of_a_window_leaves_the_others_rows_alone(desk):
    desk.store.documents[f"assets/{LATER}.parquet"] = parquet(asset("BTC", rank=9))
    gold = desk.gold(LATER)
    desk.trade({"trade_id": 1}, {"trade_id": 2, "window_id": LATER}, {"trade_id": 3, "base": "XYZ"})
    gold.run_pass(LATER)
    gold.lake.delete("gold.trades_enriched", "true")
    gold.lake.delete("gold.trades_unmatched", "true")
    desk.store.documents[f"assets/{OWN}.parquet"] = parquet(asset("BTC", rank=5))

    desk.gold(OWN).rerun(OWN)

    assert (desk.enriched(), desk.unmatched()) == ({1: "BTC-5"}, {3: "XYZ"})


def test_the_tables_have_the_sixteen_columns_the_identity_and_comments(desk):
    desk.gold()

    schema = desk.lake.read("gold.trades_enriched").schema
    assert schema.names == [
        "id", "name", "symbol", "exchange", "quote", "direction", "price", "volume", "timestamp", "explorer",
        "marketCapUsd", "maxSupply", "rank", "changePercent24Hr", "volumeUsd24Hr", "vwap24Hr",
        "venue", "market", "trade_id", "window_id",
    ]  # fmt: skip
    assert all(field.metadata["comment"] for field in schema)
