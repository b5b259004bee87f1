"""What the end of an enrichment measures, and which alerts it raises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.fake import FakeCounts, FakeMetrics
from shared.clients.storage.fake import FakeLedger, FakeRunLedger
from shared.domain.runs.run import RunRow
from shared.domain.volumes.measurement import MeasuredTable
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, Unavailable
from shared.flows.measure import MetricsTools
from shared.flows.report_runs import ReportTools, alert_of_dead_spill, alert_of_lost_window, report_run

NOON = datetime(2026, 11, 22, 12, 0, 7, 654_321, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRADES = MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")


class World:
    """The flow's collaborators, as fakes, with one window of a stream and its runs."""

    def __init__(self, *streams, tables=(TRADES,)):
        start = NOON.replace(second=0, microsecond=0) - HOUR
        self.window = Window("trades", start, start + HOUR)
        self.streams = streams or ("trades",)
        plans = tuple(StreamPlan(one, (one,), f"{one}/1", "row", "identity", 2) for one in self.streams)
        plan = PlanTemplate(HOUR, timedelta(), timedelta(), 0, 1, (), plans).freeze(self.window, NOON, "", {})
        self.metrics, self.sender, self.runs = (
            FakeMetrics({table.table: {} for table in tables}),
            FakeLogicApp(),
            FakeRunLedger(),
        )
        self.counts, ledger = FakeCounts(), FakeLedger()
        ledger.claim(WindowRow(self.window, "closed", "timer", NOON, plan.as_wire()))
        measured = {table.key: table for table in tables}
        metrics = MetricsTools(measured, ledger, self.metrics, self.sender, lambda: NOON, timedelta(hours=6))
        self.tools = ReportTools(metrics, self.runs, self.counts, timedelta(minutes=10))

    def ended(self, state, number=1, **more):
        row = RunRow(self.window, number, "follow", state, NOON, NOON, run_id=40 + number)
        self.runs.claim(replace(row, **more))

    def holds(self, rows, *, verdict="balanced", **differences):
        self.metrics.tables["Trades"][self.window.id] = rows
        found = {f"difference/{name}": missing for name, missing in differences.items()}
        self.counts.windows[self.window.id] = {
            stream: {f"reconciliation/{verdict}": 0, **(found if stream == "trades" else {})} for stream in self.streams
        }

    def report(self, number=1):
        return report_run(self.tools, self.window.id, number)


@pytest.fixture
def world():
    return World()


def test_the_end_of_a_run_is_measured_for_its_window(world):
    world.ended("succeeded")
    world.holds(2000)

    done = world.report()

    (measured,) = done["measurements"]
    assert (measured["run_id"], measured["window"], measured["rows_count_delta"]) == ("41", world.window.id, 2000)
    assert (measured["verdict"], measured["alert"], done["reconciliation"]) == ("first", "none", "balanced")


def test_each_stream_of_a_window_is_measured_once_by_the_first_table_that_names_it():
    again = MeasuredTable("again", "Trades", "trades", 1000, "ingestion")
    stars = MeasuredTable("stars", "Stars", "stars", 1, "ingestion")
    world = World("trades", "stars", "pageviews", tables=(TRADES, again, stars))
    world.metrics.tables["Stars"][world.window.id] = 7
    world.ended("succeeded")
    world.holds(2000)

    done = world.report()

    assert [(one["table"], one["rows_count_delta"]) for one in done["measurements"]] == [("trades", 2000), ("stars", 7)]


def test_an_activity_that_is_carried_out_again_records_and_sends_nothing_more(world):
    world.ended("succeeded")
    world.holds(5)

    (first,), (second,) = (world.report()["measurements"] for _ in range(2))

    assert (first["status"], second["status"], second["alert"]) == ("recorded", "repeated", "sent")
    assert (len(world.metrics.measurements), len(world.sender.tries)) == (1, 1)


def test_a_run_that_failed_raises_an_alert_in_databricks_words_and_not_measured(world):
    world.ended("failed", message="TERMINATED FAILED (CLIENT_ERROR, RUN_EXECUTION_ERROR)")

    assert world.report() == {"alert": "sent"}

    (alert,) = world.sender.sent.values()
    assert (alert.id, alert.kind) == ("trades:41:run_failed", "run_failed")
    assert "RUN_EXECUTION_ERROR" in alert.body["message"]
    assert world.metrics.measurements == []


def test_a_run_that_databricks_never_took_is_named_by_its_instance(world):
    world.ended("failed", run_id=0, message="Databricks has 0 jobs named 'trades'.")

    world.report()

    assert list(world.sender.sent) == [f"trades:enrich-{world.window.id}:run_failed"]


def test_a_window_that_failed_is_alerted_of_with_its_reason_in_the_name_of_its_table(world):
    row = replace(world.tools.metrics.ledger.window(world.window.id), state="failed", reason="No such secret.")

    alert_of_lost_window(world.tools, row)

    (alert,) = world.sender.sent.values()
    assert (alert.id, alert.kind) == (f"trades:{row.instance}:window_lost", "window_lost")
    assert alert.body["message"] == (f"Window {world.window.id} was not ingested: it ended as failed. No such secret.")


def test_a_window_that_was_missed_and_has_no_plan_is_alerted_of_in_the_name_of_its_feed(world):
    row = WindowRow(Window("shop", NOON, NOON + HOUR), "missed", "timer", NOON, reason="It ended long ago.")

    alert_of_lost_window(world.tools, row)

    (alert,) = world.sender.sent.values()
    assert (alert.table, alert.name) == ("shop", "ingestion")


def test_a_person_is_told_of_a_windows_records_that_can_not_be_delivered(world):
    row = world.tools.metrics.ledger.window(world.window.id)

    alert_of_dead_spill(world.tools, row, "500 records in 2 batches are dead.")

    (alert,) = world.sender.sent.values()
    assert (alert.id, alert.kind) == (f"trades:{row.instance}:spill_dead", "spill_dead")
    assert f"window {world.window.id}" in alert.body["message"]
    assert alert.body["message"].endswith("500 records in 2 batches are dead.")


def test_without_a_database_the_log_says_that_a_window_is_lost(world, caplog):
    alert_of_lost_window(None, world.tools.metrics.ledger.window(world.window.id))

    assert any("SQL__url" in record.message and record.levelname == "ERROR" for record in caplog.records)


def test_a_run_that_made_room_is_measured_and_what_it_left_undone_raises_no_alert(world):
    world.ended("superseded")
    world.holds(3, trades=997, verdict="unbalanced")

    (measured,) = world.report()["measurements"]

    assert (measured["status"], measured["alert"], measured["verdict"]) == ("recorded", "none", "low")
    assert world.sender.tries == []


@pytest.mark.parametrize(
    ("after", "alerts"),
    [(timedelta(minutes=10), []), (timedelta(minutes=11), ["unbalanced"])],
)
def test_a_window_that_waits_for_its_spill_is_alerted_of_once_that_takes_longer_than_the_drain_limit(after, alerts):
    world = World()
    now = world.window.end + after
    world.tools = replace(world.tools, metrics=replace(world.tools.metrics, clock=lambda: now))
    world.ended("succeeded", mode="rerun")
    world.holds(2000, verdict="waiting")
    world.counts.windows[world.window.id]["trades"]["spill/waiting"] = 12

    done = world.report()

    assert done["reconciliation"] == "waiting"
    assert [alert.kind for alert in world.sender.sent.values()] == alerts
    assert all(
        "trades: 12 records wait in the spill: GET /api/spill" in alert.body["message"]
        for alert in world.sender.sent.values()
    )


def test_the_alert_of_a_volume_that_is_low_names_what_waits_in_the_spill(world):
    world.ended("succeeded")
    world.holds(5, verdict="waiting")
    world.metrics.waiting[world.window.id] = 995

    (measured,) = world.report()["measurements"]

    (alert,) = world.sender.sent.values()
    sentence = "995 rows of it still wait in the spill."
    assert alert.body["message"].endswith(sentence)
    assert sentence in measured["message"]


def test_a_good_volume_is_no_recovery_while_records_wait_in_the_spill(world):
    world.ended("succeeded", 1)
    world.holds(5)
    world.report(1)
    world.ended("succeeded", 2)
    world.holds(2000, verdict="waiting")
    world.metrics.waiting[world.window.id] = 100

    (waiting,) = world.report(2)["measurements"]
    world.ended("succeeded", 3)
    world.metrics.waiting.clear()
    (drained,) = world.report(3)["measurements"]

    assert (waiting["verdict"], waiting["alert"]) == ("normal", "none")
    assert (drained["verdict"], drained["alert"]) == ("normal", "sent")


def test_a_window_that_does_not_balance_raises_an_alert_with_its_differences_and_is_no_recovery(world):
    world.ended("succeeded", 1)
    world.holds(5)
    world.report(1)
    world.ended("succeeded", 2)
    world.holds(2000, verdict="unbalanced", **{"trades_enriched = Trades": 3})

    done = world.report(2)

    (measured,) = done["measurements"]
    assert (measured["verdict"], measured["alert"], done["reconciliation"]) == ("normal", "none", "unbalanced")
    assert [alert.kind for alert in world.sender.sent.values()] == ["alert", "unbalanced"]
    assert "trades: trades_enriched = Trades by 3" in list(world.sender.sent.values())[-1].body["message"]


def test_of_a_stream_whose_table_nobody_measures_failures_raise_alerts_all_the_same():
    world = World("transactions")
    world.ended("failed", message="INTERNAL_ERROR")

    world.report()

    (alert,) = world.sender.sent.values()
    assert (alert.table, alert.name) == ("transactions", "ingestion")


def test_of_a_stream_whose_table_nobody_measures_a_good_end_is_nothing_to_record():
    world = World("transactions")
    world.ended("succeeded")
    world.holds(0)

    assert world.report() == {"measurements": [], "reconciliation": "balanced"}
    assert world.sender.tries == []


def test_a_run_that_gave_up_is_a_failure_that_a_person_is_told_of(world):
    words = "gave up at 2026-11-22T11:10:00+00:00: nobody marked the end of the window"
    world.ended("failed", message=f"TERMINATED FAILED (RUN_EXECUTION_ERROR, CLIENT_ERROR): Task failed: {words}")

    assert world.report() == {"alert": "sent"}

    (alert,) = world.sender.sent.values()
    assert (alert.kind, alert.name) == ("run_failed", "ingestion")
    assert words in alert.body["message"]
    assert world.metrics.measurements == []


@pytest.mark.parametrize(
    ("counts", "faults"),
    [
        ({}, "trades: it was not reconciled; stars: it was not reconciled"),
        ({"trades": {"reconciliation/balanced": 0}}, "stars: it was not reconciled"),
        ({"trades": {"gold/trades_enriched": 2000}, "stars": {"reconciliation/balanced": 0}}, "trades: it was not"),
    ],
)
def test_a_stream_that_nobody_reconciled_is_told_of_and_its_volume_is_no_recovery(counts, faults):
    world = World("trades", "stars")
    world.ended("succeeded", 1)
    world.holds(5)
    world.report(1)
    world.ended("succeeded", 2)
    world.holds(2000)
    world.counts.windows[world.window.id] = counts

    done = world.report(2)

    (measured,) = done["measurements"]
    assert (measured["verdict"], measured["alert"]) == ("normal", "none")
    assert [alert.kind for alert in world.sender.sent.values()] == ["alert", "unbalanced"]
    assert faults in list(world.sender.sent.values())[-1].body["message"]


def test_a_stream_that_goes_to_no_hub_is_not_reconciled_by_the_lakehouse():
    world = World()
    row = world.tools.metrics.ledger.window(world.window.id)
    in_files = dict(row.plan["streams"][0], name="orders", hub="", contract="orders/1", destination="lake_ndjson")
    plan = {**row.plan, "streams": [*row.plan["streams"], in_files]}
    world.tools.metrics.ledger.change(world.window.id, lambda row: replace(row, plan=plan))
    world.ended("succeeded")
    world.holds(2000)

    assert world.report()["reconciliation"] == "balanced"
    assert world.sender.tries == []


def test_a_database_that_is_down_is_an_error_to_retry(world):
    world.ended("succeeded")
    world.metrics.failure = Unavailable("SQL is down.")
    world.holds(2000)

    with pytest.raises(Unavailable):
        world.report()


def test_a_run_that_is_not_in_the_ledger_is_an_error_that_names_it(world):
    with pytest.raises(CorruptRow, match=f"Run 3 of window {world.window.id}"):
        world.report(3)
