"""The triggers of alerts about streams."""

from types import SimpleNamespace

import azure.functions as func
import pytest

from blueprints import stream_alerts
from shared.errors import Unavailable
from tests.unit.blueprints.test_promotions import batch


@pytest.mark.parametrize(("name", "flow"), [("alert_of_pageviews", "of_views"), ("alert_of_stars", "of_stars")])
def test_a_trigger_hands_its_batch_to_its_flow_and_fails_where_that_fails(monkeypatch, name, flow):
    given = []

    def fail(*arguments):
        given.append(arguments)
        raise Unavailable("away")

    monkeypatch.setattr(stream_alerts, "services", lambda: SimpleNamespace(view_alert_tools="the tools"))
    monkeypatch.setattr(stream_alerts, flow, fail)

    with pytest.raises(Unavailable):
        getattr(stream_alerts, name).build().get_user_function()(batch())

    assert [(tools, len(events)) for tools, events in given] == [("the tools", 2)]


@pytest.mark.parametrize("name", ["alert_of_pageviews", "alert_of_stars"])
def test_a_batch_that_fails_is_tried_again_for_ever(name):
    setting = getattr(stream_alerts, name).build().get_settings_dict("retry_policy")

    assert setting["max_retry_count"] == "-1"


@pytest.mark.parametrize(("enabled", "mailed"), [(True, ["the tools"]), (False, [])])
async def test_the_timer_mails_where_views_raise_alerts(monkeypatch, enabled, mailed):
    given = []
    settings = SimpleNamespace(view_alerts=SimpleNamespace(enabled=enabled))
    app = SimpleNamespace(settings=settings, view_mail_tools="the tools")
    monkeypatch.setattr(stream_alerts, "services", lambda: app)
    monkeypatch.setattr(stream_alerts, "mail", lambda tools: given.append(tools) or {})

    await stream_alerts.mail_view_alerts.build().get_user_function()(func.TimerRequest())

    assert given == mailed
