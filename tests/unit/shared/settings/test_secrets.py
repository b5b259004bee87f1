"""No value that may be a secret is ever shown, whichever setting it was put in, rightly or by mistake."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS
from shared.services import Services
from shared.settings.keys import settings_of
from shared.settings.model import read_settings
from tests.unit.shared.settings.test_model import HOST, LEAST

SETTINGS = settings_of(FEEDS)
NAMES = [*SETTINGS, "ALERT_NIGHT_URL"]
TABLES = {"METRICS_TABLES": '{"orders": {"table": "Orders", "alert": "night"}}'}
MISTAKES = [
    "Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey={}",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}",
    "Server=tcp:sql.example,1433;User ID=me;Password={};",
    "https://me:{}@name.example/path",
    "https://name.example/path?apiKey={}",
    "https://prod-7.westeurope.logic.azure.com/workflows/1?sig={}",
    "mssql://me:{}@sql.example/trades",
    "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/{})",
]
canaries = st.text("ABCdef019+/_", min_size=8, max_size=40).map(lambda text: f"canary{text}Canary")
bare_keys = st.text("ABCdef019+/", min_size=32, max_size=60).map(lambda text: f"{text}canary=")
names_of_secrets = [*(each.name for each in SETTINGS.values() if each.secret), "ALERT_NIGHT_URL"]


def said_of(name, value):
    """Give all that reading the settings says, as an error or as a value that a log would show."""
    return error_of(name, value) or repr(read_settings(LEAST | TABLES | {name: value}, HOST))


def error_of(name, value):
    """Give what the error says that the value raises, if it raises one."""
    try:
        read_settings(LEAST | TABLES | {name: value}, HOST)
    except SettingsError as error:
        return str(error)
    return ""


@given(name=st.sampled_from(NAMES), form=st.sampled_from(MISTAKES), canary=canaries)
def test_a_secret_in_any_setting_is_shown_nowhere(name, form, canary):
    assert canary not in said_of(name, form.format(canary))


@given(name=st.sampled_from(names_of_secrets), value=st.text(min_size=5).map(lambda text: f"canary{text}"))
def test_whatever_a_secret_setting_holds_is_shown_nowhere(name, value):
    assert value not in said_of(name, value)


@given(
    name=st.sampled_from(NAMES),
    canary=st.text("ABCdef019+/", min_size=32, max_size=60).map(lambda text: f"{text}canary="),
)
def test_a_bare_key_in_any_setting_is_in_no_error(name, canary):
    assert canary not in error_of(name, canary)


@pytest.mark.parametrize("form", MISTAKES)
@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_with_each_setting_is_shown_nowhere(name, form):
    assert "canaryCanary" not in said_of(name, form.format("canaryCanary"))


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_in_any_setting_is_in_no_line_of_the_log(name, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    for other, value in (LEAST | TABLES | {name: MISTAKES[0].format("canaryCanary")}).items():
        monkeypatch.setenv(other, value)

    try:
        shown = repr(Services().settings)
    except SettingsError as error:
        shown = str(error)

    assert "canaryCanary" not in shown + caplog.text


def test_a_value_that_is_plain_is_shown_so_that_it_can_be_found():
    with pytest.raises(SettingsError, match=r"PAYMENTS_RATE must be a number above zero.* It is 'fast'"):
        read_settings(LEAST | {"PAYMENTS_RATE": "fast"}, HOST)
