"""Records as the workspace has them, of a good day and of bad ones; the lines are those that the app's flows tell.

The only place that tests of queries take records from.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from infra.checks.kql import Row, Tables
from shared.clients.durable.fake import FakeOrchestrations
from shared.flows.close_window import close, fail
from shared.flows.enrich import fail_run
from shared.flows.ingest_slice import begin
from shared.flows.open_windows import start_windows
from shared.flows.redrive import redrive
from tests.infra import metrics_by_hand
from tests.unit.shared.flows import spill_fakes, test_enrich, test_ingest_slice
from tests.unit.shared.flows.test_ingest_slice import played

GOOD_DAY = "good day"
_FIELD = re.compile(r" (?=[a-z_]+=)")
_SEVERITY = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}


def emitted_tables(day: str = GOOD_DAY) -> Tables:
    """Give the rows of a day by the table's name; `days` are those that there are."""
    with _lines() as kept:
        _DAYS[day]()
    return {"AppTraces": kept.lines, "AppExceptions": kept.faults, "AppMetrics": metrics_by_hand.of(day)}


def days() -> list[str]:
    return list(_DAYS)


class _Kept(logging.Handler):
    """Keeps each line as a row of AppTraces, and one with a fault as one of AppExceptions, as the exporter sends them.

    Its fields are read out of its text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Row] = []
        self.faults: list[Row] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        event, *fields = _FIELD.split(text)
        properties = {"event": event} | dict(field.split("=", 1) for field in fields)
        at = metrics_by_hand.AT - timedelta(minutes=1) + timedelta(milliseconds=len(self.lines))
        row = {"TimeGenerated": at.isoformat(), "SeverityLevel": _SEVERITY[record.levelname], "Properties": properties}
        if record.exc_info:
            self.faults.append(row | {"OuterMessage": text})
        else:
            self.lines.append(row | {"Message": text})


@contextmanager
def _lines() -> Iterator[_Kept]:
    """Keep what the app tells in the block."""
    logger, handler = logging.getLogger("shared"), _Kept()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _good() -> None:
    """A window of payments is ingested and closed, and its run begins."""
    world = test_ingest_slice.World()
    _started(world)
    for number in range(2):
        world.ingest(number)
    world.close()
    test_enrich.World().started()


def _started(world: test_ingest_slice.World) -> None:
    asyncio.run(start_windows([world.row], FakeOrchestrations()))
    begin(world.ledger, world.window.id, 1, test_ingest_slice.NOON)


def _ended_badly() -> None:
    """One window's trades are lost, one can't be closed, and one is stopped."""
    world = test_ingest_slice.World("trades", history=test_ingest_slice.TRADES[:2] + test_ingest_slice.TRADES[3:])
    _started(world)
    played(close(world.plan, _a_minute_later(world)))
    world = test_ingest_slice.World()
    _started(world)
    fail(world.plan, "The history is away.", _a_minute_later(world))
    world = test_ingest_slice.World()
    _started(world)
    world.change(stop_at=test_ingest_slice.NOON)
    played(close(world.plan, _a_minute_later(world)))


def _a_minute_later(world: test_ingest_slice.World) -> object:
    return replace(world.tools, clock=lambda: test_ingest_slice.NOON + timedelta(minutes=1))


def _dead_letters() -> None:
    """A batch's hub was deleted, and another's blob; and a message says nothing."""
    world = spill_fakes.SpillWorld()
    world.keep(0, spill_fakes.events("a"), hub="old-trades")
    asyncio.run(world.deliver())
    world = spill_fakes.SpillWorld()
    world.spill.blobs.blobs.pop(world.keep(0, spill_fakes.events("b")).path)
    (message,) = world.spill.queue.receive()
    asyncio.run(redrive(world.tools, message.text.encode()))
    asyncio.run(redrive(world.tools, b"no message"))


def _no_measurement() -> None:
    """One run fails, and another outlives its window and makes room."""
    world = test_enrich.World()
    world.claimed(0)
    fail_run(world.tools, world.id(0), 1, "No such job.")
    world = test_enrich.World()
    world.started(0)
    world.claimed(1)
    world.now = world.windows[0].end + timedelta(minutes=11)
    world.start(1)


_DAYS = {
    GOOD_DAY: _good,
    "timer_silent": _good,
    "window_not_closed": _good,
    "window_ended_badly": _ended_badly,
    "no_measurement": _no_measurement,
    "unbalanced": _good,
    "spill_old": _good,
    "dead_letters": _dead_letters,
}
