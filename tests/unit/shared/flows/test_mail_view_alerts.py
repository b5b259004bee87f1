"""Mails of alerts about views: one for each kind in a quiet period, and none is lost where somebody dies."""

from datetime import timedelta

import pytest

from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.fake import FakeMetrics
from shared.clients.storage.fake import FakeLedger
from shared.errors import Unavailable
from shared.flows import mail_view_alerts as flow
from shared.flows.mail_view_alerts import MailTools, mail_view_alerts
from shared.flows.measure import MetricsTools
from tests.unit.shared.flows.shop_alerts import World, star, view

QUIET = timedelta(hours=6)


class Mailing(World):
    """Alerts and their mails on fakes."""

    def __init__(self, *names):
        super().__init__(vips=[2])
        self.metrics, self.logic_app = FakeMetrics(), FakeLogicApp(names or ("ingestion",))
        of_metrics = MetricsTools({}, FakeLedger(), self.metrics, self.logic_app, lambda: self.now, QUIET)
        self.mailing = MailTools(self.alerts, of_metrics, "ingestion")

    def mail(self):
        return mail_view_alerts(self.mailing)

    @property
    def messages(self):
        return [alert.body["message"] for alert in self.logic_app.sent.values()]


@pytest.fixture
def world():
    return Mailing()


def test_a_mail_tells_how_many_there_are_and_gives_examples_without_names(world):
    world.views(*(view(number, user=5, latency=3000 + number) for number in range(1, 6)))

    told = world.mail()

    (alert,) = world.logic_app.sent.values()
    assert told == {"pageviews_high_latency": 5}
    assert (alert.id, alert.name, alert.kind) == (
        "view_alerts.pageviews_high_latency:20261127T120000Z:stream_alert", "ingestion", "stream_alert",
    )  # fmt: skip
    assert alert.body["message"] == (
        "5 page views of the web shop took more than 2,000 ms, for example "
        "view 00000001-0000-8000-8000-aaaaaaaaaaaa of user 5 at 2026-11-27T12:00:00Z (3,001 ms); "
        "view 00000002-0000-8000-8000-aaaaaaaaaaaa of user 5 at 2026-11-27T12:00:00Z (3,002 ms); "
        "view 00000003-0000-8000-8000-aaaaaaaaaaaa of user 5 at 2026-11-27T12:00:00Z (3,003 ms)."
    )


def test_each_kind_has_a_mail_of_its_own(world):
    world.stars(star(1, user=2))
    world.views(view(1, user=2, latency=2001, minutes=5))

    assert set(world.mail()) == {"pageviews_high_latency", "pageviews_vip", "pageviews_after_low_stars"}
    assert sorted(message.partition(",")[0] for message in world.messages) == [
        "1 page view of the web shop came from VIPs",
        "1 page view of the web shop followed low stars within 10 minutes",
        "1 page view of the web shop took more than 2",
    ]
    assert any("(2,001 ms, stars: 1 at 2026-11-27T12:00:00Z)" in message for message in world.messages)


def test_the_next_mail_comes_after_the_quiet_period_and_tells_of_what_is_new_alone(world):
    world.views(view(1, latency=3000))
    world.mail()
    world.now += QUIET - timedelta(minutes=1)
    world.views(view(2, latency=3000, hours=6), view(3, latency=3000, hours=6))

    early = world.mail()
    world.now += timedelta(minutes=1)
    late, again = world.mail(), world.mail()

    assert (early, late, again) == ({}, {"pageviews_high_latency": 2}, {})
    assert [message[:1] for message in world.messages] == ["1", "2"]


def test_rows_that_a_worker_left_when_it_died_are_mailed(world):
    world.files.write("vip_users/vip_users.json", "b", b"no list")
    with pytest.raises(Unavailable):
        world.views(view(1, latency=3000))

    assert world.mail() == {"pageviews_high_latency": 1}


def test_a_mail_that_can_not_be_sent_now_is_pending_for_the_timer_of_all_alerts_and_told_once(world):
    world.views(view(1, latency=3000))
    world.logic_app.failures.append("away")

    told = world.mail()

    assert (told, world.mail(), world.logic_app.sent) == ({"pageviews_high_latency": 1}, {}, {})
    assert world.metrics.outstanding() == 1


def test_where_the_database_is_away_the_next_tick_mails(world):
    world.views(view(1, latency=3000))
    world.metrics.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        world.mail()
    world.metrics.failure = None

    assert world.mail() == {"pageviews_high_latency": 1}


def test_who_dies_after_a_mail_and_before_it_is_noted_sends_no_second_one_in_the_quiet_period(world, monkeypatch):
    world.views(view(1, latency=3000))
    with monkeypatch.context() as dying:
        dying.setattr(world.alerts, "note_mailed", fail)
        with pytest.raises(Unavailable):
            world.mail()
    in_time = world.mail()
    world.now += QUIET

    assert (in_time, world.mail()) == ({}, {"pageviews_high_latency": 1})
    assert len(world.messages) == 2


def test_of_two_timers_at_once_one_mails(world, monkeypatch):
    world.views(view(1, latency=3000))
    listed = world.alerts.unmailed

    def overtaken(kind, most):
        found = listed(kind, most)
        if not world.messages and found:
            monkeypatch.undo()
            world.mail()
        return found

    monkeypatch.setattr(world.alerts, "unmailed", overtaken)

    assert world.mail() == {}
    assert len(world.messages) == 1


def test_a_mail_tells_of_so_many_and_the_next_one_of_the_rest(world, monkeypatch):
    monkeypatch.setattr(flow, "MOST_COUNTED", 3)
    world.views(*(view(number, latency=3000) for number in range(4)))

    first = world.mail()
    world.now += QUIET

    assert (first, world.mail()) == ({"pageviews_high_latency": 3}, {"pageviews_high_latency": 1})
    assert world.messages[0].startswith("At least 3 page views")


def test_without_a_recipient_or_a_database_rows_wait_and_nothing_is_asked():
    world = Mailing("somebody else")
    world.views(view(1, latency=3000))
    world.metrics.failure = Unavailable("is not asked")

    assert world.mail() == mail_view_alerts(MailTools(world.alerts, None, "ingestion")) == {}
    assert len(world.rows["pageviews_high_latency"]) == 1


def fail(*_):
    raise Unavailable("killed")
