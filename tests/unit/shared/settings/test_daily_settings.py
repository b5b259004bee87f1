from datetime import time
from zoneinfo import ZoneInfo

import pytest

from shared.domain.days import DailySchedule
from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS
from shared.settings.keys import settings_of
from shared.settings.model import read_settings
from tests.unit.shared.flows import helpdesk
from tests.unit.shared.settings.test_model import HOST, LEAST

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def daily(**changes):
    return read_settings(LEAST | changes, HOST, [helpdesk.feed()]).feeds["helpdesk"].daily


def test_lookups_are_due_at_two_and_gold_at_six_by_the_clock_of_the_feeds_zone():
    assert daily() == DailySchedule(SAO_PAULO, time(2), time(6))


def test_both_times_are_settable_and_without_one_no_run_is_started_for_the_gold():
    written = daily(HELPDESK_LOOKUPS_AT="03:30:15", HELPDESK_GOLD_AT="")

    assert written == DailySchedule(SAO_PAULO, time(3, 30, 15), None)


@pytest.mark.parametrize("name", ["HELPDESK_LOOKUPS_AT", "HELPDESK_GOLD_AT"])
@pytest.mark.parametrize("written", ["24:00:00", "2:00:00", "02:00", "02:60:00", "-02:00:00", "two", "02:00:00+03:00"])
def test_what_is_no_time_of_day_is_refused_with_the_rule(name, written):
    with pytest.raises(SettingsError, match=f"{name} must be a time of day as hh:mm:ss, from 00:00:00 to 23:59:59"):
        daily(**{name: written})


@pytest.mark.parametrize("feed", [feed for feed in FEEDS if not feed.daily_gold], ids=lambda feed: feed.name)
def test_a_feed_without_tables_by_day_starts_no_run_for_them_unless_it_is_told(feed):
    name = f"{feed.name.upper()}_GOLD_AT"

    asked = read_settings(LEAST | {name: "06:00:00"}, HOST).feeds[feed.name].daily

    assert read_settings(LEAST, HOST).feeds[feed.name].daily.gold_at is None
    assert asked.gold_at == time(6)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_only_a_feed_with_daily_lookups_says_when_they_are_due(feed):
    assert (f"{feed.name.upper()}_LOOKUPS_AT" in settings_of(FEEDS)) == bool(feed.dimensions)
