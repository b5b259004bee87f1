import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import setting
from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS
from shared.feeds.feed import LakeFolder, Stream
from shared.settings.keys import settings_of
from shared.settings.model import read_settings

HOST = json.loads(Path("host.json").read_text(encoding="utf-8"))
LEAST = {
    "EVENT_HUBS__fullyQualifiedNamespace": "name.servicebus.windows.net",
    "EVENT_HUBS__tenantId": "tenant",
    "EVENT_HUBS__clientId": "client",
    "EVENT_HUBS__clientSecret": "canary-secret",
    "AzureWebJobsStorage": "canary-storage",
}

POLLING = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__maxQueuePollingInterval"
RADIUS = setting.Setting("VISITS_RADIUS", setting.positive_integer, "25", "How near a visit counts, in metres.")


def read(**changes):
    environment = {name: value for name, value in (LEAST | changes).items() if value is not None}
    return read_settings(environment, HOST)


def problems(**changes):
    with pytest.raises(SettingsError) as caught:
        read(**changes)
    return str(caught.value)


def test_the_least_settings_are_enough():
    settings = read()

    assert list(settings.feeds) == ["trades", "payments", "gps", "call_centre", "shop"]
    assert settings.feeds["payments"].template.rate == 100
    assert settings.feeds["trades"].template.sources == ("coinbase:BTC-USD", "coinbase:ETH-USD")
    assert settings.timer_period == timedelta(minutes=1)


def test_one_error_names_every_wrong_or_missing_setting():
    text = problems(
        EVENT_HUBS__fullyQualifiedNamespace=None,
        EVENT_HUBS__clientSecret=None,
        PAYMENTS_RATE="fast",
        TRADES_SOURCES="nasdaq:MSFT",
        TRADES_WINDOW_LENGTH="25:00:00",
        WINDOW_TIMER="sometimes",
    )

    named = (
        "fullyQualifiedNamespace",
        "clientSecret",
        "PAYMENTS_RATE",
        "TRADES_SOURCES",
        "WINDOW_LENGTH",
        "WINDOW_TIMER",
    )
    assert all(name in text for name in named)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"FEEDS": "trades,weather"}, "weather"),
        ({"FEEDS": "trades,trades"}, "FEEDS must not name one twice"),
        ({"TRADES_WINDOW_LENGTH": "02:00:00"}, "at most TRADES_WINDOW_EVERY"),
        ({"TRADES_WINDOW_OFFSET": "01:00:00"}, "TRADES_WINDOW_OFFSET must be less"),
        ({"TRADES_SLICE_LENGTH": "00:09:00"}, "must not exceed functionTimeout"),
        ({"PAYMENTS_WINDOW_LENGTH": "00:10:00", "PAYMENTS_SLICE_LENGTH": "00:00:01"}, "576 slices"),
        ({"PYTHON_THREADPOOL_THREAD_COUNT": "2"}, "slices can overlap"),
        ({"AzureWebJobsStorage": None}, "the ledger lies there"),
        ({"COINBASE__websocketUrl": "ws://plain"}, "COINBASE__websocketUrl must be a URL"),
        ({"TRADES_PACKING": "bag"}, "one of row, pack"),
        ({"TRADES_LEAD": "00:00:20"}, "TRADES_LEAD must be at least 0:00:30: twice maxQueuePollingInterval"),
        ({POLLING: "00:00:15"}, "TRADES_LEAD must be at least 0:00:40"),
    ],
)
def test_a_broken_rule_is_told_with_its_setting(changes, words):
    assert words in problems(**changes)


def test_a_live_slice_is_connected_before_its_first_second_unless_nothing_is_polled_as_on_one_machine():
    drawn = read(PAYMENTS_LEAD="00:00:01").feeds["payments"]
    local = read(TRADES_LEAD="00:00:03", ONE_MACHINE="true").feeds["trades"]

    assert (drawn.template.lead, local.template.lead) == (timedelta(seconds=1), timedelta(seconds=3))
    assert "TRADES_LEAD must be at least 0:01:10" in without_polling()


def without_polling():
    """Say what is wrong where host.json leaves the polling as it is by default."""
    host = {**HOST, "extensions": {"durableTask": {"maxConcurrentActivityFunctions": 24}}}
    with pytest.raises(SettingsError) as caught:
        read_settings(LEAST, host)
    return str(caught.value)


def test_no_secret_is_ever_told():
    text = problems(PAYMENTS_RATE="fast", EVENT_HUBS__tenantId=None)

    assert "canary" not in text
    assert "canary" not in repr(read().hub)


def test_a_managed_identity_needs_no_secret():
    settings = read(EVENT_HUBS__credential="managedidentity", EVENT_HUBS__clientSecret=None, EVENT_HUBS__tenantId=None)

    assert settings.hub.credential == "managedidentity"


@given(hours=st.integers(0, 9999), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_durations_are_hours_minutes_and_seconds(hours, minutes, seconds):
    written = f"{hours:02}:{minutes:02}:{seconds:02}"

    assert setting.duration(written) == timedelta(hours=hours, minutes=minutes, seconds=seconds)


@given(st.text().filter(lambda text: text.count(":") != 2))
def test_any_other_text_is_no_duration(text):
    with pytest.raises(ValueError, match="hh:mm:ss"):
        setting.duration(text)


def test_the_keys_of_a_feed_are_made_from_its_value():
    visits = replace(FEEDS[1], name="visits", lead=timedelta(minutes=1), rate=0.16, settings=(RADIUS,))

    settings = read_settings(LEAST | {"FEEDS": "visits", "VISITS_RADIUS": "40"}, HOST, [visits])

    template = settings.feeds["visits"].template
    assert (template.lead, template.rate, settings.feeds["visits"].job) == (
        timedelta(minutes=1),
        0.16,
        "follow_window",
    )
    assert template.options == {"VISITS_RADIUS": 40}


def test_a_feed_is_enriched_by_the_one_job_unless_none_of_its_streams_goes_to_a_hub():
    in_files = tuple(replace(stream, destination=LakeFolder()) for stream in FEEDS[1].streams)
    filed = replace(FEEDS[1], streams=in_files)

    assert {name: feed.job for name, feed in read().feeds.items()} == dict.fromkeys(read().feeds, "follow_window")
    assert read_settings(LEAST | {"FEEDS": "payments"}, HOST, [filed]).feeds["payments"].job is None
    assert read(PAYMENTS_JOB="our own").feeds["payments"].job == "our own"


def test_packing_is_a_setting_of_each_stream():
    settings = read(TRANSACTIONS_PACKING="pack", TRANSACTIONS_ENCODING="zstd")

    (stream,) = settings.feeds["payments"].template.streams
    assert (stream.packing, stream.encoding) == ("pack", "zstd")


def test_a_hub_that_is_named_twice_stops_the_feed_that_names_it_second():
    settings = read(TRANSACTIONS_HUB="trades")

    assert list(settings.feeds) == ["trades", "gps", "call_centre", "shop"]
    assert settings.unusable == {
        "payments": "Feed payments can't run: TRANSACTIONS_HUB and TRADES_HUB both name hub 'trades'; "
        "each stream needs a hub of its own."
    }


def test_a_stream_goes_to_the_hubs_that_are_listed_in_the_place_of_its_one_hub():
    one, several = read(), read(TRANSACTIONS_HUB="z", TRANSACTIONS_HUBS="a, b,c-3")

    streams = [settings.feeds["payments"].template.streams[0] for settings in (one, several)]
    assert [stream.hubs for stream in streams] == [("transactions",), ("a", "b", "c-3")]


@pytest.mark.parametrize("hubs", ["a,b,a", "a,b/c", ","])
def test_hubs_that_are_no_names_or_named_twice_are_refused(hubs):
    assert "TRANSACTIONS_HUBS must" in problems(TRANSACTIONS_HUBS=hubs)


ACCOUNT = MappingProxyType({"COSMOS__accountEndpoint": "https://name.documents.azure.com"})


def test_a_stream_goes_to_cosmos_beside_its_hub_or_alone():
    places = [
        read(**ACCOUNT, **more).feeds["payments"].template.streams[0]
        for more in (
            {},
            {"TRANSACTIONS_COSMOS": "payments/transactions"},
            {"TRANSACTIONS_COSMOS": "payments/transactions", "TRANSACTIONS_COSMOS_ONLY": "true"},
        )
    ]

    assert [(each.destination, each.hubs, each.cosmos) for each in places] == [
        ("hub", ("transactions",), ""),
        ("hub", ("transactions",), "payments/transactions"),
        ("cosmos", (), "payments/transactions"),
    ]


def test_a_feed_none_of_whose_streams_goes_to_a_hub_has_no_job_for_a_run_reads_hubs():
    alone = {"TRANSACTIONS_COSMOS": "payments/transactions", "TRANSACTIONS_COSMOS_ONLY": "true"}

    assert (read().feeds["payments"].job, read(**ACCOUNT, **alone).feeds["payments"].job) == ("follow_window", None)


@pytest.mark.parametrize("container", ["transactions", "a/b/c", "/b", "a/", "a b/c", "a/b?"])
def test_a_container_that_is_not_named_with_its_database_is_refused(container):
    assert "TRANSACTIONS_COSMOS must be <database>/<container>" in problems(TRANSACTIONS_COSMOS=container)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"TRANSACTIONS_COSMOS_ONLY": "true"}, "TRANSACTIONS_COSMOS_ONLY is true, which needs TRANSACTIONS_COSMOS."),
        ({"TRANSACTIONS_COSMOS": "a/b"}, "TRANSACTIONS_COSMOS needs COSMOS__accountEndpoint, which is not set."),
        ({**ACCOUNT, "TRANSACTIONS_COSMOS": "a/b", "SPILL": "off"}, "TRANSACTIONS_COSMOS needs SPILL on"),
    ],
)
def test_what_cosmos_beside_a_hub_needs_is_asked_for(broken, rule):
    assert rule in problems(**broken)


def test_only_a_stream_that_may_go_to_cosmos_has_a_setting_for_it():
    assert [name for name in settings_of(FEEDS) if name.endswith("_COSMOS")] == ["TRANSACTIONS_COSMOS"]


def test_a_hub_of_several_that_another_stream_has_stops_the_feed_that_names_it_second():
    settings = read(FEEDS="trades,payments", TRADES_HUBS="a,b", TRANSACTIONS_HUBS="c,b")

    assert list(settings.feeds) == ["trades"]
    assert "TRANSACTIONS_HUBS and TRADES_HUBS both name hub 'b'" in settings.unusable["payments"]


def test_a_feed_that_is_declared_wrongly_is_left_out_with_its_reason():
    broken = replace(FEEDS[1], name="visits", streams=(Stream("visits/1"),))

    settings = read_settings(LEAST, HOST, [*FEEDS, broken])

    assert list(settings.feeds) == ["trades", "payments", "gps", "call_centre", "shop"]
    assert "visits/1 has no file" in settings.unusable["visits"]


def test_the_slices_of_a_feed_say_how_long_a_window_of_it_may_be():
    short = read(
        FEEDS="payments",
        PAYMENTS_WINDOW_LENGTH="00:30:00",
        PAYMENTS_SLICE_LENGTH="00:00:05",
        PYTHON_THREADPOOL_THREAD_COUNT="40",
    )

    assert read().feeds["payments"].schedule.longest == timedelta(hours=24)
    assert short.feeds["payments"].schedule.longest == timedelta(minutes=48)
