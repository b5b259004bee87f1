"""The daily look after the tables: small files become one, rows that are kept no longer go, progress stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.gold import trades_enriched
from lakehouse.lake.naming import LAYERS, Names
from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.maintenance import maintain
from lakehouse.pipelines.pipeline import Pipeline

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEPT = replace(trades_enriched.TABLE, name="kept", kept_for=timedelta(days=2))


@pytest.fixture
def tables(spark, tmp_path):
    tables = Lake(spark, Names(schema_prefix="maintained_"))
    for layer in LAYERS:
        place = (tmp_path / layer).as_uri()
        spark.sql(f"CREATE SCHEMA {tables.names.schema(layer)} LOCATION '{place}'")
    yield tables
    for layer in LAYERS:
        spark.sql(f"DROP SCHEMA {tables.names.schema(layer)} CASCADE")


def rows(spark, *days_ago):
    given = [(n, NOW - timedelta(days=n)) for n in days_ago]
    made = spark.createDataFrame(given, "trade_id long, timestamp timestamp")
    return made.selectExpr("'kraken' venue", "'BTC/USD' market", "trade_id", "timestamp", "'w' window_id")


def test_tables_are_compacted_rows_of_the_past_go_and_progress_stays(tables, spark):
    tables.create("gold.kept", KEPT.schema, KEPT.key)
    tables.create("silver.trades", rows(spark).schema)
    for days in (1, 3, 5):
        tables.append("gold.kept", rows(spark, days), Progress({"silver.trades": days}))

    done = maintain(tables, [Pipeline("trades", (KEPT,))], NOW, timedelta(days=30))

    files = spark.sql(f"DESCRIBE DETAIL {tables.names.table('gold.kept')}").select("numFiles").first()[0]
    assert (done["tables"], done["deleted"]) == (["silver.trades", "gold.kept"], ["kept"])
    assert [row["trade_id"] for row in tables.read("gold.kept").collect()] == [1]
    assert files == 1
    assert Lake(spark, tables.names).progress("gold.kept") == Progress({"silver.trades": 5})


def test_a_table_that_fails_does_not_keep_the_others_from_it(tables, spark, monkeypatch):
    tables.create("bronze.first", rows(spark).schema)
    tables.create("bronze.second", rows(spark).schema)
    compact, compacted = Lake.compact, []

    def failing(lake, name, kept):
        if name == "bronze.first":
            raise OSError("away")
        compacted.append(name)
        compact(lake, name, kept)

    monkeypatch.setattr(Lake, "compact", failing)

    with pytest.raises(OSError, match="away"):
        maintain(tables, [], NOW, timedelta(days=30))

    assert "bronze.second" in compacted
