"""The app settings of a platform that runs."""

from dataclasses import replace

import pytest

from emulators.key_files import write_key
from local.platform.commands import settings_for_core_tools
from local.platform.listening import promotion_settings, view_alert_settings
from local.platform.services import Choices


@pytest.fixture
def with_key(running):
    running.state.folder.mkdir()
    write_key("the key of pushes", running.state.push_key)
    return running


def test_settings_log_the_sender_in_to_the_local_hub(running):
    settings = running.app_settings()

    sender = running.identities.client_in_role("Sender")
    assert {name: value for name, value in settings.items() if name.startswith("EVENT_HUBS__")} == {
        "EVENT_HUBS__fullyQualifiedNamespace": "local.servicebus.windows.net",
        "EVENT_HUBS__customEndpointAddress": "sb://localhost:5671",
        "EVENT_HUBS__credential": "clientsecret",
        "EVENT_HUBS__tenantId": running.identities.tenant,
        "EVENT_HUBS__clientId": sender.client_id,
        "EVENT_HUBS__clientSecret": sender.secret,
        "EVENT_HUBS__authorityHost": "https://localhost:20001",
    }


def test_settings_point_at_cosmos_only_where_it_runs(running):
    beside = replace(running, addresses={**running.addresses, "cosmos": {"account": "https://localhost:20012"}})

    found = {name: value for name, value in beside.app_settings().items() if name.startswith("COSMOS")}

    assert found == {"COSMOS__accountEndpoint": "https://localhost:20012"}
    assert not any(name.startswith("COSMOS") for name in running.app_settings())


def test_settings_send_telemetry_to_this_machine_where_it_is_taken(running):
    there = {"application_insights": {"connection_string": "InstrumentationKey=k"}}
    beside = replace(running, addresses={**running.addresses, **there})

    found = {name: value for name, value in beside.app_settings().items() if name.startswith("APPLICATIONINSIGHTS")}

    assert found == {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=k"}
    assert beside.app_settings()["PYTHON_ENABLE_OPENTELEMETRY"] == "true"
    assert not any(name.startswith("APPLICATIONINSIGHTS") for name in running.app_settings())


def test_settings_name_storage_and_the_authority_that_clients_trust(running):
    settings = running.app_settings()

    assert settings["AzureWebJobsStorage"] == running.addresses["storage"]["connection_string"]
    assert settings["CA_BUNDLE"] == str(running.state.folder / "tls" / "ca.pem")


def test_each_venue_has_its_own_paths_on_the_exchange(running):
    settings = running.app_settings()

    assert {name: value for name, value in settings.items() if "localhost:20003" in value} == {
        "COINBASE__websocketUrl": "wss://localhost:20003/coinbase/ws",
        "COINBASE__restUrl": "https://localhost:20003/coinbase",
        "BINANCE__websocketUrl": "wss://localhost:20003/binance/ws",
        "BINANCE__restUrl": "https://localhost:20003/binance",
        "KRAKEN__websocketUrl": "wss://localhost:20003/kraken/v2",
        "KRAKEN__restUrl": "https://localhost:20003/kraken",
        "BITSTAMP__websocketUrl": "wss://localhost:20003/bitstamp/ws",
        "BITSTAMP__restUrl": "https://localhost:20003/bitstamp",
    }


def test_receiver_logs_in_as_itself(running):
    receiver = running.identities.client_in_role("Receiver")

    assert running.event_hubs_settings("Receiver")["EVENT_HUBS__clientId"] == receiver.client_id


def test_core_tools_get_the_short_storage_connection_on_standard_ports(with_key):
    assert settings_for_core_tools(with_key, Choices())["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"


def test_core_tools_get_the_whole_storage_connection_on_other_ports(with_key):
    storage = dict(with_key.addresses["storage"]) | {"table": "http://127.0.0.1:4711"}
    moved = replace(with_key, addresses=dict(with_key.addresses) | {"storage": storage})

    assert settings_for_core_tools(moved, Choices())["AzureWebJobsStorage"] == storage["connection_string"]


def test_promotions_are_on_and_pushed_to_the_notification_hub_where_it_runs(with_key):
    alone = {name: value for name, value in with_key.addresses.items() if name != "notification_hubs"}
    renamed = Choices(settings={"GPS_HUB": "points"})

    assert promotion_settings(with_key, renamed) == {
        "AzureWebJobs.promote_points.Disabled": "false",
        "AzureWebJobs.push_promotions.Disabled": "false",
        "GPS_HUB": "points",
        "PROMOTIONS_HUB": "promotions",
        "DELIVERIES_HUB": "deliveries",
        "PUSH_URL": "https://localhost:20014/phones",
        "PUSH_HOSTS": "localhost",
        "PUSH_KEY_NAME": "send",
        "PUSH_KEY": "the key of pushes",
        "SSL_CERT_FILE": str(with_key.state.authority),
    }
    assert promotion_settings(replace(with_key, addresses=alone), Choices()) == {}
    assert set(promotion_settings(with_key, Choices())) <= set(settings_for_core_tools(with_key, Choices()))


def test_views_raise_alerts_where_the_shop_and_both_its_hubs_are(with_key):
    renamed = Choices(settings={"FEEDS": "shop", "STARS_HUB": "thumbs"})

    assert view_alert_settings(with_key, renamed) == {
        "AzureWebJobs.alert_of_pageviews.Disabled": "false",
        "AzureWebJobs.alert_of_stars.Disabled": "false",
        "PAGEVIEWS_HUB": "pageviews",
        "STARS_HUB": "thumbs",
        "SSL_CERT_FILE": str(with_key.state.authority),
    }
    assert view_alert_settings(with_key, Choices(settings={"FEEDS": "gps"})) == {}
    assert set(view_alert_settings(with_key, Choices())) <= set(settings_for_core_tools(with_key, Choices()))
