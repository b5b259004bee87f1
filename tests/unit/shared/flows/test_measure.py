import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.logic_app import alert_sender as logic_app
from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql import metrics
from shared.clients.sql.fake import FakeMetrics
from shared.clients.storage.fake import FakeLedger
from shared.domain.volumes.measurement import MeasuredTable, MeasureRequest
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window
from shared.errors import RequestRejected, Unavailable
from shared.flows.measure import MOST_LISTED, MetricsTools, list_measurements, measure
from shared.flows.send_alerts import retry_alerts
from tests.hostile_tables import HOSTILE_TABLES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TRADES = MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")
MOST_OF_THE_LEDGER = 4 * 15.0 + 4.0  # four tries at a table, each with its time to connect and to read
DATA_FACTORY_WAITS = 230.0


class World:
    """The flow's collaborators, as fakes; each call is a minute later than the one before."""

    def __init__(self):
        self.metrics, self.sender, self.now = FakeMetrics({"Trades": {}}), FakeLogicApp(), NOON
        self.ledger = FakeLedger()
        quiet = timedelta(hours=6)
        self.tools = MetricsTools({"trades": TRADES}, self.ledger, self.metrics, self.sender, lambda: self.now, quiet)

    def request(self, number, rows=None):
        window = Window("trades", NOON + number * MINUTE, NOON + (number + 1) * MINUTE)
        self.ledger.claim(WindowRow(window, "closed", "timer", NOON, {}))
        if rows is not None:
            self.metrics.tables["Trades"][window.id] = rows
        return MeasureRequest("trades", f"r{number}", window.end, window.id)

    def measure(self, number, rows=None, **wishes):
        self.now += MINUTE
        return measure(self.tools, self.request(number, rows), **wishes)


@pytest.fixture
def world():
    return World()


def refusal(work):
    with pytest.raises(RequestRejected) as caught:
        work()
    return caught.value.reason, caught.value.field


def test_a_window_is_measured_and_the_answer_says_how_and_why(world):
    answer = world.measure(0, 2000)

    assert answer == {
        "status": "recorded",
        "table": "trades",
        "run_id": "r0",
        "window": "trades-20261122T120000Z",
        "rows_count_delta": 2000,
        "all_ingested_rows": 2000,
        "limits": {"floor": 1000, "low": None, "high": None, "median": None, "based_on": 0},
        "verdict": "first",
        "alert": "none",
        "message": "2,000 rows in window trades-20261122T120000Z, 2,000 in all: first.",
    }
    assert json.loads(json.dumps(answer)) == answer


def test_too_small_a_window_raises_an_alert_at_once(world):
    answer = world.measure(0, 5)

    assert (answer["verdict"], answer["alert"]) == ("low", "sent")
    assert list(world.sender.sent) == ["trades:r0:alert"]
    assert world.metrics.last("trades", 1)[0].alert == "sent"


def test_the_same_run_again_is_answered_as_before_and_sends_nothing(world):
    first = world.measure(0, 5)

    again = [world.measure(0, 9000) for _ in range(3)]

    assert again == [first | {"status": "repeated"}] * 3
    assert world.sender.tries == ["trades:r0:alert"]


def test_the_same_run_with_another_body_is_a_conflict(world):
    world.measure(0, 2000)
    request = world.request(0)

    for other in (
        replace(request, window_id=None),
        replace(request, window_id=world.request(1).window_id),
        replace(request, ingestion_time=request.ingestion_time + MINUTE),
    ):
        assert refusal(lambda other=other: measure(world.tools, other)) == ("conflict", "run_id")


@pytest.mark.parametrize("commit", ["fails", "unanswered"])
def test_a_commit_that_has_to_be_tried_again_records_once_and_sends_once(world, commit):
    world.metrics.commits = [commit]

    answer = world.measure(0, 5)

    assert (answer["status"], answer["alert"]) == ("recorded", "sent")
    assert len(world.metrics.measurements) == 1
    assert world.sender.tries == ["trades:r0:alert"]


def test_an_alert_that_does_not_get_through_is_pending_and_goes_later(world):
    world.sender.failures = ["500"]

    answer = world.measure(0, 5)
    world.now += 5 * MINUTE
    retry_alerts(world.metrics, world.sender, lambda: world.now)

    assert answer["alert"] == "pending"
    assert "tried again" in answer["message"]
    assert world.measure(0)["alert"] == "sent"
    assert world.sender.tries == ["trades:r0:alert"] * 2


def test_the_same_verdict_raises_no_alert_in_the_quiet_period(world):
    world.measure(0, 5)

    answer = world.measure(1, 6)

    assert (answer["verdict"], answer["alert"]) == ("low", "suppressed")
    assert list(world.sender.sent) == ["trades:r0:alert"]


def test_the_first_normal_run_after_an_alert_sends_a_recovery(world):
    for number, rows in enumerate([2000, 5, 2000, 2000]):
        world.measure(number, rows)

    assert list(world.sender.sent) == ["trades:r1:alert", "trades:r2:recovery"]


def test_a_good_volume_of_a_run_with_an_incident_is_no_recovery(world):
    world.measure(0, 5)

    assert world.measure(1, 2000, healthy=False)["alert"] == "none"


def test_from_five_good_runs_on_a_person_sees_the_limits_that_were_broken(world):
    for number in range(5):
        world.measure(number, 4000)

    answer = world.measure(5, 20_000)

    assert (answer["verdict"], answer["alert"]) == ("high", "sent")
    assert answer["limits"] == {"floor": 1000, "low": 2000.0, "high": 12_000.0, "median": 4000.0, "based_on": 5}


def test_without_a_window_a_table_that_shrank_is_reported_as_such(world):
    world.metrics.tables["Trades"] = {"a": 5000}
    measure(world.tools, MeasureRequest("trades", "r1", NOON))
    world.metrics.tables["Trades"] = {"a": 3000}

    answer = measure(world.tools, MeasureRequest("trades", "r2", NOON))

    assert (answer["rows_count_delta"], answer["verdict"], answer["alert"]) == (-2000, "negative", "sent")
    assert answer["message"].startswith("-2,000 rows since the measurement before, 3,000 in all: negative.")


def test_a_first_run_on_an_empty_table_is_low(world):
    answer = measure(world.tools, MeasureRequest("trades", "r1", NOON))

    assert (answer["rows_count_delta"], answer["verdict"]) == (0, "low")


def test_without_a_recipient_the_answer_says_which_setting_is_missing(world):
    world.sender.names = ()

    answer = world.measure(0, 5)

    assert answer["alert"] == "none"
    assert "ALERT_INGESTION_URL is not set" in answer["message"]
    assert world.metrics.due(world.now) == []


@pytest.mark.parametrize("key", [*HOSTILE_TABLES, "Trades", "TRADES"])
def test_an_unknown_table_is_refused_before_the_database_is_asked(world, key):
    world.metrics.failure = AssertionError("the database was asked")

    assert refusal(lambda: measure(world.tools, MeasureRequest(key, "r1", NOON))) == ("invalid", "table")
    assert refusal(lambda: list_measurements(world.tools, key)) == ("invalid", "table")


@pytest.mark.parametrize("window_id", ["trades-20261122T090000Z", "nonsense"])
def test_an_unknown_window_is_refused_before_the_database_is_asked(world, window_id):
    world.metrics.failure = AssertionError("the database was asked")

    request = MeasureRequest("trades", "r1", NOON, window_id)

    assert refusal(lambda: measure(world.tools, request)) == ("unknown", "window")


def test_without_a_table_there_is_nothing_to_list(world):
    assert refusal(lambda: list_measurements(world.tools, None)) == ("invalid", "table")


def test_a_database_that_is_down_is_unavailable(world):
    world.metrics.failure = Unavailable("down")

    with pytest.raises(Unavailable, match="down"):
        world.measure(0, 5)

    assert world.sender.tries == []


def test_a_table_that_is_missing_is_named(world):
    world.metrics.tables.clear()

    with pytest.raises(Unavailable, match="Trades"):
        measure(world.tools, MeasureRequest("trades", "r1", NOON))


def test_the_last_fifty_measurements_are_listed_newest_first(world):
    for number in range(MOST_LISTED + 2):
        world.measure(number, 2000)

    listed = list_measurements(world.tools, "trades")

    assert listed["table"] == "trades"
    assert [one["run_id"] for one in listed["measurements"]] == [f"r{number}" for number in range(51, 1, -1)]
    assert listed["measurements"][0] | {"limits": ...} == {
        "table": "trades",
        "run_id": "r51",
        "window": "trades-20261122T125100Z",
        "rows_count_delta": 2000,
        "all_ingested_rows": 104_000,
        "limits": ...,
        "verdict": "normal",
        "alert": "none",
        "ingestion_time": "2026-11-22T12:52:00Z",
        "measured_at": "2026-11-22T12:52:00Z",
    }


def test_every_wait_together_ends_well_before_data_factory_gives_up():
    alert = logic_app.SECONDS + 2 * metrics.NOTING.total

    assert MOST_OF_THE_LEDGER + metrics.COUNTING.total + alert <= 200 < DATA_FACTORY_WAITS


HOUR = timedelta(hours=1)
DAYS = 24


def hourly(volumes, floor=1000):
    """Measure hourly windows of these volumes one after the other; give the world, and the verdicts by window."""
    world = World()
    world.tools = replace(world.tools, tables={"trades": replace(TRADES, floor=floor)})
    verdicts = []
    for number, rows in enumerate(volumes):
        world.now = NOON + number * HOUR
        verdicts.append(measure(world.tools, world.request(number, rows))["verdict"])
    return world, verdicts


@given(
    factor=st.sampled_from([0.4, 4.0, 10.0]),
    noise=st.lists(st.floats(0.8, 1.2), min_size=4 * DAYS, max_size=4 * DAYS),
)
@settings(max_examples=10, deadline=None)
def test_a_lasting_change_of_the_level_gives_a_handful_of_mails_and_is_normal_then(factor, noise):
    usual = [int(10_000 * part) for part in noise[:DAYS]]
    changed = [int(10_000 * factor * part) for part in noise[DAYS:]]

    world, verdicts = hourly([*usual, *changed])

    assert verdicts[DAYS + 6 :] == ["normal"] * (3 * DAYS - 6)
    assert [alert.cause for alert in world.sender.sent.values()].count("new_level") == 1
    assert len(world.sender.sent) <= 4


@given(usual=st.integers(1_000, 100_000), floor=st.sampled_from([0, 1000]))
@settings(max_examples=5, deadline=None)
def test_a_drop_to_nothing_is_never_normal_and_is_told_again_after_each_quiet_period(usual, floor):
    world, verdicts = hourly([usual] * DAYS + [0] * DAYS, floor)

    assert verdicts[DAYS:] == ["low"] * DAYS
    assert len(world.sender.sent) == DAYS // 6


def test_a_second_outage_after_a_recovery_is_told_within_the_quiet_period_of_the_first():
    world, _ = hourly([10_000] * 6 + [0, 10_000, 0])

    assert [alert.cause for alert in world.sender.sent.values()] == ["low", "recovery", "low"]


def test_two_runs_of_one_window_are_each_measured_as_one_that_another_superseded_is():
    world = World()
    request = world.request(0, 2000)

    first = measure(world.tools, request)
    second = measure(world.tools, replace(request, run_id="r1-superseding"))

    assert [first["rows_count_delta"], second["rows_count_delta"]] == [2000, 2000]
    assert [first["verdict"], second["verdict"]] == ["first", "normal"]
