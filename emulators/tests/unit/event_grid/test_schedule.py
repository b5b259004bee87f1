import pytest

from emulators.event_grid.schedule import EXHAUSTED, TIMED_OUT, UNREACHABLE, DeliveryOutcome, Step, Turn, next_step


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_five_answers_mean_delivered(status):
    assert next_step(DeliveryOutcome.of(status), 1, 30) == Step(Turn.DELIVERED)


def test_the_pauses_are_the_documented_ones():
    pauses = [next_step(DeliveryOutcome.of(500), attempt, 30).seconds for attempt in range(1, 13)]

    minute, hour = 60, 3600
    documented = [10, 30, minute, 5 * minute, 10 * minute, 30 * minute, hour, 3 * hour, 6 * hour]
    assert pauses == [*documented, 12 * hour, 12 * hour, 12 * hour]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "UndeliverableDueToHttpBadRequest"),
        (401, "UndeliverableDueToHttpUnauthorized"),
        (403, "UndeliverableDueToHttpForbidden"),
        (413, "UndeliverableDueToHttpPayloadTooLarge"),
    ],
)
def test_four_answers_are_never_tried_again(status, reason):
    assert next_step(DeliveryOutcome.of(status), 1, 30) == Step(Turn.DEAD, reason=reason)


@pytest.mark.parametrize(
    "outcome", [TIMED_OUT, UNREACHABLE, DeliveryOutcome.of(404), DeliveryOutcome.of(205), DeliveryOutcome.of(302)]
)
def test_every_other_end_is_tried_again(outcome):
    assert next_step(outcome, 1, 30) == Step(Turn.AGAIN, seconds=10)


@pytest.mark.parametrize(("status", "least"), [(503, 30), (408, 120)])
def test_a_busy_endpoint_is_given_time(status, least):
    assert next_step(DeliveryOutcome.of(status), 1, 30).seconds == least


def test_the_last_attempt_is_the_last():
    assert next_step(DeliveryOutcome.of(500), 3, 3) == Step(Turn.DEAD, reason=EXHAUSTED)
    assert next_step(DeliveryOutcome.of(500), 2, 3).turn is Turn.AGAIN


@pytest.mark.parametrize(
    ("status", "name"), [(404, "NotFound"), (503, "Busy"), (203, "Success"), (799, "GenericError")]
)
def test_outcomes_have_names(status, name):
    assert DeliveryOutcome.of(status).name == name
