"""The command lines of the platform's services."""

from pathlib import Path

import pytest

from local.clone import ROOT
from local.platform.options import default_hubs
from local.platform.services import Choices, services
from local.platform.state import State

STATE = State(Path("/state/up"))
ADDRESSES = {"entra": {"issuer": "https://localhost:20001/tenant/"}}


def listed(**choices):
    return {service.name: service for service in services(Choices(**choices), STATE)}


def test_all_services_are_listed_and_the_functions_host_can_be_left_out():
    assert list(listed()) == ["storage", "entra", "event_hubs", "exchange", "notification_hubs", "functions"]
    assert list(listed(with_functions=False)) == list(listed())[:-1]


@pytest.mark.parametrize(
    ("choices", "hubs"),
    [
        ({}, ("gps", "promotions", "deliveries")),
        ({"settings": {"FEEDS": "trades, gps", "GPS_HUB": "points"}}, ("points", "promotions", "deliveries")),
        ({"settings": {"FEEDS": "trades,shop"}}, ()),
        ({"hubs": "gps:4,promotions:4"}, ()),
    ],
)
def test_promotions_and_their_notification_hub_are_there_where_gps_and_its_hubs_are(choices, hubs):
    assert Choices(**choices).promotion_hubs == hubs
    assert ("notification_hubs" in listed(**choices)) == bool(hubs)


@pytest.mark.parametrize(
    ("choices", "hubs"),
    [
        ({}, ("pageviews", "stars")),
        ({"settings": {"FEEDS": "trades, shop", "PAGEVIEWS_HUB": "views"}}, ("views", "stars")),
        ({"settings": {"FEEDS": "trades,gps"}}, ()),
        ({"hubs": "pageviews:4,trades:1"}, ()),
    ],
)
def test_views_are_listened_to_where_the_shop_and_both_its_hubs_are(choices, hubs):
    assert Choices(**choices).alert_hubs == hubs


def test_the_app_may_read_the_hubs_that_it_listens_to_and_not_that_of_deliveries():
    assert Choices().listened_hubs == ("gps", "promotions", "pageviews", "stars")


def test_each_listener_has_a_consumer_group_of_its_own():
    command = listed()["event_hubs"].command(ADDRESSES)

    assert command[command.index("--consumer-groups") + 1] == "$Default,alerts,promotions,push"


def test_the_notification_hub_finds_its_key_in_a_file_and_has_its_ports():
    command = listed()["notification_hubs"].command(ADDRESSES)

    assert command[command.index("--key-file") + 1] == str(STATE.push_key)
    assert (command[command.index("--port") + 1], command[command.index("--admin-port") + 1]) == ("20014", "20015")


def test_cosmos_is_added_where_it_is_wanted_with_its_key_in_a_file():
    cosmos = listed(with_cosmos=True)["cosmos"]

    command = cosmos.command(ADDRESSES)

    assert cosmos.after == {"entra"}
    assert command[command.index("--container") + 1] == "ingestion/transactions:/ipCountryCode"
    assert command[command.index("--key-file") + 1] == str(STATE.cosmos_key)


def test_application_insights_is_added_where_it_is_wanted_and_keeps_its_tables_in_the_state():
    telemetry = listed(with_telemetry=True)["application_insights"]

    command = telemetry.command({})

    assert "application_insights" not in listed()
    assert (telemetry.after, command[command.index("--state") + 1]) == (frozenset(), str(STATE.telemetry))
    assert (command[command.index("--port") + 1], command[command.index("--admin-port") + 1]) == ("20016", "20017")


def test_the_hubs_that_settings_give_to_a_stream_are_made():
    command = listed(settings={"TRANSACTIONS_HUBS": "a,b", "TRADES_HUB": "trades"})["event_hubs"].command(ADDRESSES)

    assert set(command[command.index("--hubs") + 1].split(",")) == {"a:10", "b:10", *default_hubs().split(",")}


def test_hub_waits_for_entra_and_is_given_its_issuer():
    hub = listed()["event_hubs"]

    command = hub.command(ADDRESSES)

    assert hub.after == {"entra"}
    assert command[command.index("--issuer") + 1] == "https://localhost:20001/tenant/"
    assert (
        command[command.index("--hubs") + 1]
        == "calls:4,deliveries:4,gps:4,items:4,orders:4,pageviews:4,promotions:4,stars:4,"
        "surveys:4,trades:4,transactions:10,ura:4"
    )
    assert command[command.index("--websocket-port") + 1] == "20009"


def test_functions_host_waits_for_all_others():
    assert listed()["functions"].after == {"storage", "entra", "event_hubs", "exchange", "notification_hubs"}


def test_functions_host_runs_the_app_of_this_clone_or_the_one_that_is_chosen():
    usual, chosen = listed()["functions"].command({}), listed(app=Path("/another/app"))["functions"].command({})

    assert usual[usual.index("--app") + 1] == str(ROOT)
    assert chosen[chosen.index("--app") + 1] == "/another/app"


def test_no_command_line_holds_a_secret_only_files_that_do():
    words = [word for service in listed().values() for word in service.command(ADDRESSES)]

    assert str(STATE.identities) in words
    assert not any("Key=" in word or "secret" in word for word in words)


def test_further_arguments_come_last_so_that_they_win():
    command = listed()["exchange"].command(ADDRESSES, ["--rate", "100"])

    assert command[-2:] == ["--rate", "100"]
