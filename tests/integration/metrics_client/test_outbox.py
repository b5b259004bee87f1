"""The contract of the outbox: an alert is in one sender's hands at a time, until it is sent."""

from datetime import timedelta

import pytest

from shared.domain.volumes.alert import LEASE, PastAlerts
from tests.integration.metrics_client.conftest import NOON, alert_of, decides, later, measure, post, request_of

ID = "trades:r1:alert"


def posted(metrics, alert):
    return post(metrics, lambda past: alert)


def measured(metrics, alert, run_id="r1"):
    request = request_of(run_id)
    measure(metrics, request, decides(request, verdict="low", alert=alert))


def state_of(metrics):
    return metrics.last("trades", 1)[0].alert


def test_an_alert_may_be_posted_before_anything_was_measured(metrics):
    alert = alert_of(kind="run_failed", cause="run_failed")

    assert posted(metrics, alert) == alert
    assert metrics.due(NOON) == [alert.id]


def test_an_alert_comes_back_whole_with_the_attempt_counted(metrics):
    posted(metrics, alert_of())

    taken = metrics.take(ID, NOON)

    assert taken == alert_of().__class__(
        **{name: getattr(alert_of(), name) for name in alert_of().__slots__} | {"attempts": 1}
    )


def test_an_alert_is_posted_once(metrics):
    posted(metrics, alert_of())

    assert posted(metrics, alert_of(at=later(5))) is None
    assert metrics.take(ID, later(6)).created_at == NOON


def test_where_no_alert_is_decided_none_is_posted(metrics):
    assert posted(metrics, None) is None
    assert metrics.due(later(9)) == []


def test_who_posts_is_shown_which_alerts_were_raised_before(metrics):
    posted(metrics, alert_of())
    seen = []

    post(metrics, seen.append)
    post(metrics, seen.append, "other")

    assert seen == [PastAlerts({"low": NOON}), PastAlerts({})]


def test_in_an_empty_database_nothing_is_due_and_nothing_can_be_done(metrics):
    assert metrics.due(NOON) == []
    assert metrics.take(ID, NOON) is None
    metrics.settle(ID, NOON)
    metrics.put_off(ID, NOON)


def test_an_unknown_alert_is_nobodys(metrics):
    posted(metrics, alert_of())

    assert metrics.take("trades:r2:alert", NOON) is None
    metrics.settle("trades:r2:alert", NOON)
    metrics.put_off("trades:r2:alert", later(9))

    assert metrics.due(NOON) == [ID]


def test_a_lease_keeps_others_out_until_it_ends(metrics):
    posted(metrics, alert_of())
    metrics.take(ID, NOON)

    just_before = NOON + LEASE - timedelta(microseconds=1)

    assert (metrics.take(ID, just_before), metrics.due(just_before)) == (None, [])
    assert metrics.due(NOON + LEASE) == [ID]
    assert metrics.take(ID, NOON + LEASE).attempts == 2


def test_what_is_put_off_is_due_again_then(metrics):
    posted(metrics, alert_of())
    metrics.take(ID, NOON)

    metrics.put_off(ID, later(5))

    assert metrics.due(later(4)) == []
    assert metrics.due(later(5)) == [ID]
    assert metrics.take(ID, later(5)).attempts == 2


def test_what_is_settled_is_never_due_or_taken_again(metrics):
    posted(metrics, alert_of())
    metrics.take(ID, NOON)

    metrics.settle(ID, later(1))
    metrics.settle(ID, later(2))
    metrics.put_off(ID, later(3))

    assert metrics.due(later(99)) == []
    assert metrics.take(ID, later(99)) is None


def test_a_settled_alert_shows_in_its_measurement(metrics):
    measured(metrics, alert_of())
    assert state_of(metrics) == "pending"

    metrics.take(ID, NOON)
    metrics.settle(ID, NOON)

    assert state_of(metrics) == "sent"


def test_an_alert_of_a_failed_run_does_not_settle_the_runs_measurement(metrics):
    measured(metrics, alert_of())
    failed = alert_of(kind="run_failed", cause="run_failed")
    posted(metrics, failed)

    metrics.settle(failed.id, NOON)

    assert state_of(metrics) == "pending"


def test_the_longest_due_goes_first(metrics):
    for run_id, minutes in (("r1", 3), ("r2", 1), ("r3", 2), ("r4", 9)):
        posted(metrics, alert_of(run_id, at=later(minutes)))

    assert metrics.due(later(3)) == ["trades:r2:alert", "trades:r3:alert", "trades:r1:alert"]


def test_a_run_with_colons_in_its_name_finds_its_measurement(metrics):
    measured(metrics, alert_of("a:b:alert"), "a:b:alert")

    metrics.settle("trades:a:b:alert:alert", NOON)

    assert state_of(metrics) == "sent"


@pytest.mark.parametrize("how", ["fails", "unanswered"])
def test_an_alert_whose_commit_fails_is_posted_once_and_the_calls_own(world, how):
    world.fail_next_commit(how)
    seen = []

    def decide(past):
        seen.append(past)
        return alert_of()

    assert post(world.metrics, decide) == alert_of()
    assert seen == [PastAlerts({})] * 2
    assert posted(world.metrics, alert_of(at=later(1))) is None
    assert world.metrics.due(later(1)) == ["trades:r1:alert"]


def test_alerts_are_outstanding_until_they_are_sent_whoever_has_them(metrics):
    before = metrics.outstanding()
    posted(metrics, alert_of())

    pending = metrics.outstanding()
    metrics.take(ID, NOON)
    on_lease = metrics.outstanding()
    metrics.put_off(ID, later(60))
    put_off = metrics.outstanding()
    metrics.settle(ID, NOON)

    assert (before, pending, on_lease, put_off, metrics.outstanding()) == (0, 1, 1, 1, 0)
