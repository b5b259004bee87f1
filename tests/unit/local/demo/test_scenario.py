"""What the demo shows, taken from the sample of the app's settings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo.outage import LOST_FOR
from local.demo.scenario import EVERY, HEAD_START, LATER, LENGTH, SHORT_LENGTH, make_scenario

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAMPLE = {
    "FEEDS": "trades,payments,shop",
    "TRADES_SOURCES": "coinbase:BTC-USD",
    "METRICS_TABLES": '{"deals": {"table": "Trades", "stream": "trades"}, "stars": {"table": "Stars"}}',
}


def scenario(recording=None):
    return make_scenario(SAMPLE, recording)


def window(feed, *streams):
    plan = {"streams": [{"name": stream} for stream in streams]}
    return {"feed": feed, "end": "2026-11-22T12:00:30+00:00", "plan": plan}


def seconds(text):
    hours, minutes, rest = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=rest)


@given(st.integers(0, 86_400))
def test_the_grid_has_a_window_soon_after_the_start_and_not_before(later):
    now = NOON + timedelta(seconds=later)

    offset = seconds(scenario().app_settings(now)["TRADES_WINDOW_OFFSET"])

    wait = (offset - (now - datetime(1970, 1, 1, tzinfo=UTC))) % EVERY
    assert HEAD_START - timedelta(seconds=1) <= wait <= HEAD_START


def test_feeds_begin_together_but_those_that_only_run_beside_the_others():
    settings = make_scenario(SAMPLE | {"FEEDS": "trades,payments,gps,call_centre,shop"}, None).app_settings(NOON)

    offsets = {
        feed: seconds(settings[f"{feed}_WINDOW_OFFSET"])
        for feed in ("TRADES", "PAYMENTS", "CALL_CENTRE", "GPS", "SHOP")
    }
    assert settings["FEEDS"] == "trades,payments,gps,call_centre,shop"
    assert offsets["TRADES"] == offsets["PAYMENTS"] == offsets["CALL_CENTRE"]
    assert offsets["GPS"] == offsets["SHOP"] == offsets["TRADES"] + LATER


def test_a_feed_that_is_shown_alone_does_not_begin_later():
    assert make_scenario(SAMPLE | {"FEEDS": "gps"}, None).later_feeds == frozenset()


def test_only_a_feed_with_sources_follows_the_markets():
    settings = scenario().app_settings(NOON)

    assert settings["TRADES_SOURCES"].startswith("coinbase:BTC-USD,")
    assert not {"PAYMENTS_SOURCES", "SHOP_SOURCES"} & settings.keys()


def test_payments_go_to_cosmos_too_and_keep_their_hub_where_another_feed_can_lose_its_own():
    without = make_scenario(SAMPLE | {"FEEDS": "trades,shop"}, None)

    assert scenario().app_settings(NOON)["TRANSACTIONS_COSMOS"] == "ingestion/transactions"
    assert (scenario().outage_feed, make_scenario(SAMPLE | {"FEEDS": "payments"}, None).outage_feed) == (
        "shop",
        "payments",
    )
    assert "TRANSACTIONS_COSMOS" not in without.app_settings(NOON)


def test_a_drawn_feed_that_is_too_slow_for_a_short_window_draws_faster():
    sample = SAMPLE | {"PAYMENTS_RATE": "100", "SHOP_RATE": "0.16"}

    settings = make_scenario(sample, None).app_settings(NOON)

    assert settings["SHOP_RATE"] == "10"
    assert not {"PAYMENTS_RATE", "TRADES_RATE"} & settings.keys()


def test_a_feed_with_a_measured_stream_gets_one_more_window_that_does_not_touch_the_first():
    (again,) = scenario().later_windows(window("shop", "pageviews", "stars"))

    assert again.as_request() == {"feed": "shop", "start": "2026-11-22T12:00:40+00:00", "length": "00:00:30"}


def test_the_first_window_of_a_feed_whose_own_stream_is_measured_is_too_short():
    settings = scenario().app_settings(NOON)

    lengths = {feed: seconds(settings[f"{feed}_WINDOW_LENGTH"]) for feed in ("TRADES", "PAYMENTS", "SHOP")}
    assert lengths == {"TRADES": SHORT_LENGTH, "PAYMENTS": LENGTH, "SHOP": LENGTH}


@pytest.mark.parametrize(
    ("feed", "stream", "verdicts"), [("trades", "trades", ["low", "normal"]), ("shop", "stars", ["first", "normal"])]
)
def test_the_verdicts_of_a_measured_feeds_windows_are_known(feed, stream, verdicts):
    ours = scenario()

    names = [feed, *(each.name for each in ours.later_windows(window(feed, stream)))]

    assert [ours.expected_verdict(name) for name in names] == verdicts


def test_one_feed_can_be_shown_alone():
    ours = make_scenario(SAMPLE, None, "payments")

    assert ours.app_settings(NOON)["FEEDS"] == "payments"
    assert (ours.short_feeds, ours.exchange_feeds, ours.promotes) == (frozenset(), frozenset(), False)


@pytest.mark.parametrize("alone", ["", "calls"])
def test_a_feed_that_is_not_there_is_refused_with_those_that_are(alone):
    with pytest.raises(ValueError, match=f"no feed '{alone}': FEED is one of trades, payments, shop"):
        make_scenario(SAMPLE, None, alone)


def test_the_hub_whose_points_become_promotions_is_never_lost():
    def lost(feeds):
        return make_scenario(SAMPLE | {"FEEDS": feeds}, None).outage_feed

    assert (lost("trades,payments,gps,shop"), lost("trades,gps")) == ("shop", None)


def test_a_feed_that_is_not_measured_gets_no_more():
    assert scenario().later_windows(window("payments", "transactions")) == ()


def test_the_table_of_a_window_is_that_of_its_measured_stream():
    ours = scenario()

    assert ours.table_of(window("trades", "trades")) == ("deals", "Trades")
    assert ours.table_of(window("shop", "pageviews", "stars")) == ("stars", "Stars")
    assert ours.table_of(window("payments", "transactions")) is None


def test_the_hub_of_a_drawn_feed_is_lost_for_longer_than_a_send_is_tried():
    settings = scenario().app_settings(NOON)

    assert scenario().outage_feed == "shop"
    assert seconds(settings["SEND_DEADLINE"]) < LOST_FOR / 2


def test_a_recordings_products_are_followed_and_nothing_is_known_of_their_volume(tmp_path):
    recording = tmp_path / "frames.txt"
    recording.write_text(
        '1.0 > {"type":"subscribe"}\n'
        '2.0 < {"type":"last_match","product_id":"YFI-BTC"}\n'
        '3.0 < {"type":"match","product_id":"SKL-USD"}\n'
        '4.0 < {"type":"ticker","product_id":"NU-GBP"}\n',
        encoding="utf-8",
    )

    ours = scenario(recording)

    assert ours.markets == ("coinbase:SKL-USD", "coinbase:YFI-BTC")
    assert ours.exchange_arguments() == ("--recording", str(recording))
    assert (ours.later_windows(window("trades", "trades")), ours.expected_verdict("trades")) == ((), None)
    assert ours.short_feeds == frozenset()


def test_a_file_without_matches_is_refused(tmp_path):
    empty = tmp_path / "frames.txt"
    empty.touch()

    with pytest.raises(ValueError, match="no Coinbase match frame"):
        scenario(empty)
