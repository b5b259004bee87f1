"""The dashboard's queries on real Spark, against the tables as the pipelines declare them."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.errors import AnalysisException

from check_dashboard import query_of, widgets
from hub_stage import ROOT
from lakehouse.dictionary import newest_contracts
from lakehouse.lake.tables import Lake
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.streams.bronze import create_bronze_table
from lakehouse.streams.silver_tables import prepare_silver
from lakehouse.streams.versions import Versions
from new_tables import new_tables_dropped

DOCUMENT = json.loads((ROOT / "databricks/dashboards/lakehouse.lvdash.json").read_text())
DATASETS = {dataset["name"]: query_of(dataset) for dataset in DOCUMENT["datasets"]}
QUERIES = [
    pytest.param(query["query"], id=widget["name"])
    for widget in widgets(DOCUMENT)
    for query in widget.get("queries", [])
]
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
WINDOW, LATER = (f"trades-{START + hours:%Y%m%dT%H%M%SZ}" for hours in (timedelta(), timedelta(hours=1)))


@pytest.fixture(scope="module")
def tables(spark):
    """Make each table that the queries name, and no other, as its pipeline would."""
    with new_tables_dropped(spark):
        yield _made(spark)


def _made(spark):
    lake, named = Lake(spark), set(re.findall(r"\b(?:bronze|silver|gold)\.\w+", " ".join(DATASETS.values())))
    for contract in newest_contracts():
        if any(name.partition(".")[2].startswith(contract.stream) for name in named):
            create_bronze_table(lake, contract.stream)
            prepare_silver(lake, Versions((contract,), contract.name, {}))
    for pipeline in PIPELINES.values():
        for table in pipeline.tables:
            if table.lake_name in named:
                lake.create(table.lake_name, table.schema)
    return lake


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"windows"}))  # which is queried below, with rows
def test_a_dataset_can_be_queried(tables, name):
    assert tables.spark.sql(DATASETS[name]).collect() == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_widget_finds_its_fields_in_its_dataset(tables, query):
    tables.spark.sql(DATASETS[query["datasetName"]]).createOrReplaceTempView("dataset")

    for field in query["fields"]:
        assert tables.spark.sql(f"SELECT {field['expression']} AS `{field['name']}` FROM dataset").columns


def test_a_column_that_is_renamed_is_found(tables):
    changed = DATASETS["payments"].replace("transaction_count", "transactions_counted")

    with pytest.raises(AnalysisException, match="transactions_counted"):
        tables.spark.sql(changed)


def test_a_window_is_balanced_where_all_that_arrived_is_accounted_for(tables):
    replace(tables, "bronze.trades", [*events(WINDOW, 3, 1), *events(LATER, 3, 2), *events("trades-of-somebody", 1)])
    replace(tables, "silver.trades", [{"window_id": window} for window in (WINDOW, WINDOW, LATER, LATER, "unknown")])
    replace(tables, "silver.trades_duplicates", [{"window_id": window} for window in (WINDOW, LATER)])
    replace(tables, "silver.trades_quarantine", [{"window_id": window, "rows": 1} for window in (WINDOW, LATER)])

    later, first = tables.spark.sql(DATASETS["windows"]).collect()

    assert (first.feed, first.stream, first.window_id) == ("trades", "trades", WINDOW)
    assert first.window_start == START.replace(tzinfo=None)  # the session is in UTC
    assert (first.arrived, first.silver, first.duplicates, first.quarantined) == (4, 2, 1, 1)
    assert (first.missing, first.verdict) == (0, "balanced")
    assert (later.window_id, later.missing, later.verdict) == (LATER, 1, "open or unbalanced")


def events(window, *records):
    """Give events of a window, the larger of them packs."""
    return [
        {
            "properties": {"slice": f"{window}/0.1"} | ({"rows": str(count)} if count > 1 else {}),
            "enqueued_at": START,
            "epoch": "e",
        }
        for count in records
    ]


def replace(lake, name, rows):
    """Write rows with some columns; the others are null, which a table of a test may have."""
    schema = lake.read(name).schema
    for field in schema:
        field.nullable = True
    complete = [{field.name: row.get(field.name) for field in schema} for row in rows]
    made = lake.spark.createDataFrame([tuple(row.values()) for row in complete], schema)
    made.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)
