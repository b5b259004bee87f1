import json
from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from emulators.exchange.assets import AssetsHandler, asset_documents, make_assets
from emulators.exchange.faults import ASSETS, Fault, Faults
from emulators.exchange.instruments import INSTRUMENTS

NUMBERS = ("supply", "maxSupply", "marketCapUsd", "volumeUsd24Hr", "priceUsd", "changePercent24Hr", "vwap24Hr")
FIELDS = ("id", "rank", "symbol", "name", *NUMBERS, "explorer", "tokens")
BEARER = {"Authorization": "Bearer right"}
ALL = make_assets(2_000, 7)


def handler(count=300, key="right"):
    return AssetsHandler(asset_documents(count, 7, frozenset()), lambda: 1_800_000_000_123_456, key)


def page(answer):
    return json.loads(answer.body)


def test_an_asset_has_the_documented_fields_and_numbers_as_strings():
    assert {tuple(asset) for asset in ALL} == {FIELDS}
    assert {type(asset[name]) for asset in ALL for name in NUMBERS} == {str, type(None)}
    assert all(Decimal(asset[name]).is_finite() for asset in ALL for name in NUMBERS if asset[name])
    assert any(asset["tokens"] for asset in ALL)


def test_the_same_seed_makes_the_same_assets_and_another_seed_others():
    assert make_assets(200, 7) == make_assets(200, 7) != make_assets(200, 8)


def test_ids_are_unique_and_ranks_follow_the_market_cap():
    caps = [Decimal(asset["marketCapUsd"]) for asset in ALL]

    assert len({asset["id"] for asset in ALL}) == len(ALL) == 2_000
    assert [asset["rank"] for asset in ALL] == [str(rank) for rank in range(1, 2_001)]
    assert caps == sorted(caps, reverse=True)


def test_some_assets_have_no_max_supply_and_some_share_a_symbol_with_a_higher_rank():
    capped = sum(asset["maxSupply"] is not None for asset in ALL)
    bitcoins = [asset["id"] for asset in ALL if asset["symbol"] == "BTC"]

    assert 1_000 < capped < 1_600
    assert bitcoins[0] == "bitcoin"
    assert len(bitcoins) > 1
    assert max(Counter(asset["symbol"] for asset in ALL).values()) > 5


@pytest.mark.parametrize("count", [0, 50])
def test_what_the_markets_trade_and_what_is_asked_for_is_among_them(count):
    symbols = {asset["symbol"] for asset in make_assets(count, 7, ["SKL", "XYZ"])}

    assert {instrument.base for instrument in INSTRUMENTS} | {"SKL", "XYZ"} <= symbols


@pytest.mark.parametrize(
    ("query", "first", "last", "count"),
    [
        ({}, 1, 100, 100),
        ({"limit": "7", "offset": "290"}, 291, 297, 7),
        ({"limit": "2000", "offset": "100"}, 101, 300, 200),
    ],
)
def test_a_page_is_cut_by_limit_and_offset(query, first, last, count):
    found = page(handler().answer(query, BEARER))

    assert found["timestamp"] == 1_800_000_000_123
    assert [int(found["data"][place]["rank"]) for place in (0, -1)] == [first, last]
    assert len(found["data"]) == count


def test_a_page_beyond_the_end_is_empty():
    assert page(handler().answer({"offset": "300"}, BEARER))["data"] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic right"}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        (BEARER, 200),
    ],
)
def test_the_key_is_asked_for(headers, status):
    assert handler().answer({}, headers).status == status


def test_without_a_key_of_its_own_the_desk_takes_any():
    assert handler(key=None).answer({}, {"Authorization": "Bearer whatever"}).status == 200


@pytest.mark.parametrize("query", [{"limit": "2001"}, {"limit": "-1"}, {"offset": "x"}])
def test_a_page_that_cannot_be_is_refused_by_name(query):
    answer = handler().answer(query, BEARER)

    assert answer.status == 400
    assert next(iter(query)) in page(answer)["error"]


def test_the_faults_of_the_assets_come_in_their_order_and_are_counted():
    faults = Faults()
    for kind in ("assets_down", "assets_half"):
        faults.add(Fault(kind))
    faults.add(Fault("too_many_requests"))

    assert [fault and fault.kind for fault in (faults.of_assets() for _ in range(3))] == [*ASSETS[:2], None]


def test_a_slow_answer_needs_its_seconds():
    with pytest.raises(msgspec.ValidationError, match="seconds is required for kind assets_slow"):
        msgspec.json.decode(b'{"kind":"assets_slow"}', type=Fault)
