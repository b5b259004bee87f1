"""What a venue allows one address, in a time that is played."""

import pytest

from emulators.exchange.instants import SECOND
from emulators.exchange.limits import MINUTE, Allowances, Bucket, Interval, Refusal, WeightLimit
from emulators.exchange.venues.registry import venues

TRADES = "/api/v3/historicalTrades"
START = 29_000_000 * MINUTE


def limit_of(name):
    return Allowances(next(venue.limits for venue in venues() if venue.name == name))


def statuses(limit, seconds, *, route="/page"):
    """Ask at each of the seconds; give 0 where the page is given."""
    answers = [limit.ask("127.0.0.1", route, START + round(second * SECOND)) for second in seconds]
    return [answer.status if answer else 0 for answer in answers]


def test_kraken_gives_fifteen_pages_at_once_and_then_one_a_second_and_refuses_in_an_answer_with_status_200():
    assert statuses(limit_of("kraken"), [0.0] * 16) == [0] * 15 + [200]
    assert statuses(limit_of("kraken"), [0.0] * 15 + [1.0, 2.0, 2.5]) == [0] * 17 + [200]


def test_who_goes_on_asking_kraken_too_fast_is_served_no_more_until_he_slows_down():
    limit = limit_of("kraken")
    statuses(limit, [0.0] * 15)

    assert statuses(limit, [n / 4 for n in range(40)]) == [200] * 40
    assert statuses(limit, [11.0]) == [0]


def test_coinbase_gives_fifteen_pages_at_once_and_then_ten_a_second():
    answers = statuses(limit_of("coinbase"), [0.0] * 15 + [n / 20 for n in range(1, 41)])

    assert answers[:15] == [0] * 15
    assert set(answers) == {0, 429}
    assert answers[15:].count(0) == 20


def test_bitstamp_gives_400_pages_a_second_and_10_000_in_ten_minutes():
    assert statuses(limit_of("bitstamp"), [0.0] * 401) == [0] * 400 + [400]
    spread = statuses(limit_of("bitstamp"), [n / 100 for n in range(10_001)])
    assert spread == [0] * 10_000 + [400]


def test_binance_gives_6_000_weight_a_minute_and_tells_what_is_used_and_how_long_to_wait():
    limit = limit_of("binance")

    assert statuses(limit, [10.0] * 240, route=TRADES) == [0] * 240
    assert limit.headers("127.0.0.1") == {"X-MBX-USED-WEIGHT-1M": "6000"}
    assert limit.ask("127.0.0.1", TRADES, START + 20 * SECOND + 1) == Refusal(429, 40)
    assert statuses(limit, [60.0], route=TRADES) == [0]
    assert limit.headers("127.0.0.1") == {"X-MBX-USED-WEIGHT-1M": "25"}


def banned():
    """Give a limit whose first ban began at START."""
    limit = WeightLimit(1, {})
    assert [limit.ask("/page", START) for _ in range(3)] == [None, Refusal(429, 60), Refusal(418, 120)]
    return limit


def test_who_asks_binance_again_after_a_429_is_banned_for_two_minutes_at_first():
    assert banned().ask("/page", START + 2 * MINUTE) is None


def test_request_into_a_ban_of_binance_makes_it_longer_up_to_three_days():
    limit = banned()

    waits = [limit.ask("/page", START + MINUTE).wait for _ in range(15)]

    assert waits[:3] == [240, 480, 960]
    assert waits[-1] == 3 * 24 * 3_600


def test_next_ban_of_binance_is_longer_than_the_last_one():
    limit = banned()
    later = START + 10 * MINUTE

    assert [limit.ask("/page", later) for _ in range(3)] == [None, Refusal(429, 60), Refusal(418, 240)]


def test_addresses_are_counted_apart_and_all_limits_hold():
    allowances = Allowances(lambda: (Bucket(3, 1.0, status=429), Interval(2, 60, status=400)))

    answers = [allowances.ask(address, "/page", START) for address in ("a", "a", "a", "b")]

    assert answers == [None, None, Refusal(400), None]


@pytest.mark.parametrize("venue", venues(), ids=lambda venue: venue.name)
def test_every_venue_has_a_limit(venue):
    assert set(statuses(Allowances(venue.limits), [0.0] * 7_000)) - {0}
