"""Enrichment under faults: each opening comes three times, Databricks loses answers, and runs that hang must make room.

The triggers and activities are the app's own, the ledgers Azure Tables; the task hub is played, and so is Databricks.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func

from blueprints import enrichment
from emulators.functions_host.durable.polling import Polling
from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeReference
from shared.clients.storage.runs import TableRunLedger
from shared.clients.storage.tables import TableStore
from shared.clients.storage.windows import TableLedger
from shared.domain.runs.job_state import has_ended
from shared.domain.windows.announcement import opening
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import Unavailable
from shared.flows.enrich import EnrichmentTools, Job
from shared.flows.lookups import LookupTools
from tests.replay.app import ORCHESTRATORS
from tests.replay.task_hub import START, Played, TaskHub

LENGTH = timedelta(minutes=6)
DRAIN_LIMIT = timedelta(minutes=3)
DELIVERIES = 3
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
ACTIVITIES = {
    name: getattr(enrichment, name).build().get_user_function()
    for name in ("claim_enrichment", "write_lookup", "submit_run", "poll_run", "give_up_run", "measure_run")
}
DELIVER = enrichment.start_enrichment.build().get_user_function().client_function


@dataclass(slots=True)
class LosingJobs(FakeJobs):
    """Databricks that does what it is asked and loses a share of its answers; a cancelled run ends a minute later.

    cancelled: the run of each request to cancel, of repeated ones too.
    """

    rolled: random.Random | None = None
    later: Any = None
    share: float = 0.3
    lost: int = 0
    most_at_once: int = 0

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        run_id = FakeJobs.run_now(self, job_id, token, parameters)
        self.most_at_once = max(self.most_at_once, sum(not has_ended(run) for run in self.runs.values()))
        return self._lose(run_id)

    def run(self, run_id: int) -> Any:
        return self._lose(FakeJobs.run(self, run_id))

    def cancel(self, run_id: int) -> None:
        if run_id not in self.cancelled:  # a repetition has no effect
            self.later(60, lambda: FakeJobs.become(self, run_id, "TERMINATED", "CANCELED", code="USER_CANCELED"))
        self.cancelled.append(run_id)
        self._lose(None)

    def _lose(self, answer: Any) -> Any:
        if self.rolled.random() < self.share:
            self.lost += 1
            raise Unavailable("Databricks answered 503: TEMPORARILY_UNAVAILABLE.")
        return answer


class Enriching:
    """Windows of one feed, one after the other, of whose runs each third hangs."""

    def __init__(self, tables: TableStore, seed: int, count: int) -> None:
        self.rolled, self.feed = random.Random(seed), f"enriched{seed}"
        self.ledger, self.runs = TableLedger(tables), TableRunLedger(tables)
        self.tasks = TaskHub(ORCHESTRATORS, self.play, Polling(10.0, seed))
        self.jobs = LosingJobs({"follow_window": 11}, clock=lambda: self.tasks.now, rolled=self.rolled)
        self.jobs.later = lambda seconds, do: self.tasks.at(self.tasks.seconds + seconds, do)
        self.windows = [Window(self.feed, START + n * LENGTH, START + (n + 1) * LENGTH) for n in range(1, count + 1)]
        self.seconds: list[float] = []
        self.starts: Counter[str] = Counter()
        self.tools = EnrichmentTools(
            self.ledger, self.runs, self.jobs, FakeEventHubs({"trades": 1}), LookupTools(FakeReference(self.now), {}),
            self.now, {self.feed: Job("follow_window", ())}, DRAIN_LIMIT, timedelta(days=7),
        )  # fmt: skip

    def now(self):
        return self.tasks.now

    def live(self) -> None:
        """Let every window open, be told of three times and close, and let all that began end."""
        template = PlanTemplate(LENGTH, timedelta(), timedelta(seconds=20), 1.0, 1.0, (), (STREAM,))
        for window in self.windows:
            plan = template.freeze(window, START, "", {}).as_wire()
            self.ledger.claim(WindowRow(window, "open", "timer", START, plan, opened_at=window.start))
            self.tasks.at((window.end - START).total_seconds() + 5, lambda window=window: self.close(window))
        for seconds, events in self.deliveries():
            self.tasks.at(seconds, lambda events=events: asyncio.run(self.deliver(events)))
        self.tasks.run()

    def deliveries(self) -> list[tuple[float, list[func.EventGridEvent]]]:
        """Say which events come together, and when: about when a window opens, minutes late, hours late, disordered."""
        events: dict[float, list[func.EventGridEvent]] = {}
        for window in self.windows:
            again = (self.rolled.choice((5, 5, 30, 300, 1500, 40_000)) for _ in range(DELIVERIES - 1))
            for late in (self.rolled.choice((5, 30)), *again):
                moment = (window.start - START).total_seconds() + late
                events.setdefault(moment, []).append(delivered(window))
        return [(moment, self.rolled.sample(some, len(some))) for moment, some in events.items()]

    async def deliver(self, events: list[func.EventGridEvent]) -> None:
        """Deliver some events at once."""
        await asyncio.gather(*(self.deliver_one(event) for event in events))

    async def deliver_one(self, event: func.EventGridEvent) -> None:
        began = time.perf_counter()
        await DELIVER(event, self)
        self.seconds.append(time.perf_counter() - began)

    async def start_new(self, name: str, instance_id: str, client_input: Mapping[str, Any]) -> str:
        """Start an instance as the durable client does."""
        alive = self.tasks.start_unless_alive(name, instance_id, client_input)
        if alive:
            raise Exception(f"An Orchestration instance with the status {alive} already exists.")
        self.starts[instance_id] += 1
        return instance_id

    async def get_status(self, instance_id: str) -> Any:
        """Say how an instance stands, as the durable client does."""
        found = {one.id: one.status for one in self.tasks.instances()}
        return SimpleNamespace(runtime_status=SimpleNamespace(value=found[instance_id]))

    def close(self, window: Window) -> None:
        """Close a window; its run ends a little later, unless it is one that hangs."""
        self.ledger.change(window.id, lambda row: replace(row, state="closed", closed_at=self.tasks.now))
        if window not in self.hanging:
            self.end_run(window)

    @property
    def hanging(self) -> list[Window]:
        """The windows whose runs never end by themselves; each has one after it."""
        return self.windows[1::3]

    def end_run(self, window: Window) -> None:
        """Let a window's run succeed; one that did not begin yet does so a minute after it began."""
        found = [number for number, given in self.jobs.parameters.items() if given["window_id"] == window.id]
        if not found:
            self.jobs.later(60, lambda: self.end_run(window))
        elif not has_ended(self.jobs.runs[found[0]]):
            self.jobs.become(found[0], "TERMINATED", "SUCCESS")

    def play(self, name: str, given: dict[str, Any], now: float) -> Played:
        return Played(ACTIVITIES[name](given))


def delivered(window: Window) -> func.EventGridEvent:
    """Give the event of a window's opening as the worker hands it to the trigger."""
    told = opening(window)
    return func.EventGridEvent(
        id=told.id, data=json.loads(json.dumps(dict(told.data))), topic="t", subject=told.subject,
        event_type=told.event_type, event_time=window.start, data_version="1.0",
    )  # fmt: skip
