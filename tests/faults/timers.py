"""An app of several hosts whose timers and clocks are at fault: one ledger in Azure Tables, one played task hub."""

import asyncio
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from emulators.functions_host.durable.polling import Polling
from shared.clients.storage.windows import Ledger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan, PlanTemplate
from shared.domain.windows.schedule import Schedule
from shared.flows.ingest_slice import begin
from shared.flows.open_windows import PlanFactory, claim_due_windows, start_windows
from tests.replay.app import ORCHESTRATORS, STREAM
from tests.replay.task_hub import START, Played, TaskHub

MINUTE = timedelta(minutes=1)
EVERY = 15 * MINUTE
SKEWS = (-5 * MINUTE, -2 * MINUTE, timedelta(), timedelta(), 5 * MINUTE)
"""How far the clock of each host is off."""

STARTERS = 50
SLOWNESS = (0, 0, 0, 0, 90, 200)
"""Seconds between a host's claim of a window and its start."""


class Hosts:
    """Hosts that open the windows of one feed; its orchestrations run as in Azure, in time that passes at once."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.feed, self.ledger, self.rolled = f"feed{seed}", ledger, random.Random(seed)
        self.schedule = Schedule(self.feed, EVERY, timedelta(), EVERY, lead=0.5 * MINUTE, catch_up=8 * EVERY)
        template = PlanTemplate(5 * MINUTE, 0.5 * MINUTE, timedelta(seconds=5), 1.0, 20.0, (), (STREAM,))
        self.plans = PlanFactory({self.feed: template}, lambda _: "1", lambda _: {})
        self.tasks = TaskHub(ORCHESTRATORS, self.play, Polling(10.0, seed))
        self.begun: list[str] = []
        self.ingested: Counter[tuple[str, int]] = Counter()
        self.closed: list[str] = []
        self.ticks = self.refused = 0

    async def start(self, instance: str, payload: dict[str, object]) -> None:
        """Start a window as the durable client does: one that runs already is success, one that ended begins anew."""
        self.refused += self.tasks.start_unless_alive("ingest_window", instance, payload) is not None

    def tick(self, starters: int = 1) -> None:
        """Let the timers of so many hosts fire at once, each by its own clock; some start late what they claimed."""
        self.ticks += starters
        clocks = [self.tasks.now + self.rolled.choice(SKEWS) for _ in range(starters)]
        if starters == 1:
            found = [self.claimed(clocks[0])]
        else:
            with ThreadPoolExecutor(starters) as pool:
                found = list(pool.map(self.claimed, clocks))
        for rows in filter(None, found):
            self.tasks.at(
                self.tasks.seconds + self.rolled.choice(SLOWNESS),
                lambda rows=rows: asyncio.run(start_windows(rows, self)),
            )

    def claimed(self, now: datetime) -> list[WindowRow]:
        return claim_due_windows(self.ledger, self.plans, [self.schedule], now, MINUTE)

    def live(self, hours: float) -> None:
        """Fire each minute for so many hours, with every fault that a timer has, and let all that began end."""
        minutes = round(hours * 60)
        off = self.away(minutes)
        for minute in range(minutes):
            if minute not in off:
                late = self.rolled.choice((0, 0, 0, 20, 45, 200))
                crowd = STARTERS if minute % 60 == 14 else self.rolled.choice((1, 1, 1, 1, 2, 3))
                self.tasks.at(60 * minute + late, lambda crowd=crowd: self.tick(crowd))
        self.tasks.run()

    def away(self, minutes: int) -> set[int]:
        """Choose the minutes in which no timer fires: once over one window's end, once over two, once over three."""
        spans = ((self.rolled.randrange(5, 50) + 70 * (n - 1), 15 * (n + 1) + 3) for n in (1, 2, 3))
        return {minute for first, length in spans for minute in range(first, first + length) if minute < minutes - 20}

    def play(self, name: str, given: dict[str, object], now: float) -> Played:
        if name == "begin_window":
            answer = begin(self.ledger, given["window_id"], given["attempt"], self.tasks.now)
            self.begun += [given["window_id"]] if answer["proceed"] else []
            return Played(answer)
        if name == "ingest_slice":
            return self.ingest(Plan.from_wire(given["plan"]), given["slice"], now)
        if name == "close_window":
            return self.close(Plan.from_wire(given["plan"]))
        return Played({"proceed": True, "state": "open"})

    def ingest(self, plan: Plan, number: int, now: float) -> Played:
        self.ingested[plan.window.id, number] += 1
        end = (plan.slices()[number].end + plan.grace - START).total_seconds()
        return Played({"slice": number, "attempt": 1, "state": "done", "reason": ""}, seconds=max(end - now, 1.0))

    def close(self, plan: Plan) -> Played:
        def ended(row: WindowRow) -> WindowRow | None:
            return replace(row, state="closed", closed_at=self.tasks.now) if row.goes_on_as(plan.attempt) else None

        self.ledger.change(plan.window.id, ended)
        self.closed.append(plan.window.id)
        return Played({"proceed": True, "state": "closed"})
