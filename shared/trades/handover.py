"""Hands trades over to whoever asks, while the work that finds them runs behind."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Iterable
from operator import attrgetter
from typing import Any

from shared.domain.windows.plan import Plan
from shared.feeds.slicing import StreamRecords
from shared.trades.inbox import Inbox
from shared.trades.side_by_side import side_by_side
from shared.trades.venues.lines import as_records
from shared.trades.venues.registry import Market


class Handover:
    """Gives the trades of an inbox as records of the plan's one stream.

    counts: what was handed over by market and origin. A batch counts once the next one is asked for, or there is none.
    """

    def __init__(self, plan: Plan, markets: Iterable[Market], inbox: Inbox) -> None:
        (stream,) = plan.streams
        self._stream = stream.name
        self._tickers = {market.name: (market.base, market.quote) for market in markets}
        self._inbox = inbox
        self.counts: Counter[tuple[str, str]] = Counter()

    async def while_running(
        self, *work: Coroutine[Any, Any, None], meanwhile: Iterable[Coroutine[Any, Any, None]] = ()
    ) -> AsyncGenerator[StreamRecords]:
        """Give a batch whenever one is due, until all of `work` has ended and nothing waits any more.

        An error of the work, or of what runs meanwhile, is raised as itself. Whoever leaves early, or is cancelled,
        ends all of it. The tasks have a group of their own: a group must not be left at a `yield`.
        """
        behind = asyncio.create_task(side_by_side(*work, meanwhile=meanwhile))
        behind.add_done_callback(lambda _: self._inbox.hand_over())
        try:
            while True:
                if not behind.done():
                    await self._inbox.due()
                if behind.done():
                    behind.result()
                if trades := sorted(self._inbox.take(), key=attrgetter("trade_id")):
                    yield {self._stream: as_records(trades, self._tickers)}
                    self.counts.update((trade.market, trade.origin) for trade in trades)
                elif behind.done():
                    return
        finally:
            behind.cancel()
            await asyncio.gather(behind, return_exceptions=True)
