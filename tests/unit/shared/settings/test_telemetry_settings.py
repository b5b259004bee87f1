import json
from datetime import timedelta

import pytest

from shared.settings.model import read_settings
from shared.settings.telemetry import Login, connection, login
from tests.architecture.app_on_fakes import LEAST
from tests.architecture.tree import text

KEY = "00000000-0000-0000-0000-000000000001"
CLIENT = "44444444-4444-4444-4444-444444444444"


HOST = json.loads(text("host.json"))


def read(**given):
    return read_settings(LEAST | {"FEEDS": "trades"} | given, HOST).telemetry


def test_nothing_is_sent_where_nothing_is_set():
    settings = read()

    assert (settings.connection, settings.login) == (None, None)
    assert (settings.role, settings.every) == ("reactive-ingestion", timedelta(minutes=1))


def test_the_apps_identity_sends_as_the_host_is_told():
    written = f"InstrumentationKey={KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
    settings = read(
        APPLICATIONINSIGHTS_CONNECTION_STRING=written,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"ClientId={CLIENT};Authorization=AAD",
    )

    assert (settings.connection, settings.login) == (written, Login(CLIENT))
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    "written",
    [
        f"instrumentationkey={KEY};ingestionendpoint=http://127.0.0.1:8/;",
        f"InstrumentationKey={KEY};IngestionEndpoint=https://h/",
    ],
)
def test_a_connection_string_is_read_in_any_case_and_may_lead_to_this_machine(written):
    assert connection(written) == written


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("nonsense", "must be a connection string"),
        ("InstrumentationKey=1;IngestionEndpoint=https://h/", "InstrumentationKey that is a UUID"),
        (f"InstrumentationKey={KEY}", "IngestionEndpoint"),
        (f"InstrumentationKey={KEY};IngestionEndpoint=http://elsewhere/", "IngestionEndpoint"),
    ],
)
def test_a_connection_string_that_the_exporter_could_not_use_is_refused(written, rule):
    with pytest.raises(ValueError, match=rule):
        connection(written)


def test_the_systems_identity_has_no_client_id():
    assert login("Authorization=AAD") == Login(None)
    assert login(" ") is None


@pytest.mark.parametrize("written", ["ClientId=x;Authorization=AAD", f"ClientId={CLIENT}", "AAD", "Authorization=key"])
def test_a_login_that_is_none_is_refused(written):
    with pytest.raises(ValueError, match="Authorization=AAD"):
        login(written)
