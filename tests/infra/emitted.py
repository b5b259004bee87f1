"""Records as the workspace has them, of a good day and of bad ones: what the app's flows really tell and record.

They are sent by the app's own exporter to the stand-in of Application Insights, and read from its tables.
The only place that tests of queries take records from.
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from emulators.testing import running_service
from infra.checks.kql import Row, Tables
from shared.clients.application_insights.exporting import InsightsAccount, start_exporting
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.fake import FakeMetrics
from shared.domain.volumes.alert import RunIncident
from shared.flows.close_window import close, fail
from shared.flows.enrich import fail_run, follow_run
from shared.flows.ingest_slice import begin, ingest
from shared.flows.open_windows import start_windows
from shared.flows.pending_alerts import retry_pending_alerts
from shared.flows.redrive import redrive
from shared.flows.send_alerts import raise_alert
from shared.flows.window_signals import record_active, record_runs
from shared.signals.metrics import GAP_DURATION, TICKS, TIMERS
from shared.signals.recording import record
from tests.unit.shared.flows import spill_fakes, test_enrich, test_ingest_slice, test_measure, test_spill_housekeeping
from tests.unit.shared.flows.test_ingest_slice import NOON, played

GOOD_DAY = "good day"
CONFIGURED = {
    "feed": frozenset({"trades", "payments"}),
    "stream": frozenset({"trades", "transactions"}),
}
NEVER = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def emitted_tables(day: str = GOOD_DAY) -> Tables:
    """Give the rows of a day by the table's name; `days` are those that there are."""
    with TemporaryDirectory() as folder:
        with _exporting(Path(folder)):
            _DAYS[day]()
        return {path.stem: _rows(path) for path in Path(folder).rglob("App*.jsonl")}


def days() -> list[str]:
    return list(_DAYS)


def _rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def _exporting(folder: Path) -> Iterator[None]:
    """Send what is told and recorded in the block to a stand-in that keeps its tables in the folder."""
    logger = logging.getLogger("shared")
    level = logger.level
    logger.setLevel(logging.INFO)
    with running_service("application_insights", "--port", 0, "--admin-port", 0, "--state", folder) as addresses:
        exporting = start_exporting(InsightsAccount(addresses["connection_string"], None, "app", NEVER), CONFIGURED)
        try:
            yield
        finally:
            exporting.end()
            logger.setLevel(level)


def _good() -> None:
    """A window of payments goes from its opening to its measurement, and housekeeping finds nothing that is late."""
    _ticks()
    _quiet()


def _quiet() -> None:
    """All of a good day but the ticks of timers."""
    world = test_ingest_slice.World()
    _started(world)
    record_active([world.row], ["trades", "payments"], NOON, announced=False)
    for number in range(2):
        played(ingest(world.plan, number, world.spilling))
    world.close()
    enrichment = test_enrich.World()
    enrichment.started()
    enrichment.now += 70 * MINUTE
    enrichment.jobs.become(1, "TERMINATED", "SUCCESS")
    follow_run(enrichment.tools, enrichment.id(), 1)
    record_runs("trades", [], [], NOON, MINUTE)
    measuring = test_measure.World()
    measuring.sender.failures.append("It is away.")
    measuring.measure(0, 2000)
    measuring.measure(1, 3)
    measuring.now += 2 * MINUTE
    retry_pending_alerts(measuring.tools)
    record(GAP_DURATION, 4.0, feed="trades")
    asyncio.run(test_spill_housekeeping.House().look())


def _ticks() -> None:
    for timer in TIMERS:
        record(TICKS, 1, timer=timer)


def _started(world: test_ingest_slice.World) -> None:
    asyncio.run(start_windows([world.row], FakeOrchestrations()))
    begin(world.ledger, world.window.id, 1, NOON)


def _late_closing() -> None:
    _good()
    world = test_ingest_slice.World()
    record_active([world.row], ["trades", "payments"], world.window.end + 16 * MINUTE, announced=False)


def _ended_badly() -> None:
    """One window's trades are lost, one can't be closed, and one is stopped."""
    _good()
    world = test_ingest_slice.World("trades", history=test_ingest_slice.TRADES[:2] + test_ingest_slice.TRADES[3:])
    _started(world)
    played(close(world.plan, _a_minute_later(world)))
    world = test_ingest_slice.World()
    _started(world)
    fail(world.plan, "The history is away.", _a_minute_later(world))
    world = test_ingest_slice.World()
    _started(world)
    world.change(stop_at=NOON)
    played(close(world.plan, _a_minute_later(world)))


def _a_minute_later(world: test_ingest_slice.World):
    return replace(world.tools, clock=lambda: NOON + MINUTE)


def _dead_letters() -> None:
    """A batch's hub was deleted, and another's blob; and a message says nothing."""
    _good()
    world = spill_fakes.SpillWorld()
    world.keep(0, spill_fakes.events("a"), hub="old-trades")
    asyncio.run(world.deliver())
    world = spill_fakes.SpillWorld()
    world.spill.blobs.blobs.pop(world.keep(0, spill_fakes.events("b")).path)
    (message,) = world.spill.queue.receive()
    asyncio.run(redrive(world.tools, message.text.encode()))
    asyncio.run(redrive(world.tools, b"no message"))


def _old_spill() -> None:
    _good()
    house = test_spill_housekeeping.House()
    house.keep(0, spill_fakes.events("a"), stream="transactions")
    house.now += 11 * MINUTE
    asyncio.run(house.look())


def _no_measurement() -> None:
    """One run fails, one outlives its window and makes room, and one goes on for too long."""
    _good()
    world = test_enrich.World()
    world.claimed(0)
    fail_run(world.tools, world.id(0), 1, "No such job.")
    world = test_enrich.World()
    world.started(0)
    world.claimed(1)
    runs, row = world.runs.of_window(world.windows[0]), world.ledger.window(world.id(0))
    record_runs("trades", runs, [row], world.windows[0].end + 60 * MINUTE, 10 * MINUTE)
    world.now = world.windows[0].end + 11 * MINUTE
    world.start(1)


def _unbalanced() -> None:
    _good()
    incident = RunIncident("unbalanced", "trades", "ingestion", "run-1", NOON, "It differs.", "trades-20261122T100000Z")
    raise_alert(FakeMetrics(), FakeLogicApp(), incident, lambda: NOON, timedelta(hours=6))


_DAYS = {
    GOOD_DAY: _good,
    "timer_silent": _quiet,
    "window_not_closed": _late_closing,
    "window_ended_badly": _ended_badly,
    "no_measurement": _no_measurement,
    "unbalanced": _unbalanced,
    "spill_old": _old_spill,
    "dead_letters": _dead_letters,
}
