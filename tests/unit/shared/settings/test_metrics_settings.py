import json

import pytest

from shared.domain.volumes.measurement import MeasuredTable
from shared.errors import SettingsError
from tests.hostile_urls import HOSTILE_URLS
from tests.unit.shared.settings.test_model import problems, read

LOGIC_APP = "https://prod-7.westeurope.logic.azure.com:443/workflows/1/triggers/manual?sig=canary"
SECRETS = {
    "EVENT_HUBS__clientSecret": "canary-client",
    "AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=canary-storage",
    "EVENT_GRID__topicKey": "canary-topic",
    "ASSETS__key": "canary-assets",
    "SQL__url": "mssql://sql.example/canary-sql",
    "ALERT_INGESTION_URL": LOGIC_APP,
}


def tables(**entries):
    return json.dumps(entries)


def test_trades_are_measured_without_any_setting():
    assert read().metrics.tables == {"trades": MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")}


def test_a_table_has_defaults_for_all_but_its_name():
    settings = read(METRICS_TABLES=tables(orders={"table": "Orders"}))

    assert settings.metrics.tables == {"orders": MeasuredTable("orders", "Orders", "orders", 1000, "ingestion")}


def test_each_alert_that_a_table_names_has_a_url_of_its_own():
    settings = read(METRICS_TABLES=tables(orders={"table": "Orders", "alert": "night"}), ALERT_NIGHT_URL=LOGIC_APP)

    assert {name: url.host for name, url in settings.metrics.alert_urls.items()} == {
        "night": "prod-7.westeurope.logic.azure.com"
    }


def test_an_alert_without_a_url_has_none():
    assert read().metrics.alert_urls == {}


@pytest.mark.parametrize("url", [url for url in HOSTILE_URLS if url.strip()])
def test_a_hostile_url_is_refused_by_its_setting_and_not_shown(url):
    text = problems(ALERT_INGESTION_URL=url)

    assert "ALERT_INGESTION_URL" in text
    assert url not in text


def test_alerts_may_go_to_this_machine_only_where_a_setting_says_that_there_is_no_other():
    local = {"ALERT_INGESTION_URL": "https://127.0.0.1:20010/workflows/1", "ALERT_HOSTS": "127.0.0.1"}

    assert read(**local, ONE_MACHINE="true").metrics.alert_urls
    assert "ALERT_INGESTION_URL" in problems(**local)


def test_another_endpoint_of_the_namespace_loosens_no_rule():
    local = {"ALERT_INGESTION_URL": "https://127.0.0.1:20010/workflows/1", "ALERT_HOSTS": "127.0.0.1"}

    assert "ALERT_INGESTION_URL" in problems(**local, EVENT_HUBS__customEndpointAddress="sb://gateway.contoso.example")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("not json", "must be JSON"),
        ("[]", "must be a JSON object"),
        (tables(**{"a b": {"table": "A"}}), "letters, digits and _"),
        (tables(a="A"), "each with an object"),
        (tables(a={}), "must give each key table"),
        (tables(a={"table": "A", "flor": 1}), "must give each key table"),
        (tables(a={"table": "A", "floor": -1}), "whole floors"),
        (tables(a={"table": "A", "floor": True}), "whole floors"),
        (tables(a={"table": "A", "floor": 1.5}), "whole floors"),
        (tables(a={"table": 'A"; DROP TABLE A; --'}), "letters, digits and _"),
        (tables(a={"table": "dbo.A"}), "letters, digits and _"),
        (tables(a={"table": None}), "letters, digits and _"),
    ],
)
def test_tables_that_can_not_be_measured_are_refused_by_their_rule(written, words):
    assert words in problems(METRICS_TABLES=written)


def test_a_settings_error_is_raised_whatever_the_tables_are():
    with pytest.raises(SettingsError):
        read(METRICS_TABLES="{", FEEDS="weather")


def test_no_secret_is_in_a_repr_or_in_the_error_of_another_setting():
    assert "canary" not in repr(read(**SECRETS))
    assert "canary" not in problems(**SECRETS, FEEDS="weather", WINDOW_TIMER="sometimes")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_wrong_itself_is_not_shown(name):
    wrong = "canary\tis no value of any setting"

    try:
        shown = repr(read(**SECRETS | {name: wrong}))
    except SettingsError as error:
        shown = str(error)

    assert "canary" not in shown
