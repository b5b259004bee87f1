"""The metrics function between a database, a Data Factory and a Logic App that all fail."""

import asyncio
import json
import random
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import azure.functions as func

from blueprints import metrics
from shared.clients.storage.windows import Ledger
from shared.domain.volumes.measurement import MeasuredTable, Measurement
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window
from shared.flows.measure import MetricsTools
from shared.flows.pending_alerts import retry_pending_alerts
from tests.integration.alert_sender.peer import Behaviour, answers
from tests.integration.metrics_client.conftest import NOON, SqlWorld
from tests.integration.metrics_client.odbc_standin import refusal

TABLES = {key: MeasuredTable(key, "Trades", "trades", 1000, "ingestion") for key in ("trades", "orders")}
POSTS = 3
"""How often a Data Factory's activity posts a run in all."""

SQL_FAULTS = (40613, 40197, 10928)
POINTS = ("SELECT", "INSERT", "UPDATE", "BEFORE COMMIT", "AFTER COMMIT")
SENT = answers(200, body=b'{"status": "sent"}')
POST = metrics.post_metrics.build().get_user_function()


def behaviours(rolled: random.Random, count: int) -> list[Behaviour]:
    """Give what a Logic App does that sends its mail and loses some of its answers, and then none any more."""
    failing = [answers(500), answers(502), lambda connection: None]
    return [*(rolled.choice([SENT, SENT, *failing]) for _ in range(count)), SENT]


class Measuring:
    """Posts runs of two tables, window by window, each table's volume jumping up and down."""

    def __init__(self, world: SqlWorld, sender: object, ledger: Ledger, rolled: random.Random) -> None:
        self.world, self.rolled, self.ledger = world, rolled, ledger
        self.now = NOON
        self.tools = MetricsTools(TABLES, ledger, world.metrics, sender, self.clock, quiet=timedelta(0))
        self.answers: list[func.HttpResponse] = []
        self.slowest, self.broken = 0.0, 0

    def recorded(self, table: str, most: int) -> list[Measurement]:
        return self.world.metrics.last(table, most)

    @property
    def statements(self) -> list[str]:
        return self.world.odbc.statements

    def clock(self) -> datetime:
        return self.now

    @property
    def services(self) -> SimpleNamespace:
        return SimpleNamespace(metrics_tools=self.tools)

    async def measure(self, number: int) -> None:
        """Post the runs of one window, as a Data Factory does that hears nothing, while the database fails."""
        start = NOON + number * timedelta(hours=1)
        self.now = max(self.now, start + timedelta(hours=1))
        window = Window("trades", start, start + timedelta(hours=1))
        self.ledger.claim(WindowRow(window, "closed", "timer", start, {}))
        self.world.add(window.id, 1000 if number < 6 or number % 2 else 10)
        posts = [(table, window) for table in TABLES for _ in range(POSTS)]
        for some in (posts[:2], posts[2:3], posts[3:]):
            self.break_database()
            await asyncio.gather(*(self.post(table, window) for table, window in some))
            self.broken += sum(not left for left in self.world.odbc.faults.values())
        await asyncio.gather(*(self.post(table, window) for table in TABLES))

    def break_database(self) -> None:
        """Let the next one or two statements of some kind, or commits, fail."""
        errors = [refusal(self.rolled.choice(SQL_FAULTS)) for _ in range(self.rolled.choice((1, 2)))]
        self.world.odbc.faults = {self.rolled.choice(POINTS): errors}

    async def post(self, table: str, window: Window) -> None:
        body = {"table": table, "run_id": f"run-{window.id}", "ingestion_time": window.end.isoformat()}
        await self.send({**body, "window": window.id})

    async def send(self, body: dict[str, object]) -> func.HttpResponse:
        """Post a body and keep the answer."""
        headers, text = {"Content-Type": "application/json"}, json.dumps(body).encode()
        began = time.monotonic()
        answer = await POST(func.HttpRequest("POST", "/api/metrics", headers=headers, body=text))
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers.append(answer)
        return answer

    def send_pending(self) -> None:
        """Let the timer tick each minute until no alert is pending."""
        while self.world.metrics.outstanding():
            self.now += timedelta(minutes=1)
            retry_pending_alerts(self.tools)
