import io
import json
import tracemalloc
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.assets import COINCAP, SCHEMA, count, prepare
from shared.feeds.lookup_files import parquet

BITCOIN = {
    "id": "bitcoin",
    "rank": "1",
    "symbol": "BTC",
    "name": "Bitcoin",
    "supply": "19950000.0000000000000000",
    "maxSupply": "21000000.0000000000000000",
    "marketCapUsd": "1341642487500.1234567890123456",
    "volumeUsd24Hr": "2927959461.1750323310959460",
    "priceUsd": "67250.2500000000000001",
    "changePercent24Hr": "-0.8101417214350335",
    "vwap24Hr": None,
    "explorer": "https://explorer.example/bitcoin",
    "tokens": {"1": ["0xabc"]},
}
NESTED = {**COINCAP, "supply": "supply.circulating", "maxSupply": "supply.max", "priceUsd": "quote.usd.price"}


def page(*assets, **more):
    return json.dumps({"data": list(assets), "timestamp": 1} | more).encode()


def asset(name, **changes):
    return BITCOIN | {"id": name, "symbol": name.upper()} | changes


def ids(*pages):
    return prepare(pages).table["id"].to_pylist()


def one(**changes):
    table = prepare([page(BITCOIN | changes)]).table
    assert len(table) == 1
    return table.to_pylist()[0]


def test_an_asset_becomes_a_typed_row_with_every_digit():
    row = one()

    assert row["rank"] == 1
    assert row["priceUsd"] == Decimal("67250.2500000000000001")
    assert row["marketCapUsd"] == Decimal("1341642487500.1234567890123456")
    assert row["changePercent24Hr"] == Decimal("-0.8101417214350335")
    assert (row["vwap24Hr"], row["explorer"]) == (None, "https://explorer.example/bitcoin")


def test_the_lookup_has_the_columns_of_its_schema_even_without_assets():
    assert prepare([]).table.schema == SCHEMA
    assert prepare([page()]).table.schema == SCHEMA
    assert prepare([page(BITCOIN)]).table.schema == SCHEMA


def test_assets_without_a_max_supply_are_left_out_and_counted():
    found = prepare([page(asset("a"), asset("b", maxSupply=None), asset("c", maxSupply=""))])

    assert found.table["id"].to_pylist() == ["a"]
    assert (found.read, found.without_max_supply, found.unreadable, found.of_a_symbol_again) == (3, 2, 0, 0)


def test_rows_are_sorted_by_id_over_all_pages():
    assert ids(page(asset("c"), asset("a")), page(asset("d"), asset("b"))) == ["a", "b", "c", "d"]


def test_of_one_symbol_the_best_rank_stays_whatever_the_page():
    rivals = [asset("x", symbol="X", rank=rank) | {"id": f"x{rank}"} for rank in ("30", "4", "200")]

    found = prepare([page(rivals[0], rivals[1]), page(rivals[2])])

    assert found.table["id"].to_pylist() == ["x4"]
    assert found.of_a_symbol_again == 2


def test_a_namesake_does_not_take_the_place_of_a_better_ranked_asset_without_max_supply():
    found = prepare(
        [page(asset("ether", symbol="ETH", rank="2", maxSupply=None), asset("other", symbol="ETH", rank="900"))]
    )

    assert found.table["id"].to_pylist() == []
    assert (found.without_max_supply, found.of_a_symbol_again) == (1, 1)
    assert found.unmatched == ("ETH",)


def test_of_equal_ranks_the_first_id_stays_and_no_rank_is_the_worst():
    tie = page(
        asset("b", symbol="X"), asset("a", symbol="X"), asset("c", symbol="Y", rank=None), asset("d", symbol="Y")
    )

    assert ids(tie) == ["a", "d"]


def test_nested_documents_are_flattened_by_two_levels():
    nested = BITCOIN | {"supply": {"circulating": "5", "max": "9"}, "quote": {"usd": {"price": "1.5"}}}
    bare = asset("bare", supply={"max": "3"}, quote=None)

    rows = prepare([page(nested, bare)], NESTED).table.to_pylist()

    assert [(row["supply"], row["maxSupply"], row["priceUsd"]) for row in rows] == [
        (None, 3, None),
        (5, 9, Decimal("1.5")),
    ]


@pytest.mark.parametrize("number", [1.5, "1.50", "15e-1", "+1.5"])
def test_a_number_may_be_written_in_any_way_of_json(number):
    assert one(priceUsd=number)["priceUsd"] == Decimal("1.5")


def test_a_number_without_quotes_keeps_its_digits():
    document = page(asset("a", priceUsd="@")).replace(b'"@"', b"0.1234567890123456789")

    assert prepare([document]).table["priceUsd"].to_pylist() == [Decimal("0.123456789012345679")]


def test_digits_beyond_the_eighteenth_are_rounded_half_to_even():
    assert one(priceUsd="0.0000000000000000025")["priceUsd"] == Decimal("2e-18")
    assert one(priceUsd="0.0000000000000000035")["priceUsd"] == Decimal("4e-18")


@pytest.mark.parametrize("value", ["", "NaN", "1,5", " 1", "1_0", "٣", "Infinity", "9" * 21, "1e99999", True, [], {}])
def test_what_is_no_number_is_null_and_spoils_only_itself(value):
    rows = prepare([page(asset("a"), asset("b", priceUsd=value))]).table.to_pylist()

    assert [row["priceUsd"] for row in rows] == [Decimal(BITCOIN["priceUsd"]), None]


@pytest.mark.parametrize(("rank", "expected"), [(7, 7), ("8", 8), ("7.0", 7), ("7.5", None), ("3000000000", None)])
def test_a_rank_is_a_whole_number_or_null(rank, expected):
    assert one(rank=rank)["rank"] == expected


@pytest.mark.parametrize(
    "odd", [None, 3, "text", [], {}, asset("a", id=None), asset("a", symbol=None), asset("a", id=7.5) | {"symbol": {}}]
)
def test_what_is_no_asset_is_counted_and_spoils_only_itself(odd):
    found = prepare([page(asset("b"), odd, asset("c"))])

    assert found.table["id"].to_pylist() == ["b", "c"]
    assert found.read == 3
    assert found.without_max_supply + found.unreadable == 1


def test_a_page_that_is_laid_out_for_people_reads_the_same():
    pretty = json.dumps({"data": [BITCOIN, asset("a")]}, indent=4).encode()

    assert prepare([pretty]).table.equals(prepare([page(BITCOIN, asset("a"))]).table)


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b'{"data": [', page(BITCOIN)[:-40], b"[]", b'{"error": "no"}', b'{"data": {}}', b"[" * 99_999],
)
def test_what_is_no_page_is_an_error(document):
    with pytest.raises(ValueError, match="no page of assets"):
        count(document)
    with pytest.raises(ValueError, match="no page of assets"):
        prepare([document])


def test_the_assets_of_a_page_are_counted():
    assert count(page()) == 0
    assert count(page(BITCOIN, None, 3)) == 3


def test_parquet_gives_the_table_back():
    table = prepare([page(*(asset(f"a{number}") for number in range(50)))]).table

    assert pq.read_table(io.BytesIO(parquet(table))).equals(table)


def test_memory_does_not_grow_with_the_number_of_pages():
    pages = [page(*(asset(f"{number}", rank=str(turn)) for number in range(500))) for turn in range(4)]

    def peak(turns):
        tracemalloc.start()
        prepare(document for _ in range(turns) for document in pages)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(12) < 1.5 * peak(3)


TEXTS = st.none() | st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
).map(str)
ASSETS = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abcdef"),
        "symbol": st.sampled_from(["X", "Y", "Z"]),
        "rank": st.integers(1, 9).map(str),
        "maxSupply": TEXTS,
        "priceUsd": TEXTS,
    }
)


@given(st.lists(st.lists(ASSETS, max_size=6), max_size=4))
def test_the_lookup_is_what_plain_python_makes_of_it(pages):
    best = {}
    rows = (row for listed in pages for row in listed)
    for row in sorted(rows, key=lambda row: (int(row["rank"]), row["id"], row["maxSupply"] is None)):
        best.setdefault(row["symbol"], row)
    supplied = [row for row in best.values() if row["maxSupply"] is not None]
    wanted = sorted((row["id"], row["symbol"], int(row["rank"])) for row in supplied)

    table = prepare([page(*listed) for listed in pages]).table

    assert sorted(zip(*(table[name].to_pylist() for name in ("id", "symbol", "rank")), strict=True)) == wanted


@given(st.lists(ASSETS, min_size=1, max_size=8))
def test_assets_decoded_one_by_one_are_read_as_those_decoded_at_once(assets):
    at_once = prepare([page(*assets)])

    one_by_one = prepare([page(*assets, 0)])

    assert one_by_one.table.equals(at_once.table)
    assert (one_by_one.read, one_by_one.unreadable) == (at_once.read + 1, 1)
