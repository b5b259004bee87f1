"""Alerts in a real database, sent by several threads to a real peer: each makes one mail."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.opening import sql_metrics
from shared.domain.volumes.alert import RunIncident, decide_incident
from shared.flows.send_alerts import retry_alerts, send_alert
from tests.integration.alert_sender.peer import answers

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
SENT = answers(200, body=b'{"status": "sent"}')
SENDERS = 6


@pytest.fixture
def metrics(tmp_path):
    return sql_metrics(f"sqlite:///{tmp_path / 'metrics.db'}", FakeIdentity())


def posted(metrics, number):
    incident = RunIncident("run_failed", "trades", "ingestion", f"run-{number}", NOW, "Out of memory.")
    metrics.transact("trades", lambda tx: tx.post(decide_incident(incident, tx.past_alerts(), NOW, timedelta())))
    return f"trades:run-{number}:run_failed"


def together(call):
    """Call from all senders at the same moment; gives what each got."""
    start = threading.Barrier(SENDERS)

    def sender(_):
        start.wait(10)
        return call()

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(sender, range(SENDERS)))


def test_many_senders_of_one_alert_at_once_send_it_once(metrics):
    sender, alert_id = FakeLogicApp(), posted(metrics, 1)

    states = together(lambda: send_alert(metrics, sender, alert_id, lambda: NOW))

    assert Counter(states) == {"sent": 1, "pending": SENDERS - 1}
    assert sender.tries == [alert_id]


def test_many_timers_at_once_send_each_alert_once(metrics, place):
    ids = [posted(metrics, number) for number in range(4)]

    with place.peer(SENT) as peer:
        together(lambda: retry_alerts(metrics, place.sender(peer), lambda: NOW))

    assert sorted(request.headers["x-alert-id"] for request in peer.requests) == ids
    assert metrics.due(NOW + timedelta(days=1)) == []


def test_an_alert_that_failed_is_found_by_the_timer_with_its_attempts(metrics, place):
    alert_id = posted(metrics, 1)

    with place.peer(answers(500), answers(429), SENT) as peer:
        sender = place.sender(peer)
        states = [
            send_alert(metrics, sender, alert_id, lambda: NOW),
            retry_alerts(metrics, sender, lambda: NOW),
            retry_alerts(metrics, sender, lambda: NOW + timedelta(minutes=1)),
            retry_alerts(metrics, sender, lambda: NOW + timedelta(minutes=2)),
            retry_alerts(metrics, sender, lambda: NOW + timedelta(minutes=3)),
        ]

    none, failed = {"due": 0, "sent": 0, "pending": 0}, {"due": 1, "sent": 0, "pending": 1}
    assert states == ["pending", none, failed, none, {"due": 1, "sent": 1, "pending": 0}]
    assert len(peer.requests) == 3
