"""Alerts in a real database, sent by several threads to a real peer: each makes one mail."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.logic_app.alert_sender import FakeDoor
from shared.clients.sql.metrics import sql_metrics
from shared.domain.volumes.alert import Trouble, decide_trouble
from shared.flows.send_alerts import retry_alerts, send_alert
from tests.integration.alert_door.peer import answers

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
SENT = answers(200, body=b'{"status": "sent"}')
SENDERS = 6


@pytest.fixture
def outbox(tmp_path):
    return sql_metrics(f"sqlite:///{tmp_path / 'metrics.db'}", FakeIdentity())


def posted(outbox, number):
    trouble = Trouble("run_failed", "trades", "ingestion", f"run-{number}", NOW, "Out of memory.")
    return outbox.post("trades", lambda past: decide_trouble(trouble, past, NOW, timedelta())).id


def together(call):
    """Call from all senders at the same moment; gives what each got."""
    start = threading.Barrier(SENDERS)

    def sender(_):
        start.wait(10)
        return call()

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(sender, range(SENDERS)))


def test_many_senders_of_one_alert_at_once_send_it_once(outbox):
    door, alert_id = FakeDoor(), posted(outbox, 1)

    states = together(lambda: send_alert(outbox, door, alert_id, lambda: NOW))

    assert Counter(states) == {"sent": 1, "pending": SENDERS - 1}
    assert door.tries == [alert_id]


def test_many_timers_at_once_send_each_alert_once(outbox, place):
    ids = [posted(outbox, number) for number in range(4)]

    with place.peer(SENT) as peer:
        together(lambda: retry_alerts(outbox, place.door(peer), lambda: NOW))

    assert sorted(request.headers["x-alert-id"] for request in peer.requests) == ids
    assert outbox.due(NOW + timedelta(days=1)) == []


def test_an_alert_that_failed_is_found_by_the_timer_with_its_attempts(outbox, place):
    alert_id = posted(outbox, 1)

    with place.peer(answers(500), answers(429), SENT) as peer:
        door = place.door(peer)
        states = [
            send_alert(outbox, door, alert_id, lambda: NOW),
            retry_alerts(outbox, door, lambda: NOW),
            retry_alerts(outbox, door, lambda: NOW + timedelta(minutes=1)),
            retry_alerts(outbox, door, lambda: NOW + timedelta(minutes=2)),
            retry_alerts(outbox, door, lambda: NOW + timedelta(minutes=3)),
        ]

    none, failed = {"due": 0, "sent": 0, "pending": 0}, {"due": 1, "sent": 0, "pending": 1}
    assert states == ["pending", none, failed, none, {"due": 1, "sent": 1, "pending": 0}]
    assert len(peer.requests) == 3
