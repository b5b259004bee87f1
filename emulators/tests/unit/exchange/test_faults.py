import msgspec
import pytest

from emulators.exchange.faults import Fault, Faults, Publication
from emulators.exchange.instants import SECOND
from emulators.exchange.limits import Refusal


class Clock:
    """Seconds; stands until it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def faults(clock):
    return Faults(clock)


def publications(faults: Faults, count: int, symbol: str = "BTC-USD") -> list[Publication]:
    return [faults.publication("coinbase", symbol)[0] for _ in range(count)]


def test_nothing_is_wrong_by_itself(faults):
    assert faults.publication("coinbase", "BTC-USD") == (Publication.SENT, 0)
    assert not faults.is_silent("coinbase")
    assert not faults.is_out("coinbase")
    assert faults.rest_refusal("coinbase") is None
    assert faults.connection_limit("coinbase") is None


def test_a_hole_swallows_exactly_its_count(faults):
    faults.add(Fault("hole", symbol="BTC-USD", count=2))

    assert publications(faults, 1, "ETH-USD") == [Publication.SENT]
    assert publications(faults, 3) == [Publication.UNSENT, Publication.UNSENT, Publication.SENT]


def test_a_hole_without_rest_loses_its_trades(faults):
    faults.add(Fault("hole", rest=False))

    assert publications(faults, 2) == [Publication.LOST, Publication.SENT]


def test_a_late_trade_is_late_by_its_seconds(faults):
    faults.add(Fault("late", venue="coinbase", seconds=1.5))

    assert faults.publication("kraken", "BTC/USD") == (Publication.SENT, 0)
    assert faults.publication("coinbase", "BTC-USD") == (Publication.LATE, 1_500_000)


def test_silence_ends_with_its_seconds(faults, clock):
    faults.add(Fault("silence", seconds=2))

    clock.now = 1.999999
    assert faults.is_silent("coinbase")
    clock.now = 2.0
    assert not faults.is_silent("coinbase")


@pytest.mark.parametrize(("rest", "rest_is_out"), [(None, True), (False, True), (True, False)])
def test_an_outage_takes_rest_with_it_unless_it_says_otherwise(faults, rest, rest_is_out):
    faults.add(Fault("outage", venue="kraken", rest=rest))

    assert faults.is_out("kraken")
    assert faults.is_out("kraken", rest=True) == rest_is_out
    assert not faults.is_out("binance")


def test_too_many_requests_counts_down(faults):
    faults.add(Fault("too_many_requests", count=2, retry_after=3))

    assert [faults.rest_refusal("binance") for _ in range(3)] == [Refusal(429, 3), Refusal(429, 3), None]


def test_rest_down_lasts(faults, clock):
    faults.add(Fault("rest_down", seconds=1))

    assert faults.rest_refusal("binance") == Refusal(503, 1.0)
    clock.now = 1.0
    assert faults.rest_refusal("binance") is None


def test_the_shortest_connection_limit_holds(faults):
    faults.add(Fault("connection_limit", seconds=9))
    faults.add(Fault("connection_limit", seconds=4))

    assert faults.connection_limit("bitstamp") == 4 * SECOND


def test_active_faults_are_described_until_they_are_cleared(faults, clock):
    faults.add(Fault("hole", venue="coinbase", count=5))
    faults.add(Fault("silence", seconds=4))
    publications(faults, 2)

    clock.now = 1.0
    described = faults.active()
    faults.clear()

    assert [(each["kind"], each.get("left"), each.get("seconds_left")) for each in described] == [
        ("hole", 3, None),
        ("silence", None, 3.0),
    ]
    assert faults.active() == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"kind":"flood"}', "kind"),
        (b'{"kind":"hole","venue":"nyse"}', "venue"),
        (b'{"kind":"hole","count":0}', "count"),
        (b'{"kind":"skew"}', "seconds is required for kind skew"),
        (b'{"kind":"late","seconds":-1}', "at least 0"),
        (b'{"kind":"hole","size":3}', "size"),
        (b'{"kind":"hole","words":"Exceeded msg rate"}', "words mean nothing to kind hole"),
        (b'{"kind":"too_many_requests","status":200}', "status 200 refuses nothing on all venues"),
        (b'{"kind":"too_many_requests","venue":"binance","status":200}', "status 200 refuses nothing on binance"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_by_field(body, complaint):
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(body, type=Fault)


@pytest.mark.parametrize("status", [403, 418, 451])
def test_refusal_of_a_page_has_the_status_that_was_ordered(status):
    faults = Faults(lambda: 0.0)
    faults.add(Fault(kind="too_many_requests", venue="binance", status=status, retry_after=2.0))

    assert faults.rest_refusal("coinbase") is None
    assert faults.rest_refusal("binance") == Refusal(status, 2.0)
    assert faults.rest_refusal("binance") is None


def test_refusal_of_kraken_within_an_answer_tells_no_wait():
    faults = Faults(lambda: 0.0)
    faults.add(Fault("too_many_requests", venue="kraken", status=200, words="EAPI:Rate limit exceeded"))

    assert faults.rest_refusal("kraken") == Refusal(200, None, "EAPI:Rate limit exceeded")


def test_subscriptions_are_refused_as_often_as_ordered(faults):
    faults.add(Fault("refuse_subscription", venue="kraken", count=2, words="EService:Unavailable"))

    assert faults.subscription_refusal("coinbase") is None
    refusals = [faults.subscription_refusal("kraken") for _ in range(3)]

    assert [one and one.words for one in refusals] == ["EService:Unavailable", "EService:Unavailable", None]
