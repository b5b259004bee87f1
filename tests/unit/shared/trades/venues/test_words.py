"""The table of each venue's words, row by row."""

import json

import pytest

from shared.domain.failures import FailureKind
from shared.trades.venues.readings import Refused
from shared.trades.venues.registry import venue
from shared.trades.venues.words import BINANCE, BITSTAMP, COINBASE, KRAKEN, meaning

T, U, P = FailureKind.THROTTLED, FailureKind.UNAVAILABLE, FailureKind.PERMANENT
MESSAGES = [
    (BINANCE, 418, "Way too much request weight used; IP banned until 1659146400000.", T),
    (BINANCE, 429, "Too much request weight used", T),
    (BINANCE, 403, "<html>Forbidden</html>", T),
    (BINANCE, 451, "Service unavailable from a restricted location", U),
    (BINANCE, 400, '{"code":-1121,"msg":"Invalid symbol."}', P),
    (BINANCE, 400, '{"code":-1003,"msg":"Too many requests"}', T),
    (BINANCE, None, "Too many subscriptions", T),
    (BINANCE, 503, "Server is currently overloaded with other requests.", T),
    (BINANCE, None, "Invalid request: wrong stream name", P),
    (BINANCE, None, "Invalid JSON: expected value", P),
    (BINANCE, 500, "", U),
    (COINBASE, 429, "Public rate limit exceeded", T),
    (COINBASE, 400, '{"message":"Rate limit exceeded"}', T),
    (COINBASE, None, "Internal server error", U),
    (COINBASE, 404, '{"message":"NotFound"}', P),
    (COINBASE, None, "Failed to subscribe: NO-PE is not a valid product", P),
    (COINBASE, None, "Failed to subscribe", U),
    (KRAKEN, 429, "", T),
    (KRAKEN, 200, "EGeneral:Too many requests", T),
    (KRAKEN, 200, "EAPI:Rate limit exceeded", T),
    (KRAKEN, 200, "EService:Throttled: 1659146400", T),
    (KRAKEN, None, "Exceeded msg rate", T),
    (KRAKEN, 200, "EService:Unavailable", U),
    (KRAKEN, 200, "EService:Busy", U),
    (KRAKEN, 200, "EGeneral:Internal error", U),
    (KRAKEN, 200, "EQuery:Unknown asset pair", P),
    (KRAKEN, None, "Currency pair not supported NO/PE", P),
    (BITSTAMP, 429, "", T),
    (BITSTAMP, None, "Rate limit exceeded.", T),
    (BITSTAMP, 400, '{"reason":"Too many requests"}', T),
    (BITSTAMP, 400, '{"reason":"Request rejected due to exceeded rate limit.","code":"400.002"}', T),
    (BITSTAMP, 404, '{"status":"error","reason":"Not found","code":"404"}', P),
    (BITSTAMP, None, "Bad subscription string.", P),
]


@pytest.mark.parametrize(("table", "status", "message", "kind"), MESSAGES)
def test_words_of_a_venue_mean_what_its_table_says(table, status, message, kind):
    assert meaning(table, message, status) is kind


@pytest.mark.parametrize("table", [BINANCE, COINBASE, KRAKEN, BITSTAMP])
def test_each_row_is_reached_and_has_its_source(table):
    reached = {
        next(row for row in table if row.status in {None, status} and row.text in message.lower())
        for own, status, message, kind in MESSAGES
        if own is table and any(row.status in {None, status} and row.text in message.lower() for row in table)
    }

    assert reached == set(table)
    assert all(row.source for row in table)


@pytest.mark.parametrize("status", [None, 400, 401, 403, 404, 410, 451, 500, 502, 503])
@pytest.mark.parametrize("table", [BINANCE, COINBASE, KRAKEN, BITSTAMP])
def test_what_no_table_names_may_pass(table, status):
    assert meaning(table, "something unheard of", status).may_pass


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("kraken", {"method": "subscribe", "success": False, "error": "Exceeded msg rate"}),
        ("coinbase", {"type": "error", "message": "Internal server error"}),
        ("bitstamp", {"event": "bts:error", "data": {"message": "Rate limit exceeded."}}),
        ("binance", {"code": 1, "msg": "Too many subscriptions"}),
    ],
)
def test_frame_with_passing_words_is_a_refusal_that_may_pass(name, frame):
    reading = venue(name).read(json.dumps(frame).encode(), 0)

    assert isinstance(reading, Refused)
    assert reading.kind.may_pass
