"""The tables of trades, held against the contracts of what they are made of."""

import json
from importlib.resources import files

from lakehouse.pipelines.trades import PIPELINE

ENRICHED, UNMATCHED = PIPELINE.tables
CONTRACTS = files("lakehouse").joinpath("contracts")
TRADES = json.loads(CONTRACTS.joinpath("trades.v1.schema.json").read_text("utf-8"))
ASSETS = json.loads(CONTRACTS.joinpath("lookups", "assets.v1.schema.json").read_text("utf-8"))
HOLDS = {"string": "string", "int32": "long", "decimal128(38, 18)": "decimal(38,18)"}


def test_the_key_of_both_tables_is_that_of_a_trade():
    for table in (ENRICHED, UNMATCHED):
        assert [table.repeats["trades"][name] for name in table.key] == TRADES["x-key"]


def test_columns_of_the_lookup_have_types_that_hold_them():
    repeated = ENRICHED.repeats["assets"]
    types = {column.name: column.type for column in ENRICHED.columns}

    assert {name: types[name] for name in repeated} == {
        name: HOLDS[ASSETS["properties"][of]["x-type"]] for name, of in repeated.items()
    }
    assert set(repeated.values()) <= set(ASSETS["required"])


def test_a_trade_of_either_table_is_found_by_its_window():
    for table in (ENRICHED, UNMATCHED):
        assert table.repeats["trades"]["window_id"] == "window_id"
