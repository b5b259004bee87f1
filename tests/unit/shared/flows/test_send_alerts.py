import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.logic_app.alert_sender import FakeDoor
from shared.clients.sql.metrics import FakeMetrics
from shared.domain.volumes.alert import LEASE, Trouble, decide_trouble
from shared.errors import LoginRefused, SettingsError, Unavailable
from shared.flows.send_alerts import TICK, raise_alert, retry_alerts, send_alert

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
QUIET = timedelta(hours=6)
TROUBLE = Trouble("run_failed", "trades", "ingestion", "run-1", NOW, "Out of memory.", "trades-20261122T100000Z")
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
def outbox():
    return FakeMetrics()


def posted(outbox, number=1):
    trouble = replace(TROUBLE, run_id=f"run-{number}")
    outbox.post("trades", lambda past: decide_trouble(trouble, past, NOW, timedelta()))
    return f"trades:run-{number}:run_failed"


class FailingOutbox(FakeMetrics):
    """Fails where an alert was sent."""

    def settle(self, alert_id, now):
        raise Unavailable("SQL is down.")


def test_an_alert_is_sent_and_settled(outbox, clock):
    door = FakeDoor()

    state = send_alert(outbox, door, posted(outbox), clock)

    assert (state, list(door.told)) == ("sent", [ALERT_ID])
    assert outbox.due(NOW + timedelta(days=1)) == []


def test_an_alert_that_is_sent_is_not_sent_again(outbox, clock):
    door, alert_id = FakeDoor(), posted(outbox)
    send_alert(outbox, door, alert_id, clock)

    send_alert(outbox, door, alert_id, clock)

    assert door.tries == [ALERT_ID]


def test_an_alert_that_is_unknown_is_not_sent(outbox, clock):
    door = FakeDoor()

    assert send_alert(outbox, door, "trades:run-9:alert", clock) == "pending"

    assert door.tries == []


def test_a_failed_alert_stays_pending_and_its_tries_are_ever_rarer(outbox, clock):
    door, alert_id = FakeDoor(failures=["500"] * 8), posted(outbox)
    waits = []

    for _ in range(8):
        assert send_alert(outbox, door, alert_id, clock) == "pending"
        waits.append(next(m for m in range(1, 100) if outbox.due(clock.now + timedelta(minutes=m))))
        clock.move(minutes=waits[-1])

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_two_senders_at_once_send_one_alert_once(outbox, clock):
    entered, leave = threading.Event(), threading.Event()

    class SlowDoor(FakeDoor):
        def send(self, alert):
            entered.set()
            leave.wait(10)
            FakeDoor.send(self, alert)

    door, alert_id, states = SlowDoor(), posted(outbox), []
    first = threading.Thread(target=lambda: states.append(send_alert(outbox, door, alert_id, clock)))
    first.start()
    entered.wait(10)
    second = send_alert(outbox, door, alert_id, clock)
    leave.set()
    first.join()

    assert (second, states, door.tries) == ("pending", ["sent"], [ALERT_ID])


def test_an_alert_whose_sender_died_is_sent_by_the_timer_after_its_lease(outbox, clock):
    door, alert_id = FakeDoor(), posted(outbox)
    outbox.take(alert_id, NOW)

    assert retry_alerts(outbox, door, clock) == {"due": 0, "sent": 0, "pending": 0}
    clock.now += LEASE

    assert retry_alerts(outbox, door, clock) == {"due": 1, "sent": 1, "pending": 0}


def test_an_answer_lost_after_its_effect_makes_a_second_try_and_no_second_mail(outbox, clock):
    door = FakeDoor(failures=["no answer"], loses_answers=True)
    assert send_alert(outbox, door, posted(outbox), clock) == "pending"
    clock.move(minutes=1)

    assert retry_alerts(outbox, door, clock) == {"due": 1, "sent": 1, "pending": 0}

    assert (door.tries, list(door.told)) == ([ALERT_ID, ALERT_ID], [ALERT_ID])


def test_an_alert_that_could_not_be_settled_is_pending_until_its_repetition_is(clock):
    door, outbox = FakeDoor(), FailingOutbox()
    alert_id = posted(outbox)

    assert send_alert(outbox, door, alert_id, clock) == "pending"

    assert outbox.due(NOW) == []
    assert outbox.due(NOW + LEASE) == [alert_id]


@pytest.mark.parametrize("failure", [Unavailable("down"), LoginRefused("no"), SettingsError("none")])
def test_a_database_that_fails_leaves_the_alert_to_the_timer(outbox, clock, failure, caplog):
    door, alert_id = FakeDoor(), posted(outbox)
    outbox.failure = failure

    assert send_alert(outbox, door, alert_id, clock) == "pending"

    assert door.tries == []
    assert "alert.outbox_failed alert=trades:run-1:run_failed" in caplog.text


def test_a_failure_is_logged_with_its_words_and_the_next_try(outbox, clock, caplog):
    send_alert(outbox, FakeDoor(failures=["It answered 500."]), posted(outbox), clock)

    assert "alert.put_off alert=trades:run-1:run_failed attempts=1 until=2026-11-22 10:06:00" in caplog.text
    assert "cause=It answered 500." in caplog.text


def test_the_body_of_an_alert_is_not_logged(outbox, clock, caplog):
    caplog.set_level(logging.DEBUG)

    send_alert(outbox, FakeDoor(), posted(outbox), clock)

    assert "alert.sent alert=trades:run-1:run_failed" in caplog.text
    assert "memory" not in caplog.text


def test_a_tick_sends_what_is_due_and_no_more_than_its_bound(outbox, clock):
    for number in range(7):
        posted(outbox, number)
    door = FakeDoor(failures=["500"])

    assert retry_alerts(outbox, door, clock, most=5) == {"due": 7, "sent": 4, "pending": 3}
    assert retry_alerts(outbox, door, clock, most=5) == {"due": 2, "sent": 2, "pending": 0}


def test_a_tick_ends_in_time_though_the_door_is_slow(outbox, clock):
    class SlowDoor(FakeDoor):
        def send(self, alert):
            clock.now += TICK / 2
            FakeDoor.send(self, alert)

    for number in range(5):
        posted(outbox, number)

    assert retry_alerts(outbox, SlowDoor(), clock)["sent"] == 2


def test_an_alert_for_a_name_that_is_no_longer_set_waits_for_it(outbox, clock):
    alert_id = posted(outbox)

    assert send_alert(outbox, FakeDoor(names=()), alert_id, clock) == "pending"
    clock.move(minutes=1)

    assert send_alert(outbox, FakeDoor(), alert_id, clock) == "sent"


def test_a_trouble_of_a_run_is_told_once(outbox, clock):
    door = FakeDoor()

    states = [raise_alert(outbox, door, TROUBLE, clock, QUIET) for _ in range(3)]

    assert (states, door.tries) == (["sent", "suppressed", "suppressed"], [ALERT_ID])
    assert door.told[ALERT_ID].body["kind"] == "run_failed"


def test_the_same_trouble_of_another_run_is_told_after_the_quiet_period(outbox, clock):
    door, other = FakeDoor(), replace(TROUBLE, run_id="run-2")
    raise_alert(outbox, door, TROUBLE, clock, QUIET)

    assert raise_alert(outbox, door, other, clock, QUIET) == "suppressed"
    clock.now += QUIET

    assert raise_alert(outbox, door, other, clock, QUIET) == "sent"


def test_both_troubles_of_a_run_are_told(outbox, clock):
    door = FakeDoor()

    for kind in ("run_failed", "unbalanced"):
        assert raise_alert(outbox, door, replace(TROUBLE, kind=kind), clock, QUIET) == "sent"

    assert list(door.told) == ["trades:run-1:run_failed", "trades:run-1:unbalanced"]


def test_a_trouble_that_can_not_be_told_now_is_told_by_the_timer(outbox, clock):
    door = FakeDoor(failures=["500"])
    assert raise_alert(outbox, door, TROUBLE, clock, QUIET) == "pending"
    clock.move(minutes=1)

    assert retry_alerts(outbox, door, clock)["sent"] == 1


def test_a_trouble_that_nobody_is_told_of_is_logged(outbox, clock, caplog):
    assert raise_alert(outbox, FakeDoor(names=()), TROUBLE, clock, QUIET) == "none"

    assert "alert.nobody table=trades kind=run_failed name=ingestion" in caplog.text
    assert outbox.alerts == {}
