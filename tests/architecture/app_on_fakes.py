"""An app with one feed on fakes of all that it meets, for tests that declare the feed themselves."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.clients.destination import Sender
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.sql.fake import FakeRows
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.clients.storage.pools import SharedPools
from shared.contracts import load_contract
from shared.domain.windows.plan import Plan, StreamPlan
from shared.feeds.catalogue import checked
from shared.feeds.feed import Feed
from shared.flows.close_window import close
from shared.flows.ingest_slice import SliceTools, begin, ingest
from shared.flows.open_windows import PlanFactory, claim_due_windows
from shared.flows.sources import SourceTools, fingerprint_of
from shared.settings.model import read_settings
from tests.architecture.tree import text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEAST = {
    "EVENT_HUBS__fullyQualifiedNamespace": "name.servicebus.windows.net",
    "EVENT_HUBS__credential": "managedidentity",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


class App:
    """Runs windows of ten seconds in two slices; once one is claimed its clock stands at the window's end."""

    def __init__(self, feed: Feed, folder: Path, **settings: str):
        name = feed.name.upper()
        window = {f"{name}_WINDOW_LENGTH": "00:00:10", f"{name}_SLICE_LENGTH": "00:00:05"}
        self.feed, self.now = feed, NOON - timedelta(seconds=30)
        self.ledger = FakeLedger()
        environment = LEAST | {"FEEDS": feed.name} | window | settings
        self.settings = read_settings(environment, json.loads(text("host.json")), [feed])
        streams = self.settings.feeds[feed.name].template.streams
        self.hubs = FakeEventHubs({hub: 4 for stream in streams for hub in stream.hubs})
        self.tables: dict[str, FakeRows] = {}
        pools = SharedPools(folder, FakeReference(lambda: NOON))
        self.sources = SourceTools(
            drawing=pools.drawing, venues=dict, recording=lambda replay: None, quarantine=lambda stream, attempt: None
        )

    def claim(self) -> Plan:
        """Let the timer tick, and give the plan as an orchestration is given it."""
        settings = self.settings.feeds[self.feed.name]
        templates = {self.feed.name: settings.template}
        plans = PlanFactory(templates, lambda _: fingerprint_of(self.feed, self.sources), lambda _: {})
        (row,) = claim_due_windows(self.ledger, plans, [settings.schedule], self.now, timedelta(minutes=1))
        self.now = row.window.end
        return Plan.from_wire(json.loads(json.dumps(dict(row.plan))))

    async def run(self, plan: Plan) -> str:
        """Ingest every slice and close the window; gives the state in which it ended."""
        tools = SliceTools(
            ledger=self.ledger,
            feeds=checked([self.feed]).feeds,
            sources=self.sources,
            destinations=lambda stream, *_: self._destination(stream),
            clock=lambda: self.now,
            sleep=asyncio.sleep,
        )
        begin(self.ledger, plan.window.id, plan.attempt, self.now)
        for part in plan.slices():
            await ingest(plan, part.number, tools)
        return (await close(plan, tools))["state"]

    def _destination(self, stream: StreamPlan) -> AbstractAsyncContextManager[Sender]:
        """Give the stream's hub, or the table of a stream that has none."""
        if stream.hubs:
            return self.hubs.sender(stream.hubs[0])
        return nullcontext(self.tables.setdefault(stream.name, FakeRows(load_contract(stream.contract))))

    def counts(self, plan: Plan) -> dict[str, tuple[int, int]]:
        """Give, by stream, the records read and those accepted, as the closed window says."""
        counts = self.ledger.window(plan.window.id).result["counts"]
        return {stream: (each["read"], each["accepted"]) for stream, each in counts.items()}

    def records(self, hub: str) -> list[dict]:
        """Read the records that a hub received."""
        return [json.loads(event.body) for event in self.hubs.received[hub]]
