"""One try at a slice of drawn payments, as the activity does it, in a process that may be killed at any moment."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msal_extensions  # noqa: F401 - as pandas
import numpy.random  # noqa: F401 - as pandas
import pandas as pd  # noqa: F401 - each process would import it by itself when it first draws, which takes a second
from azure.data.tables import TableServiceClient

from shared.clients.event_hubs.hubs import AzureEventHubs, HubConnection
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.storage.fake import FakeReference
from shared.clients.storage.pools import SharedPools
from shared.clients.storage.tables import Tables
from shared.clients.storage.windows import TableLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan, StreamPlan
from shared.domain.windows.window import Window, microseconds
from shared.feeds.catalogue import FEEDS, checked
from shared.feeds.feed import Position
from shared.flows.ingest_slice import SliceTools, ingest
from shared.flows.sources import SourceTools, fingerprint_of

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
SLICE = timedelta(seconds=10)
RATE, SPEED = 60.0, 8.0
"""Records a second of the window, and how much faster they come: a slice is 600 of them in 1.3 seconds."""

HUB = "transactions"
CATALOGUE = checked(FEEDS).feeds


@dataclass(frozen=True)
class Place:
    """Where a slice finds its world: the storage's connection string, a hub, who the app is, a folder for the pools."""

    storage: str
    connection: HubConnection
    login: ServicePrincipal
    folder: Path

    @property
    def sources(self) -> SourceTools:
        pools = SharedPools(self.folder, FakeReference(lambda: TEN))
        return SourceTools(
            drawing=pools.drawing, venues=dict, recording=lambda replay: None, quarantine=lambda stream, attempt: None
        )

    def plan(self, slices: int) -> Plan:
        """Give the plan of a past window of so many slices."""
        stream = StreamPlan("transactions", (HUB,), "transactions/1", "row", "identity", 0)
        return Plan(
            Window("payments", TEN, TEN + slices * SLICE), SLICE, timedelta(), timedelta(), past=True, rate=RATE,
            speed=SPEED, sources=(), fingerprint=fingerprint_of(CATALOGUE["payments"], self.sources), streams=(stream,),
        )  # fmt: skip

    def claim(self, plan: Plan) -> None:
        """Put the window into the ledger, open."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            ledger = TableLedger(Tables(lambda: service))
            ledger.claim(WindowRow(plan.window, "open", "request", TEN, plan.as_wire(), opened_at=TEN))

    def records(self, plan: Plan) -> Iterator[tuple[str, list[bytes]]]:
        """Give the records of every slice by its name, drawn apart from any slice."""
        feed = CATALOGUE["payments"]
        drawing = self.sources.drawing(feed.name, feed.source)
        for part in plan.slices():
            count = plan.records(part)
            at = Position(part.window_id, part.number, 0, count, microseconds(part.start), plan.rate, plan.options)
            yield f"{part.window_id}/{part.number}", drawing.draw(at)["transactions"].lines.to_pylist()


def ingest_once(place: Place, wire: dict[str, object], number: int) -> None:
    """Ingest a slice, as its activity does; an outcome other than done is an error."""
    hubs = AzureEventHubs(place.connection, make_identity(place.login))
    with TableServiceClient.from_connection_string(place.storage) as service:
        tools = SliceTools(
            ledger=TableLedger(Tables(lambda: service)),
            feeds=CATALOGUE,
            sources=place.sources,
            destinations=lambda stream, *_: hubs.sender(stream.hubs[0]),
            clock=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
        )
        answer = asyncio.run(ingest(Plan.from_wire(wire), number, tools))
    assert answer["state"] == "done", answer
