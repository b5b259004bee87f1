"""Trades as lines, held against the contract file."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shared.trades.venues.lines import as_records
from shared.trades.venues.trade import Trade

CONTRACT = json.loads((Path(__file__).parents[5] / "contracts" / "trades.v1.schema.json").read_text())
ANY = defaultdict(lambda: ("BTC", "USD"))
KINDS = {"string": str, "integer": int, "number": int | float}

trades = st.builds(
    Trade,
    venue=st.sampled_from(["coinbase", "binance", "kraken", "bitstamp"]),
    symbol=st.text('AZaz09-/"\\\n\x00é☃😀', min_size=1, max_size=8),
    trade_id=st.integers(0, 2**63 - 1),
    price=st.sampled_from(["0.00100000", "50123.4500", "1e-7", "7"]),
    volume=st.sampled_from(["100", "0.1"]),
    direction=st.sampled_from(["buy", "sell"]),
    direction_basis=st.sampled_from(["taker", "maker_inverted", "buyer_is_maker"]),
    timestamp=st.integers(0, 253_402_300_799_999_999),
    received_at=st.integers(0, 253_402_300_799_999_999),
    origin=st.sampled_from(["live", "rest", "replay"]),
)


@given(st.lists(trades, max_size=3))
def test_records_are_partitioned_by_the_contracts_column(trades):
    records = as_records(trades, ANY)

    lines = map(json.loads, records.lines.to_pylist())
    assert records.keys.to_pylist() == [record[CONTRACT["x-partition-key"]] for record in lines]


@given(st.lists(trades, max_size=3))
def test_every_record_fits_the_contract(trades):
    for line in as_records(trades, ANY).lines.to_pylist():
        record = json.loads(line)

        assert list(record) == CONTRACT["required"] == list(CONTRACT["properties"])
        for name, rule in CONTRACT["properties"].items():
            assert isinstance(record[name], KINDS[rule["type"]])
            assert record[name] in rule.get("enum", [record[name]])


@given(st.lists(trades, min_size=1, max_size=3))
def test_records_say_what_the_trades_say_in_their_order(trades):
    records = as_records(trades, ANY)

    for trade, line in zip(trades, records.lines.to_pylist(), strict=True):
        record = json.loads(line, parse_float=str, parse_int=str)
        assert (record["price"], record["volume"], record["trade_id"]) == (
            trade.price,
            trade.volume,
            str(trade.trade_id),
        )
        assert (record["symbol"], record["origin"], record["direction"]) == (
            trade.symbol,
            trade.origin,
            trade.direction,
        )
        assert (instant(record["timestamp"]), instant(record["received_at"])) == (trade.timestamp, trade.received_at)
    assert records.keys.to_pylist() == [trade.symbol for trade in trades]


def test_instants_are_written_with_six_decimals_and_zulu():
    trade = Trade("kraken", "A/B", 1, "1", "1", "buy", "taker", 1_700_000_000_000_000, 1, "live")

    line = as_records([trade], {"kraken:A/B": ("A", "B")}).lines[0].as_py()

    assert b'"timestamp":"2023-11-14T22:13:20.000000Z","received_at":"1970-01-01T00:00:00.000001Z"' in line
    assert line.endswith(b'"origin":"live"}\n')


def test_no_trades_make_no_records():
    records = as_records([], {})

    assert len(records) == 0
    assert records.keys.type == pa.dictionary(pa.int32(), pa.string())


def instant(text):
    since = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
