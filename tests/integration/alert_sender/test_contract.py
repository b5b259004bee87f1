"""The contract of the alert sender: what holds for the Logic App must hold for the fake."""

from dataclasses import replace

import pytest

from shared.clients.logic_app.alert_sender import refused
from shared.clients.logic_app.fake import FakeLogicApp
from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from tests.integration.alert_sender.conftest import an_alert
from tests.integration.alert_sender.peer import answers

SENT = answers(200, body=b'{"status": "sent"}')


@pytest.fixture(params=["fake", "logic app"])
def opened(request, stack, place):
    """Give what makes a sender that does one thing after the other, and what tells the ids that arrived there."""

    def fake(*steps):
        failures = [
            refused(an_alert(), step, 60.0 if step == 429 else 0.0) if isinstance(step, int) else step
            for step in steps
            if step != "sent"
        ]
        sender = FakeLogicApp(failures=failures, loses_answers="lost" in steps)
        return sender, lambda: list(sender.sent)

    def real(*steps):
        ways = {"sent": SENT, "lost": lambda _: None, 429: answers(429, "retry-after: 60\r\n")}
        peer = stack.enter_context(place.peer(*(ways.get(step) or answers(step) for step in steps)))
        return place.sender(peer), lambda: peer.effects

    return fake if request.param == "fake" else real


def test_it_knows_the_names_that_it_has_somebody_for(opened):
    sender, _ = opened("sent")

    assert sender.has_recipient("ingestion")
    assert not sender.has_recipient("weather")


def test_an_alert_arrives(opened):
    sender, arrived = opened("sent")

    sender.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]


def test_an_alert_for_nobody_is_a_failure_that_names_the_setting(opened):
    sender, arrived = opened("sent")

    with pytest.raises(Unavailable, match="set ALERT_WEATHER_URL"):
        sender.send(replace(an_alert(), name="weather"))

    assert arrived() == []


def test_a_failure_is_raised_and_the_next_sending_succeeds(opened):
    sender, arrived = opened(500, "sent")

    with pytest.raises(Unavailable, match="500"):
        sender.send(an_alert())
    sender.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]


@pytest.mark.parametrize(
    ("status", "kind", "retry_after"),
    [
        (401, FailureKind.UNAUTHORIZED, 0.0),
        (403, FailureKind.UNAUTHORIZED, 0.0),
        (400, FailureKind.PERMANENT, 0.0),
        (404, FailureKind.PERMANENT, 0.0),
        (429, FailureKind.THROTTLED, 60.0),
        (502, FailureKind.UNAVAILABLE, 0.0),
        (503, FailureKind.THROTTLED, 0.0),
    ],
)
def test_a_failure_says_what_it_means_and_how_long_to_wait(opened, status, kind, retry_after):
    sender, _ = opened(status)

    with pytest.raises(Unavailable, match=f"answered {status}") as caught:
        sender.send(an_alert())

    assert (caught.value.kind, caught.value.retry_after) == (kind, retry_after)


def test_an_alert_whose_answer_was_lost_arrives_once_however_often_it_is_sent(opened):
    sender, arrived = opened("lost", "sent")

    with pytest.raises(Unavailable):
        sender.send(an_alert())
    sender.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]
