"""The app settings of alerts about views."""

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.settings.model import read_settings
from tests.architecture.app_on_fakes import LEAST

HOST = {"functionTimeout": "00:10:00", "extensions": {"durableTask": {"maxConcurrentActivityFunctions": 24}}}
VIEWS, STARS = "AzureWebJobs.alert_of_pageviews.Disabled", "AzureWebJobs.alert_of_stars.Disabled"


def read(changes):
    return read_settings(LEAST | {"FEEDS": "payments"} | changes, HOST)


def test_views_raise_no_alert_until_it_is_set():
    found = read({}).view_alerts

    assert not found.enabled
    assert (found.fresh, found.keep, found.name) == (timedelta(hours=3), timedelta(days=7), "ingestion")


def test_both_functions_are_set_and_their_mails_have_a_recipient_of_their_own():
    changes = {VIEWS: "false", STARS: "false", "VIEW_ALERTS_NAME": "shop"}

    found = read(changes | {"ALERT_SHOP_URL": "https://prod-1.logic.azure.com/x?sig=CANARY"})

    assert found.view_alerts.enabled
    assert set(found.metrics.alert_urls) == {"shop"}
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({VIEWS: "false"}, "must be alike"),
        ({STARS: "false"}, "must be alike"),
        ({"VIEW_ALERTS_FRESH": "24:00:01", "KEEP_VIEW_ALERTS": "100:00:00"}, "VIEW_ALERTS_FRESH must be at most"),
        ({"KEEP_VIEW_ALERTS": "06:00:00"}, "KEEP_VIEW_ALERTS must be more than twice"),
        ({"VIEW_ALERTS_NAME": "my-shop"}, "VIEW_ALERTS_NAME must be of letters, digits and _"),
    ],
)
def test_what_can_not_be_is_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        read(changes)
