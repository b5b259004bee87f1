"""The app settings of promotions."""

from datetime import timedelta

import pytest

from shared.domain.promotions import Rules
from shared.errors import SettingsError
from shared.settings.model import read_settings
from tests.architecture.app_on_fakes import LEAST

PUSH = {"PUSH_URL": "https://name.servicebus.windows.net/phones", "PUSH_KEY_NAME": "send", "PUSH_KEY": "CANARY"}
HOST = {"functionTimeout": "00:10:00", "extensions": {"durableTask": {"maxConcurrentActivityFunctions": 24}}}


def read(**changes):
    return read_settings(LEAST | {"FEEDS": "payments"} | changes, HOST)


def promotions(**changes):
    return read(**changes).promotions


def test_nothing_is_promoted_or_pushed_until_it_is_set():
    found = promotions()

    assert (found.enabled, found.push, found.hub, found.rules) == (False, None, "promotions", Rules())
    assert found.deliveries_hub == "deliveries"


def test_windows_of_points_read_the_hub_of_promotions_where_they_are_made():
    enabled = {"FEEDS": "gps, payments", "PROMOTIONS_HUB": "offers", "AzureWebJobs.promote_points.Disabled": "false"}

    feeds, without = read(**enabled).feeds, read(FEEDS="gps").feeds

    assert [stream.hubs for stream in feeds["gps"].template.of_hubs] == [("gps",), ("offers",)]
    assert [stream.name for stream in feeds["payments"].template.of_hubs] == ["transactions"]
    assert [stream.name for stream in without["gps"].template.of_hubs] == ["gps"]


def test_a_hub_of_promotions_that_is_another_streams_is_told():
    settings = read(FEEDS="gps", PROMOTIONS_HUB="gps", **{"AzureWebJobs.promote_points.Disabled": "false"})

    assert "PROMOTIONS_HUB and GPS_HUB both name hub 'gps'" in settings.unusable["gps"]


def test_rules_and_the_hub_of_phones_are_as_they_are_set():
    found = promotions(
        **PUSH, PROMOTIONS_CAP="5", PROMOTIONS_COOL_DOWN="01:00:00", **{"AzureWebJobs.promote_points.Disabled": "false"}
    )

    assert found.enabled
    assert found.rules == Rules(5, timedelta(hours=1))
    assert (found.push.url.host, found.push.url.target, found.push.key_name) == (
        "name.servicebus.windows.net",
        "/phones",
        "send",
    )
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PUSH_URL": "http://name.servicebus.windows.net/phones"}, "PUSH_URL it must begin with https://"),
        ({"PUSH_URL": "https://elsewhere.example.com/phones"}, "allow-list PUSH_HOSTS"),
        ({"PUSH_URL": "https://127.0.0.1/phones"}, "not an IP address"),
        ({"PUSH_URL": PUSH["PUSH_URL"] + "?x=1"}, "must have no query"),
        ({"PUSH_KEY": ""}, "PUSH_KEY is not set"),
        ({"PUSH_KEY_NAME": ""}, "PUSH_KEY_NAME is not set"),
        ({"PROMOTIONS_FRESH": "24:00:01"}, "PROMOTIONS_FRESH must be at most 24:00:00"),
        ({"PROMOTIONS_CAP": "0"}, "PROMOTIONS_CAP"),
    ],
)
def test_what_can_not_be_is_named_and_no_key_is_shown(changes, words):
    with pytest.raises(SettingsError, match=words) as caught:
        read(**PUSH | changes)

    assert "CANARY" not in str(caught.value)


def test_on_one_machine_phones_may_be_reached_there():
    here = {"PUSH_URL": "https://127.0.0.1:20014/phones", "PUSH_HOSTS": "127.0.0.1", "ONE_MACHINE": "true"}

    assert promotions(**PUSH | here).push.url.port == 20014
