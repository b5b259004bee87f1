"""Ingesting one slice of the markets: listen, keep what is the slice's by time, search for what is missing, report."""

from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.window import microseconds
from shared.errors import FeedRefused
from shared.feeds.slicing import SliceClock, StreamRecords
from shared.trades.completeness.gaps import Bounds, bounds_of
from shared.trades.completeness.reports import MOST_SAMPLES, MarketReport, SliceReport
from shared.trades.connection.client import VenueClient
from shared.trades.filling import Filler
from shared.trades.handover import Handover
from shared.trades.inbox import Inbox
from shared.trades.intake import VenueIntake, intakes_of
from shared.trades.venues.registry import parse_market

FLUSH_EVERY: Final = 1.0
SEARCH_FOR: Final = timedelta(seconds=20)
"""How long after its grace a slice may still ask the history."""

STOPPED_WAIT: Final = timedelta(seconds=1.5)
STOPPED_SEARCH: Final = timedelta(seconds=1)


class TradesSlice:
    """A `SliceSource`: the slice's trades of the plan's markets, and what was seen, filled and missed of them.

    Begun at `start − lead` it listens until `end + grace`; begun later it gets what it missed from the history, and
    begun after the end it asks the history alone. `venues` are the clients by the venue's name. Frames that can't be
    read are counted. While nobody asks for the next batch, at most `inbox.LIMIT` trades are kept, and then no more is
    read from the venues.
    """

    def __init__(self, attempt: SliceAttempt, venues: Mapping[str, VenueClient], clock: SliceClock) -> None:
        self._attempt = attempt
        self._plan = attempt.plan
        self._clock = clock
        self._venues = venues
        self._end = attempt.part.end
        self._bounds = bounds_of(attempt.part, self._plan.lead, self._plan.grace)
        self._inbox = Inbox()
        markets = [parse_market(source) for source in self._plan.sources]
        self._intakes = intakes_of(markets, venues, self._bounds, self._inbox, clock.clock)
        self._handover = Handover(self._plan, markets, self._inbox)

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give trades each second while listening, then what the history has of those that are missing.

        Each batch is ordered by the trades' ids. Raises FeedRefused where the venues refuse all markets, with their
        words; a market that is refused costs no other. The venues are closed at the end.
        """
        began = self._clock.clock()
        readers = self._readers() if began < self._end else []
        async with AsyncExitStack() as stack:
            for intake in self._intakes:
                await stack.enter_async_context(aclosing(intake.client))
            async with aclosing(self._handover.while_running(self._wait_for_end(), meanwhile=readers)) as batches:
                async for batch in batches:
                    yield batch
            for intake in self._intakes:
                intake.listened_until(microseconds(self._end))
            async with aclosing(self._handover.while_running(*self._final_searches(began))) as batches:
                async for batch in batches:
                    yield batch
            self._check_served()

    def progress(self) -> dict[str, Any]:
        """Say nothing: every try begins anew."""
        return {}

    def report(self) -> dict[str, Any]:
        """Give the wire form of the `SliceReport`, and when the last of the venues was connected first."""
        markets = tuple(self._with_counts(market) for intake in self._intakes for market in intake.reports())
        report = SliceReport(
            replace(self._attempt.part, end=self._end),
            self._attempt.attempt,
            markets,
            sum(intake.connections for intake in self._intakes),
            sum(intake.interruptions for intake in self._intakes),
            sum(intake.unreadable for intake in self._intakes),
            tuple(chain.from_iterable(intake.samples for intake in self._intakes))[:MOST_SAMPLES],
            self._warnings(markets),
            self._refused(),
        )
        return report.as_wire() | self._connected_at()

    def _connected_at(self) -> dict[str, str]:
        instants = [intake.connected_at for intake in self._intakes if intake.connected_at]
        return {"connected_at": max(instants).isoformat()} if len(instants) == len(self._intakes) else {}

    def _warnings(self, markets: Sequence[MarketReport]) -> tuple[str, ...]:
        unheard = [warning for intake in self._intakes for warning in intake.warnings()]
        return (*unheard, *(warning for market in markets for warning in _warnings(market, self._bounds)))

    def _refused(self) -> dict[str, str]:
        found = {f"{one.venue.name}:{symbol}": words for one in self._intakes for symbol, words in one.refused.items()}
        return {**self._plan.refused, **found}

    def _check_served(self) -> None:
        """Raise FeedRefused where no market is left to go on with."""
        if not any(intake.served() for intake in self._intakes):
            raise FeedRefused(f"No market can be ingested: {'; '.join(self._refused().values())}.")

    def _readers(self) -> list[Coroutine[Any, Any, None]]:
        following = [intake.follow() for intake in self._intakes]
        return following + [self._fill_forever(intake) for intake in self._intakes]

    async def _fill_forever(self, intake: VenueIntake) -> None:
        filler = Filler(intake, self._inbox, self._clock)
        while True:
            await self._clock.sleep(FLUSH_EVERY)
            await filler.fill_due()

    async def _wait_for_end(self) -> None:
        self._apply_stop()
        while (left := (self._listen_until() - self._clock.clock()).total_seconds()) > 0:
            await self._clock.sleep(min(FLUSH_EVERY, left))
            self._check_served()
            self._apply_stop()
            self._inbox.hand_over()

    def _listen_until(self) -> datetime:
        return self._end + (min(self._plan.grace, STOPPED_WAIT) if self._is_stopped else self._plan.grace)

    @property
    def _is_stopped(self) -> bool:
        return self._end < self._attempt.part.end

    def _apply_stop(self) -> None:
        stop_at = self._clock.stop_at()
        if stop_at is None or stop_at >= self._end:
            return
        self._end = max(stop_at, self._attempt.part.start)
        for intake in self._intakes:
            intake.stop(microseconds(self._end))

    def _final_searches(self, began: datetime) -> list[Coroutine[Any, Any, None]]:
        """Search for all that is still missing, for as long as the slice has."""
        part = self._attempt.part
        deadline = began + self._plan.lead + (part.end - part.start) + self._plan.grace + SEARCH_FOR
        if self._is_stopped:
            deadline = self._clock.clock() + STOPPED_SEARCH
        fillers = [Filler(intake, self._inbox, self._clock, deadline) for intake in self._intakes]
        return [filler.fill_all() for filler in fillers]

    def _with_counts(self, market: MarketReport) -> MarketReport:
        counts = self._handover.counts.items()
        return replace(market, sent=Counter({origin: n for (name, origin), n in counts if name == market.market}))


def _warnings(market: MarketReport, bounds: Bounds) -> list[str]:
    """Say where the clocks differ by so much that the lead or the grace may soon not bear it."""
    grace, lead = bounds.grace // 2000, bounds.lead // 2000
    found = []
    if market.lag_ms > grace:
        found.append(
            f"{market.market}: a trade came {market.lag_ms} ms late, which is over half the grace ({grace} ms)"
        )
    if market.ahead_ms > lead:
        found.append(
            f"{market.market}: its clock is {market.ahead_ms} ms ahead, which is over half the lead ({lead} ms)"
        )
    return found
