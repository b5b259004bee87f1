"""A day of windows of one venue in played time, whose host dies around hand-over points, and the verdict upon it."""

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.contracts import FOLDER
from shared.domain.windows.window import microseconds
from tests.faults.verdict import Arrival, Event, Told, Verdict, judge
from tests.unit.shared.trades.simulated_venue import (
    SYMBOLS,
    Closed,
    Deal,
    SimulatedHub,
    SimulatedVenue,
    Stage,
    at,
    plan_of,
    played,
    seconds,
    until,
)

WINDOWS, LENGTH, PART = 24, 60.0, 20.0
SLICES = int(LENGTH / PART)
LEAD = GRACE = 4.0
END = WINDOWS * LENGTH
KEY = json.loads((FOLDER / "trades.v1.schema.json").read_text())["x-key"]
"""The columns by which silver knows a trade."""
HANDOVERS = [PART * n for n in range(1, WINDOWS * SLICES)]


def _deal(record: Mapping[str, Any]) -> Event:
    """Tell which deal a record is of, by the time at which the exchange says that it was done: no two share it."""
    return Event("trades", microseconds(datetime.fromisoformat(record["timestamp"])))


class Day:
    """24 windows on a clock that is 60 times as fast as a day's; the host dies at so many hand-over points.

    A death cancels the tasks of the slices that live then: one each, one after the other. `kills` are those that met a
    slice, by their times.

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
        self.kills: list[float] = []
        self.closings: list[Closed] = []

    def deal(self, step: int) -> Iterator[Deal]:
        """Trade about twice a second, and at the first and in the last microsecond of every slice."""
        edges = [edge for cut in [0.0, *HANDOVERS, END] for edge in (cut - 1e-6, cut)]
        between = [self.rolled.uniform(-8, END + 8) for _ in range(int(END * 1.5))]
        for number, done in enumerate(sorted([*edges, *between]), start=1):
            told = done + self.rolled.uniform(0, 0.05) + number * 1e-7
            yield Deal(number * step, done, told, told)

    def live(self) -> Verdict:
        """Run all windows to their ends, and judge what the hub has."""
        self.deals.sort(key=lambda deal: deal.told)
        played(self._live(), begin=-10)
        due = [Event("trades", at(deal.done)) for deal in self.deals if 0 <= deal.done < END]
        assert len(set(due)) == len(due)
        arrived = [Arrival(_deal(one), tuple(one[column] for column in KEY)) for _, one in self.hub.sent]
        return judge(dict.fromkeys(due, Told.ACCEPTED), arrived)

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
            death = next((moment for moment in self.deaths if moment > seconds()), END * 2)
            await asyncio.wait({running}, timeout=death - seconds())
            if running.done():
                return running.result()
            self.kills.append(death)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.sleep(self.rolled.uniform(0.5, 12))

    def _start_of(self, stage: Stage) -> float:
        return (stage.plan.window.start - plan_of(()).window.start).total_seconds()
