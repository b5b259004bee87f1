import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.fake import FakeMetrics
from shared.domain.volumes.alert import LEASE, RunIncident, decide_incident
from shared.errors import LoginRefused, SettingsError, Unavailable
from shared.flows.send_alerts import TICK, raise_alert, retry_alerts, send_alert

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
QUIET = timedelta(hours=6)
INCIDENT = RunIncident("run_failed", "trades", "ingestion", "run-1", NOW, "Out of memory.", "trades-20261122T100000Z")
ALERT_ID = "trades:run-1:run_failed"


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def move(self, **length):
        self.now += timedelta(**length)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metrics():
    return FakeMetrics()


def posted(metrics, number=1):
    incident = replace(INCIDENT, run_id=f"run-{number}")
    metrics.transact("trades", lambda tx: tx.post(decide_incident(incident, tx.past_alerts(), NOW, timedelta())))
    return f"trades:run-{number}:run_failed"


class FailingMetrics(FakeMetrics):
    """Fails where an alert was sent."""

    def settle(self, alert_id, now):
        raise Unavailable("SQL is down.")


def test_an_alert_is_sent_and_settled(metrics, clock):
    sender = FakeLogicApp()

    state = send_alert(metrics, sender, posted(metrics), clock)

    assert (state, list(sender.sent)) == ("sent", [ALERT_ID])
    assert metrics.due(NOW + timedelta(days=1)) == []


def test_an_alert_that_is_sent_is_not_sent_again(metrics, clock):
    sender, alert_id = FakeLogicApp(), posted(metrics)
    send_alert(metrics, sender, alert_id, clock)

    send_alert(metrics, sender, alert_id, clock)

    assert sender.tries == [ALERT_ID]


def test_an_alert_that_is_unknown_is_not_sent(metrics, clock):
    sender = FakeLogicApp()

    assert send_alert(metrics, sender, "trades:run-9:alert", clock) == "pending"

    assert sender.tries == []


def test_a_failed_alert_stays_pending_and_its_tries_are_ever_rarer(metrics, clock):
    sender, alert_id = FakeLogicApp(failures=["500"] * 8), posted(metrics)
    waits = []

    for _ in range(8):
        assert send_alert(metrics, sender, alert_id, clock) == "pending"
        waits.append(next(m for m in range(1, 100) if metrics.due(clock.now + timedelta(minutes=m))))
        clock.move(minutes=waits[-1])

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_two_senders_at_once_send_one_alert_once(metrics, clock):
    entered, leave = threading.Event(), threading.Event()

    class SlowLogicApp(FakeLogicApp):
        def send(self, alert):
            entered.set()
            leave.wait(10)
            FakeLogicApp.send(self, alert)

    sender, alert_id, states = SlowLogicApp(), posted(metrics), []
    first = threading.Thread(target=lambda: states.append(send_alert(metrics, sender, alert_id, clock)))
    first.start()
    entered.wait(10)
    second = send_alert(metrics, sender, alert_id, clock)
    leave.set()
    first.join()

    assert (second, states, sender.tries) == ("pending", ["sent"], [ALERT_ID])


def test_an_alert_whose_sender_died_is_sent_by_the_timer_after_its_lease(metrics, clock):
    sender, alert_id = FakeLogicApp(), posted(metrics)
    metrics.take(alert_id, NOW)

    assert retry_alerts(metrics, sender, clock) == {"due": 0, "sent": 0, "pending": 0}
    clock.now += LEASE

    assert retry_alerts(metrics, sender, clock) == {"due": 1, "sent": 1, "pending": 0}


def test_an_answer_lost_after_its_effect_makes_a_second_try_and_no_second_mail(metrics, clock):
    sender = FakeLogicApp(failures=["no answer"], loses_answers=True)
    assert send_alert(metrics, sender, posted(metrics), clock) == "pending"
    clock.move(minutes=1)

    assert retry_alerts(metrics, sender, clock) == {"due": 1, "sent": 1, "pending": 0}

    assert (sender.tries, list(sender.sent)) == ([ALERT_ID, ALERT_ID], [ALERT_ID])


def test_an_alert_that_could_not_be_settled_is_pending_until_its_repetition_is(clock):
    sender, metrics = FakeLogicApp(), FailingMetrics()
    alert_id = posted(metrics)

    assert send_alert(metrics, sender, alert_id, clock) == "pending"

    assert metrics.due(NOW) == []
    assert metrics.due(NOW + LEASE) == [alert_id]


@pytest.mark.parametrize("failure", [Unavailable("down"), LoginRefused("no"), SettingsError("none")])
def test_a_database_that_fails_leaves_the_alert_to_the_timer(metrics, clock, failure, caplog):
    sender, alert_id = FakeLogicApp(), posted(metrics)
    metrics.failure = failure

    assert send_alert(metrics, sender, alert_id, clock) == "pending"

    assert sender.tries == []
    assert "alert.outbox_failed alert=trades:run-1:run_failed" in caplog.text


def test_a_failure_is_logged_with_its_words_and_the_next_try(metrics, clock, caplog):
    send_alert(metrics, FakeLogicApp(failures=["It answered 500."]), posted(metrics), clock)

    about = "feed=trades window=trades-20261122T100000Z alert=trades:run-1:run_failed attempts=1"
    assert f"alert.put_off {about} until=2026-11-22 10:06:00" in caplog.text
    assert "cause=It answered 500." in caplog.text


def test_the_body_of_an_alert_is_not_logged(metrics, clock, caplog):
    caplog.set_level(logging.DEBUG)

    send_alert(metrics, FakeLogicApp(), posted(metrics), clock)

    assert "alert.sent feed=trades window=trades-20261122T100000Z alert=trades:run-1:run_failed" in caplog.text
    assert "memory" not in caplog.text


def test_a_tick_sends_what_is_due_and_no_more_than_its_bound(metrics, clock):
    for number in range(7):
        posted(metrics, number)
    sender = FakeLogicApp(failures=["500"])

    assert retry_alerts(metrics, sender, clock, most=5) == {"due": 7, "sent": 4, "pending": 3}
    assert retry_alerts(metrics, sender, clock, most=5) == {"due": 2, "sent": 2, "pending": 0}


def test_a_tick_ends_in_time_though_the_logic_app_is_slow(metrics, clock):
    class SlowLogicApp(FakeLogicApp):
        def send(self, alert):
            clock.now += TICK / 2
            FakeLogicApp.send(self, alert)

    for number in range(5):
        posted(metrics, number)

    assert retry_alerts(metrics, SlowLogicApp(), clock)["sent"] == 2


def test_an_alert_for_a_name_that_is_no_longer_set_waits_for_it(metrics, clock):
    alert_id = posted(metrics)

    assert send_alert(metrics, FakeLogicApp(names=()), alert_id, clock) == "pending"
    clock.move(minutes=1)

    assert send_alert(metrics, FakeLogicApp(), alert_id, clock) == "sent"


def test_an_incident_of_a_run_raises_one_alert(metrics, clock):
    sender = FakeLogicApp()

    states = [raise_alert(metrics, sender, INCIDENT, clock, QUIET) for _ in range(3)]

    assert (states, sender.tries) == (["sent", "suppressed", "suppressed"], [ALERT_ID])
    assert sender.sent[ALERT_ID].body["kind"] == "run_failed"


@pytest.mark.parametrize("commit", ["fails", "unanswered"])
def test_an_incident_whose_commit_has_to_be_tried_again_raises_one_alert(metrics, clock, commit):
    sender, metrics.commits = FakeLogicApp(), [commit]

    assert raise_alert(metrics, sender, INCIDENT, clock, QUIET) == "sent"

    assert sender.tries == [ALERT_ID]


def test_the_same_incident_of_another_run_raises_an_alert_after_the_quiet_period(metrics, clock):
    sender, other = FakeLogicApp(), replace(INCIDENT, run_id="run-2")
    raise_alert(metrics, sender, INCIDENT, clock, QUIET)

    assert raise_alert(metrics, sender, other, clock, QUIET) == "suppressed"
    clock.now += QUIET

    assert raise_alert(metrics, sender, other, clock, QUIET) == "sent"


def test_both_incidents_of_a_run_raise_alerts(metrics, clock):
    sender = FakeLogicApp()

    for kind in ("run_failed", "unbalanced"):
        assert raise_alert(metrics, sender, replace(INCIDENT, kind=kind), clock, QUIET) == "sent"

    assert list(sender.sent) == ["trades:run-1:run_failed", "trades:run-1:unbalanced"]


def test_an_alert_of_an_incident_that_can_not_be_sent_now_is_sent_by_the_timer(metrics, clock):
    sender = FakeLogicApp(failures=["500"])
    assert raise_alert(metrics, sender, INCIDENT, clock, QUIET) == "pending"
    clock.move(minutes=1)

    assert retry_alerts(metrics, sender, clock)["sent"] == 1


def test_an_incident_without_a_recipient_is_logged(metrics, clock, caplog):
    assert raise_alert(metrics, FakeLogicApp(names=()), INCIDENT, clock, QUIET) == "none"

    assert (
        "alert.no_recipient feed=trades window=trades-20261122T100000Z table=trades kind=run_failed name=ingestion"
        in caplog.text
    )
    assert metrics.alerts == {}
