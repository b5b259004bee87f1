from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.fake import FakeMetrics
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.domain.volumes.alert import RunIncident
from shared.domain.volumes.measurement import MeasuredTable, MeasureRequest
from shared.errors import Unavailable
from shared.flows.measure import MetricsTools, measure
from shared.flows.pending_alerts import FOLDER, RememberedAlerts, retry_pending_alerts
from shared.flows.send_alerts import raise_alert

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUIET = timedelta(hours=6)
INCIDENT = RunIncident("run_failed", "trades", "ingestion", "run-1", NOON, "Out of memory.", "trades-20261122T100000Z")
TRADES = MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")


class CountedMetrics(FakeMetrics):
    """Counts how often the database is asked."""

    asked = 0

    def due(self, now):
        self.asked += 1
        return super().due(now)

    def outstanding(self):
        self.asked += 1
        return super().outstanding()


class World:
    """The flow's collaborators, as fakes, at a time that a test sets."""

    def __init__(self):
        self.now = NOON
        self.database, self.sender = CountedMetrics({"Trades": {}}), FakeLogicApp()
        self.reference = FakeReference(lambda: self.now)
        metrics = RememberedAlerts(self.database, self.reference)
        self.tools = MetricsTools({"trades": TRADES}, FakeLedger(), metrics, self.sender, lambda: self.now, quiet=QUIET)

    def fail(self):
        return raise_alert(self.tools.metrics, self.sender, INCIDENT, self.tools.clock, QUIET)

    def tick(self, **later):
        self.now += timedelta(**later)
        return retry_pending_alerts(self.tools)


@pytest.fixture
def world():
    return World()


def test_without_a_database_there_is_nothing_to_do():
    assert retry_pending_alerts(None) == {"due": 0, "sent": 0, "pending": 0}


def test_the_database_is_not_asked_while_no_alert_is_pending(world):
    for _ in range(10):
        assert world.tick(minutes=1)["due"] == 0

    assert world.database.asked == 0


def test_an_alert_that_could_not_be_sent_is_sent_when_it_is_due_and_the_database_sleeps_again(world):
    world.sender.failures = ["away"]

    assert world.fail() == "pending"
    done = [world.tick(minutes=1) for _ in range(60)]

    assert sum(each["sent"] for each in done) == 1
    assert list(world.sender.sent) == ["trades:run-1:run_failed"]
    assert world.reference.newest(FOLDER) is None
    asked = world.database.asked
    world.tick(minutes=1)
    assert world.database.asked == asked < 30


def test_the_alert_of_a_measurement_is_remembered_too(world):
    world.sender.failures = ["away"]

    measure(world.tools, MeasureRequest("trades", "r1", NOON))

    assert world.tick(minutes=1) == {"due": 1, "sent": 1, "pending": 0}


def test_an_alert_that_is_put_off_for_an_hour_is_not_forgotten(world):
    world.sender.failures = ["away"] * 12

    world.fail()
    for _ in range(600):
        world.tick(minutes=1)

    assert len(world.sender.sent) == 1


def test_an_alert_that_can_not_be_remembered_is_not_committed(world):
    world.reference.failure = Unavailable("Storage is away.")

    with pytest.raises(Unavailable):
        world.fail()

    assert world.database.alerts == {}


def test_what_is_remembered_is_kept_while_its_alert_may_still_be_committed(world):
    world.reference.write(f"{FOLDER}on-its-way", b"trades:run-2:run_failed")

    world.tick(minutes=9)
    kept = world.reference.newest(FOLDER)
    world.tick(minutes=2)

    assert kept is not None
    assert world.reference.newest(FOLDER) is None
