"""Walking back through a REST interface that only walks forward."""

from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.trades.venues.kraken import Kraken

KRAKEN = Kraken()
START = 1_700_000_000_000_000_000


def answer(request, times):
    """Answer as the venue does: up to 1,000 trades after `since`, or the newest."""
    since = request.query.get("since")
    begin = max(len(times) - 1000, 0) if since is None else bisect_right(times, int(since))
    rows = ",".join(
        f'["1.50","2",{at // 10**9}.{at % 10**9:09d},"b","m","",{begin + n + 1}]'
        for n, at in enumerate(times[begin : begin + 1000])
    )
    return f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":"0"}}}}'.encode()


def walk(request, times):
    ids, pages = [], 0
    while request:
        page = KRAKEN.read_history(request, answer(request, times), "BTC/USD", 5)
        ids = [t.trade_id for t in page.trades] + ids
        request, pages = page.older, pages + 1
        assert pages < 400
    return ids, pages


gaps = st.lists(
    st.tuples(st.sampled_from([1, 10**3, 10**6, 10**9, 3600 * 10**9]), st.integers(1, 1500)), min_size=1, max_size=5
)


@settings(max_examples=25, deadline=None)
@given(gaps)
def test_walking_back_gives_every_trade_once_whatever_the_pace(gaps):
    times, now = [], START
    for gap, count in gaps:
        times += range(now, now + gap * count, gap)
        now += gap * count

    ids, _ = walk(KRAKEN.newest("BTC/USD"), times)

    assert ids == list(range(1, len(times) + 1))


def test_steady_market_costs_about_a_page_a_thousand_trades():
    times = [START + n * 20_000_000 for n in range(20_000)]

    _, pages = walk(KRAKEN.newest("BTC/USD"), times)

    assert pages <= 2 * 20 + 20


def test_page_before_a_live_trade_joins_on_to_it():
    times = [START + n * 100_000_000 for n in range(2_000)]
    request = KRAKEN.older_than("BTC/USD", 1501, times[1500] // 1000)

    page = KRAKEN.read_history(request, answer(request, times), "BTC/USD", 5)

    assert page.trades[-1].trade_id == 1500
    assert page.trades[0].timestamp == times[page.trades[0].trade_id - 1] // 1000
    assert page.trades[0].origin == "rest"
    assert (page.trades[0].price, page.trades[0].direction) == ("1.50", "buy")


def test_market_without_trades_has_no_older_page():
    assert (
        KRAKEN.read_history(KRAKEN.newest("BTC/USD"), answer(KRAKEN.newest("BTC/USD"), []), "BTC/USD", 5).older is None
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error":["EQuery:Unknown asset pair"]}', "EQuery:Unknown asset pair"),
        (b"<html>", "not a page of trades"),
        (b'{"error":[],"result":{"X":[["1","2",1e300,"b","m","",1]],"last":"0"}}', "year 10000"),
    ],
)
def test_answer_that_is_no_page_says_why(body, reason):
    with pytest.raises(ValueError, match=reason):
        KRAKEN.read_history(KRAKEN.newest("BTC/USD"), body, "BTC/USD", 5)
