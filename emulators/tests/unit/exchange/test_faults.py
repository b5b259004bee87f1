import msgspec
import pytest

from emulators.exchange.faults import Fate, FaultOrder, Faults
from emulators.exchange.instants import SECOND


@pytest.fixture
def faults():
    return Faults()


def fates(faults: Faults, count: int, symbol: str = "BTC-USD") -> list[Fate]:
    return [faults.fate("coinbase", symbol, 0)[0] for _ in range(count)]


def test_nothing_is_wrong_by_itself(faults):
    assert faults.fate("coinbase", "BTC-USD", 0) == (Fate.SENT, 0)
    assert not faults.is_silent("coinbase", 0)
    assert not faults.is_out("coinbase", 0)
    assert faults.rest_refusal("coinbase", 0) is None
    assert faults.connection_limit("coinbase", 0) is None


def test_a_hole_swallows_exactly_its_count(faults):
    faults.add(FaultOrder("hole", symbol="BTC-USD", count=2), 0)

    assert fates(faults, 1, "ETH-USD") == [Fate.SENT]
    assert fates(faults, 3) == [Fate.UNSENT, Fate.UNSENT, Fate.SENT]


def test_a_hole_without_rest_loses_its_trades(faults):
    faults.add(FaultOrder("hole", rest=False), 0)

    assert fates(faults, 2) == [Fate.LOST, Fate.SENT]


def test_a_late_trade_is_late_by_its_seconds(faults):
    faults.add(FaultOrder("late", venue="coinbase", seconds=1.5), 0)

    assert faults.fate("kraken", "BTC/USD", 0) == (Fate.SENT, 0)
    assert faults.fate("coinbase", "BTC-USD", 0) == (Fate.LATE, 1_500_000)


def test_silence_ends_with_its_seconds(faults):
    faults.add(FaultOrder("silence", seconds=2), 0)

    assert faults.is_silent("coinbase", 2 * SECOND - 1)
    assert not faults.is_silent("coinbase", 2 * SECOND)


@pytest.mark.parametrize(("rest", "rest_is_out"), [(None, True), (False, True), (True, False)])
def test_an_outage_takes_rest_with_it_unless_told_otherwise(faults, rest, rest_is_out):
    faults.add(FaultOrder("outage", venue="kraken", rest=rest), 0)

    assert faults.is_out("kraken", 0)
    assert faults.is_out("kraken", 0, rest=True) == rest_is_out
    assert not faults.is_out("binance", 0)


def test_too_many_requests_counts_down(faults):
    faults.add(FaultOrder("too_many_requests", count=2, retry_after=3), 0)

    assert [faults.rest_refusal("binance", 0) for _ in range(3)] == [(429, 3), (429, 3), None]


def test_rest_down_lasts(faults):
    faults.add(FaultOrder("rest_down", seconds=1), 0)

    assert faults.rest_refusal("binance", 0) == (503, 1.0)
    assert faults.rest_refusal("binance", SECOND) is None


def test_the_shortest_connection_limit_holds(faults):
    faults.add(FaultOrder("connection_limit", seconds=9), 0)
    faults.add(FaultOrder("connection_limit", seconds=4), 0)

    assert faults.connection_limit("bitstamp", 0) == 4 * SECOND


def test_active_faults_are_described_until_they_are_cleared(faults):
    faults.add(FaultOrder("hole", venue="coinbase", count=5), 0)
    faults.add(FaultOrder("silence", seconds=4), 0)
    fates(faults, 2)

    described = faults.active(SECOND)
    faults.clear()

    assert [(each["kind"], each.get("left"), each.get("seconds_left")) for each in described] == [
        ("hole", 3, None),
        ("silence", None, 3.0),
    ]
    assert faults.active(SECOND) == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"kind":"flood"}', "kind"),
        (b'{"kind":"hole","venue":"nyse"}', "venue"),
        (b'{"kind":"hole","count":0}', "count"),
        (b'{"kind":"skew"}', "seconds is required for kind skew"),
        (b'{"kind":"late","seconds":-1}', "at least 0"),
        (b'{"kind":"hole","size":3}', "size"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_by_field(body, complaint):
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(body, type=FaultOrder)
