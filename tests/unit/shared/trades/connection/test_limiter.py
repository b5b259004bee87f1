"""When a venue may be asked next."""

from shared.trades.connection.limiter import RequestLimiter
from shared.trades.venues.venue import RequestLimit


class Asked:
    """Asks as often as it is let, in a time that is played."""

    def __init__(self, burst, every):
        self.now = 0.0
        self.limiter = RequestLimiter(RequestLimit(burst, every), lambda: self.now)

    def times(self, count):
        times = []
        for _ in range(count):
            self.now += self.limiter.wait()
            times.append(self.now)
        return times


def test_a_burst_goes_at_once_and_then_one_request_each_interval():
    assert Asked(3, 2.0).times(6) == [0, 0, 0, 2, 4, 6]


def test_a_pause_gives_the_burst_back_and_no_more():
    asked = Asked(3, 2.0)
    asked.times(3)
    asked.now = 1000.0

    assert asked.times(5) == [1000, 1000, 1000, 1002, 1004]


def test_a_ban_closes_it_for_its_whole_length_and_a_shorter_wish_ends_none():
    asked = Asked(3, 2.0)

    asked.limiter.close_for(960.0)
    asked.limiter.close_for(1.0)
    asked.now = 900.0

    assert asked.limiter.closed_for() == 60.0
    asked.now = 961.0
    assert asked.limiter.closed_for() == 0.0
