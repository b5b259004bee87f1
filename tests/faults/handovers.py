"""A day of windows of one venue in played time, whose host dies around hand-over points, and the verdict upon it."""

import asyncio
import contextlib
import random
from collections.abc import Iterator

from tests.faults.verdict import Arrival, Event, Told, Verdict, judge
from tests.unit.shared.trades.simulated_venue import (
    SYMBOLS,
    Closed,
    Deal,
    SimulatedHub,
    SimulatedVenue,
    Stage,
    plan_of,
    played,
    seconds,
    until,
)

WINDOWS, LENGTH, PART = 24, 60.0, 20.0
SLICES = int(LENGTH / PART)
LEAD = GRACE = 4.0
END = WINDOWS * LENGTH
HANDOVERS = [PART * n for n in range(1, WINDOWS * SLICES)]


class Day:
    """24 windows on a clock that is 60 times as fast as a day's; the host dies at so many hand-over points.

    venue: one whose ids follow each other (coinbase), or not (bitstamp).
    """

    def __init__(self, venue: str, seed: int, kills: int) -> None:
        self.rolled = rolled = random.Random(seed)
        self.deals = list(self.deal(step=1 if venue == "coinbase" else 3))
        cuts = sorted(rolled.sample(HANDOVERS, 6))
        outages = [(cut + rolled.uniform(-6, 0), cut + rolled.uniform(0.5, 6)) for cut in cuts]
        self.venue = SimulatedVenue(venue, self.deals, outages, anchors=True, replays=2, page_size=40)
        points = rolled.sample(HANDOVERS, kills)
        self.deaths = sorted(point + rolled.uniform(-LEAD, GRACE + 1) for point in points)
        self.hub = SimulatedHub()
        self.killed = 0
        self.closings: list[Closed] = []

    def deal(self, step: int) -> Iterator[Deal]:
        """Trade about twice a second, and at the first and in the last microsecond of every slice."""
        edges = [at for cut in [0.0, *HANDOVERS, END] for at in (cut - 1e-6, cut)]
        between = [self.rolled.uniform(-8, END + 8) for _ in range(int(END * 1.5))]
        for number, done in enumerate(sorted([*edges, *between]), start=1):
            told = done + self.rolled.uniform(0, 0.05) + number * 1e-7
            yield Deal(number * step, done, told, told)

    def live(self) -> Verdict:
        """Run all windows to their ends, and judge what the hub has."""
        self.deals.sort(key=lambda deal: deal.told)
        played(self._live(), begin=-10)
        due = [deal.trade_id for deal in self.deals if 0 <= deal.done < END]
        arrived = [Arrival(Event("trades", one["trade_id"]), one["trade_id"]) for _, one in self.hub.sent]
        return judge({Event("trades", number): Told.ACCEPTED for number in due}, arrived)

    async def _live(self) -> None:
        market = f"{self.venue.name}:{SYMBOLS[self.venue.name]}"
        stages = [Stage([self.venue], plan_of([market], start=n * LENGTH, length=LENGTH, part=PART), self.hub)
                  for n in range(WINDOWS)]  # fmt: skip
        tasks = [asyncio.create_task(self._slice(stage, number)) for stage in stages for number in range(SLICES)]
        previous = None
        for n, stage in enumerate(stages):
            reports = await asyncio.gather(*tasks[n * SLICES : (n + 1) * SLICES])
            self.closings.append(await stage.close(reports, previous))
            previous = reports[-1]

    async def _slice(self, stage: Stage, number: int) -> object:
        """Run a slice until it ends; one that is killed is tried again some seconds later."""
        await until((stage.plan.slices()[number].start - stage.plan.window.start).total_seconds() - LEAD
                    + float(self._start_of(stage)))  # fmt: skip
        while True:
            running = asyncio.create_task(stage.run(number))
            death = next((at for at in self.deaths if at > seconds()), END * 2)
            await asyncio.wait({running}, timeout=death - seconds())
            if running.done():
                return running.result()
            self.killed += 1
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.sleep(self.rolled.uniform(0.5, 12))

    def _start_of(self, stage: Stage) -> float:
        return (stage.plan.window.start - plan_of(()).window.start).total_seconds()
