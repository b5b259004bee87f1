"""A slice of the past behind Kraken's public limit: fifteen requests at once, then one a second."""

import asyncio
from bisect import bisect_right
from datetime import timedelta

import pytest

from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from shared.trades.completeness.gaps import HistoryQuery
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.history import History, search
from shared.trades.venues.kraken import Kraken
from shared.trades.venues.venue import RequestLimit
from shared.trades.venues.words import meaning
from tests.unit.shared.trades.simulated_venue import Stage, at, clock, plan_of, played, seconds

KRAKEN = Kraken()
EACH = 0.05
FIRST, LAST, NOW = -300, 900, 1000
TIMES = [at(FIRST) * 1000 + round(n * EACH * 1e9) for n in range(round((LAST - FIRST) / EACH))]
WANTED = {n + 1 for n, time in enumerate(TIMES) if at(0) * 1000 <= time < at(300) * 1000}
HASTE = RequestLimit(burst=10_000, every=0.0)


class LimitedKraken:
    """Twenty trades a second, of which a page is given as the venue gives it, or refused within an answer.

    free: how many requests of the burst are left at the beginning. pace: what the asker keeps to.
    """

    name = "kraken"

    def __init__(self, free=15, pace=KRAKEN.request_limit):
        self.level, self.seen, self.asked, self.refused = 15.0 - free, float(NOW), 0, 0
        self.limiter = RequestLimiter(pace, seconds)

    async def page(self, symbol, request=None):
        request = request or KRAKEN.newest(symbol)
        await asyncio.sleep(self.limiter.wait() + 0.1)
        self.asked += 1
        body = self._body(request)
        if complaint := KRAKEN.complaint(body):
            self.refused += 1
            raise Unavailable(complaint, throttled=meaning(KRAKEN.words, complaint) is FailureKind.THROTTLED)
        return KRAKEN.read_history(request, body, symbol, at(seconds()))

    async def aclose(self):
        pass

    def _body(self, request):
        self.level, self.seen = max(0.0, self.level - (seconds() - self.seen)), seconds()
        if self.level + 1 > 15:
            return b'{"error":["EGeneral:Too many requests"]}'
        self.level += 1
        since = request.query.get("since")
        begin = len(TIMES) - 1000 if since is None else bisect_right(TIMES, int(since))
        rows = ",".join(
            f'["1.50","2",{time // 10**9}.{time % 10**9:09d},"b","m","",{begin + n + 1}]'
            for n, time in enumerate(TIMES[begin : begin + 1000])
        )
        return f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":"0"}}}}'.encode()


def ingested(venue):
    """Give the ids that a past slice of five minutes sends."""
    stage = Stage([venue], plan_of(["kraken:BTC/USD"], length=300, part=300))
    played(stage.run(0), begin=NOW)
    return stage.hub.ids


@pytest.mark.parametrize(
    ("free", "pace", "is_refused"),
    [(15, KRAKEN.request_limit, False), (15, HASTE, True), (3, KRAKEN.request_limit, True), (3, HASTE, True)],
)
def test_past_slice_of_five_minutes_gets_all_6000_trades_in_few_requests_whatever_kraken_refuses(
    free, pace, is_refused
):
    venue = LimitedKraken(free, pace)

    ids = ingested(venue)

    assert len(WANTED) == 6_000
    assert (set(ids), max(ids.values())) == (WANTED, 1)
    assert venue.asked <= 40
    assert bool(venue.refused) is is_refused


def test_walk_that_begins_anew_at_each_refusal_would_not_get_them():
    venue, ids = LimitedKraken(free=3, pace=HASTE), set()

    async def take(page):
        ids.update(trade.trade_id for trade in page.trades)

    async def story():
        while seconds() < NOW + 328:
            history = History(KRAKEN, venue, clock, asyncio.sleep, silence=timedelta(0))
            try:
                await search(history, "BTC/USD", HistoryQuery(at(0), at(300)), take)
            except Unavailable:
                await asyncio.sleep(0.5)
            else:
                return

    played(story(), begin=NOW)

    assert len(WANTED & ids) < 6_000
    assert venue.asked > 200
