import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.volumes.alert import PastAlerts, RunIncident, decide_alert, decide_incident, next_try
from shared.domain.volumes.measurement import Limits, Measurement, MeasureRequest

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
QUIET = timedelta(hours=6)
WINDOW = "trades-20261122T100000Z"
LEARNT = Limits(floor=1000, low=2500.5, high=15003.0, median=5001.0, based_on=7)


def measured(verdict="low", *, delta=12, window=WINDOW, limits=LEARNT):
    request = MeasureRequest("trades", "run-1", AT, window)
    return Measurement(request, delta, 90_000, verdict, limits, "none", NOW)


def decided(measurement, healthy=True, **ago):
    past = PastAlerts({cause: NOW - age for cause, age in ago.items()})
    return decide_alert(measurement, past, name="ingestion", quiet=QUIET, healthy=healthy)


def incident(kind="run_failed", **changed):
    fields = {"table": "trades", "name": "ingestion", "run_id": "run-1", "at": AT, "reason": "Out of memory."}
    return RunIncident(kind, **fields | {"window_id": WINDOW} | changed)


@pytest.mark.parametrize("verdict", ["low", "high", "negative"])
def test_a_wrong_volume_is_told(verdict):
    measurement, alert = decided(measured(verdict))

    assert measurement.alert == "pending"
    assert (alert.id, alert.kind, alert.cause, alert.name) == ("trades:run-1:alert", "alert", verdict, "ingestion")
    assert (alert.created_at, alert.attempts) == (NOW, 0)


@pytest.mark.parametrize("verdict", ["first", "normal"])
def test_a_right_volume_is_not_told(verdict):
    measurement, alert = decided(measured(verdict, delta=5000))

    assert (measurement.alert, alert) == ("none", None)


def test_the_same_verdict_is_not_told_again_in_the_quiet_period():
    measurement, alert = decided(measured("low"), low=QUIET - timedelta(seconds=1))

    assert (measurement.alert, alert) == ("suppressed", None)


def test_the_same_verdict_is_told_again_after_the_quiet_period():
    assert decided(measured("low"), low=QUIET)[0].alert == "pending"


def test_another_verdict_is_told_in_the_quiet_period_of_the_first():
    assert decided(measured("high"), low=timedelta(minutes=1))[0].alert == "pending"


@pytest.mark.parametrize("cause", ["low", "high", "negative", "run_failed", "unbalanced"])
def test_the_first_right_volume_after_any_alert_is_told_as_recovery(cause):
    measurement, alert = decided(measured("normal", delta=5000), **{cause: timedelta(hours=1)})

    assert measurement.alert == "pending"
    assert (alert.id, alert.kind, alert.cause) == ("trades:run-1:recovery", "recovery", "recovery")


def test_a_recovery_is_told_once():
    ago = {"low": timedelta(hours=2), "recovery": timedelta(hours=1)}

    assert decided(measured("normal", delta=5000), **ago)[0].alert == "none"


def test_an_alert_after_a_recovery_makes_a_new_one():
    ago = {"low": timedelta(hours=9), "recovery": timedelta(hours=2), "high": timedelta(hours=1)}

    assert decided(measured("normal", delta=5000), **ago)[1].kind == "recovery"


@pytest.mark.parametrize("end", ["recovery", "new_level"])
@pytest.mark.parametrize("cause", ["low", "high", "negative"])
def test_after_a_recovery_the_same_verdict_is_told_though_its_quiet_period_lasts(cause, end):
    ago = {cause: timedelta(hours=2), end: timedelta(hours=1)}

    assert decided(measured(cause), **ago)[0].alert == "pending"


def test_a_recovery_before_an_alert_does_not_end_its_quiet_period():
    ago = {"recovery": timedelta(hours=2), "low": timedelta(hours=1)}

    assert decided(measured("low"), **ago)[0].alert == "suppressed"


def test_after_a_recovery_the_same_incident_is_told_though_its_quiet_period_lasts():
    past = PastAlerts({"run_failed": NOW - timedelta(hours=2), "recovery": NOW - timedelta(hours=1)})

    assert decide_incident(incident(), past, NOW, QUIET) is not None


def test_a_new_level_is_told_whatever_was_told_before():
    ago = dict.fromkeys(["low", "high", "new_level"], timedelta(minutes=1))

    measurement, alert = decided(measured("new_level", delta=20_000), **ago)

    assert (measurement.alert, alert.kind, alert.cause) == ("pending", "alert", "new_level")
    assert alert.body["message"] == (
        f"Table trades got 20,000 rows in window {WINDOW}, measured for run run-1, more than the 15,003 that are normal"
        " for it, as 5 times in a row now: the level has changed. From now on such a volume is normal."
    )


def test_a_right_volume_after_a_new_level_is_no_recovery():
    ago = {"high": timedelta(hours=2), "new_level": timedelta(hours=1)}

    assert decided(measured("normal", delta=20_000), **ago)[0].alert == "none"


def test_a_right_volume_of_a_run_with_an_incident_is_no_recovery():
    assert decided(measured("normal", delta=5000), healthy=False, low=timedelta(hours=1))[0].alert == "none"


def test_a_wrong_volume_of_a_run_with_an_incident_is_told():
    assert decided(measured("low"), healthy=False)[0].alert == "pending"


def test_the_body_has_the_seeds_fields_and_ours():
    _, alert = decided(measured("low"))

    assert alert.body == {
        "alert_id": "trades:run-1:alert",
        "kind": "alert",
        "cause": "low",
        "table": "trades",
        "run_id": "run-1",
        "window": WINDOW,
        "rows_count_delta": 12,
        "ingestion_date": "2026-11-22",
        "ingestion_time": "10:00:00",
        "current_ingestion_table_state": 90_000,
        "limits": {"floor": 1000, "low": 2500.5, "high": 15003.0, "median": 5001.0, "based_on": 7},
        "message": f"Table trades got 12 rows in window {WINDOW}, measured for run run-1, "
        "fewer than the 2,501 that are expected of it.",
    }


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (measured("low", delta=1, limits=Limits(1000)), "1 row in window .* fewer than the 1,000 that are expected"),
        (measured("low", window=None), "12 rows since the measurement before, measured for run run-1, fewer"),
        (measured("high", delta=99_000), "99,000 rows .* more than the 15,003 that are normal"),
        (measured("negative", delta=-4000, window=None), "lost 4,000 rows since the measurement before"),
    ],
)
def test_the_message_says_what_is_wrong_and_with_what_it_is_compared(measurement, words):
    message = decided(measurement)[1].body["message"]

    assert re.search(words, message)
    assert message.endswith(".")


def test_the_message_of_a_recovery_says_that_the_volume_is_normal():
    _, alert = decided(measured("normal", delta=5000), low=timedelta(hours=1))

    assert alert.body["message"].startswith(f"Table trades has recovered: it got 5,000 rows in window {WINDOW}")


def test_a_failed_run_is_told_without_counts_and_limits():
    alert = decide_incident(incident(), PastAlerts(), NOW, QUIET)

    assert (alert.id, alert.kind, alert.cause) == ("trades:run-1:run_failed", "run_failed", "run_failed")
    assert alert.body["message"] == f"The enrichment of window {WINDOW} failed in run run-1: Out of memory."
    assert alert.body["limits"] is None
    assert not {"rows_count_delta", "current_ingestion_table_state"} & set(alert.body)


def test_an_unbalanced_window_is_told_with_its_counts():
    alert = decide_incident(incident("unbalanced", counts=(990, 5000)), PastAlerts(), NOW, QUIET)

    assert (alert.id, alert.body["cause"]) == ("trades:run-1:unbalanced", "unbalanced")
    assert (alert.body["rows_count_delta"], alert.body["current_ingestion_table_state"]) == (990, 5000)
    assert "do not add up" in alert.body["message"]


def test_the_same_incident_is_not_told_again_in_the_quiet_period():
    recent = PastAlerts({"run_failed": NOW - timedelta(hours=1)})

    assert decide_incident(incident(), recent, NOW, QUIET) is None
    assert decide_incident(incident("unbalanced"), recent, NOW, QUIET) is not None
    assert decide_incident(incident(), recent, NOW + QUIET, QUIET) is not None


def test_the_reason_of_an_incident_is_one_line_of_bearable_length():
    message = decide_incident(incident(reason="a\n b" * 1000), PastAlerts(), NOW, QUIET).body["message"]

    assert "\n" not in message
    assert len(message) < 700


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (10**6, 60)])
def test_the_wait_for_the_next_try_doubles_up_to_an_hour(attempts, minutes):
    assert next_try(attempts, NOW) == NOW + timedelta(minutes=minutes)


REQUIRED = {"alert_id", "kind", "cause", "table", "run_id", "ingestion_date", "ingestion_time", "message"}


@given(
    st.sampled_from(["first", "normal", "low", "high", "negative", "new_level"]),
    st.dictionaries(
        st.sampled_from(["low", "high", "negative", "run_failed", "unbalanced", "recovery", "new_level"]),
        st.timedeltas(min_value=timedelta(), max_value=timedelta(days=2)),
    ),
    st.booleans(),
)
def test_an_alert_is_pending_exactly_where_there_is_one_and_has_what_the_schema_requires(verdict, ago, healthy):
    measurement, alert = decided(measured(verdict), healthy, **ago)

    assert (measurement.alert == "pending") == (alert is not None)
    assert alert is None or set(alert.body) >= REQUIRED
