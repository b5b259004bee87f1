"""The contract of the alert door: what holds for the Logic App must hold for the fake."""

from dataclasses import replace

import pytest

from shared.clients.logic_app.alert_sender import FakeDoor
from shared.errors import Unavailable
from tests.integration.alert_door.conftest import an_alert
from tests.integration.alert_door.peer import answers

SENT = answers(200, body=b'{"status": "sent"}')


@pytest.fixture(params=["fake", "logic app"])
def opened(request, stack, place):
    """Give what makes a door that does one thing after the other, and what tells the ids that arrived there."""

    def fake(*steps):
        failures = [step for step in steps if step != "sent"]
        door = FakeDoor(failures=failures, loses_answers="lost" in steps)
        return door, lambda: list(door.told)

    def real(*steps):
        ways = {"sent": SENT, "500": answers(500), "lost": lambda _: None}
        peer = stack.enter_context(place.peer(*(ways[step] for step in steps)))
        return place.door(peer), lambda: peer.effects

    return fake if request.param == "fake" else real


def test_it_knows_the_names_that_it_has_somebody_for(opened):
    door, _ = opened("sent")

    assert door.knows("ingestion")
    assert not door.knows("weather")


def test_an_alert_arrives(opened):
    door, arrived = opened("sent")

    door.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]


def test_an_alert_for_nobody_is_a_failure_that_names_the_setting(opened):
    door, arrived = opened("sent")

    with pytest.raises(Unavailable, match="set ALERT_WEATHER_URL"):
        door.send(replace(an_alert(), name="weather"))

    assert arrived() == []


def test_a_failure_is_raised_and_the_next_sending_succeeds(opened):
    door, arrived = opened("500", "sent")

    with pytest.raises(Unavailable, match="500"):
        door.send(an_alert())
    door.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]


def test_an_alert_whose_answer_was_lost_arrives_once_however_often_it_is_sent(opened):
    door, arrived = opened("lost", "sent")

    with pytest.raises(Unavailable):
        door.send(an_alert())
    door.send(an_alert())

    assert arrived() == ["trades:run-1:alert"]
