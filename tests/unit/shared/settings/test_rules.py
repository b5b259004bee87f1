"""What settings must be, alone and together: each rule with the value that broke it."""

from datetime import timedelta
from types import MappingProxyType

import pytest

from shared.errors import SettingsError
from shared.settings.model import read_settings
from shared.settings.rules import longest_wait
from tests.unit.shared.settings.test_model import HOST, LEAST, problems, read

BY_IDENTITY = MappingProxyType({"AzureWebJobsStorage": None})
ENDPOINT = "https://account.{}.core.windows.net"


def on_host(**changed):
    return read_settings(LEAST, HOST | changed)


@pytest.mark.parametrize("name", ["WINDOW_EVERY", "WINDOW_OFFSET", "WINDOW_LENGTH", "SLICE_LENGTH"])
def test_a_fraction_of_a_second_in_the_grid_is_refused(name):
    assert f"PAYMENTS_{name} must be a duration of whole seconds" in problems(**{f"PAYMENTS_{name}": "00:01:00.5"})


def test_a_fraction_of_a_second_of_lead_and_grace_is_taken():
    assert read(PAYMENTS_LEAD="00:00:00.5").feeds["payments"].template.lead == timedelta(seconds=0.5)


@pytest.mark.parametrize("rate", ["0.5", "0.58", "0.001"])
def test_a_catch_up_rate_that_makes_a_past_slice_longer_than_a_function_may_run_is_refused(rate):
    text = problems(PAYMENTS_CATCH_UP_RATE=rate)

    assert "PAYMENTS_SLICE_LENGTH / _CATCH_UP_RATE + SEND_DEADLINE + 00:01:00" in text
    assert "functionTimeout" in text


def test_a_catch_up_rate_whose_slices_fit_is_taken():
    assert read(PAYMENTS_CATCH_UP_RATE="0.7").feeds["payments"].template.catch_up_rate == 0.7


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "1000001", "1e300", "many"])
def test_a_rate_that_nothing_can_go_at_is_refused(rate):
    assert "PAYMENTS_RATE must be a number above zero, at most 1000000" in problems(PAYMENTS_RATE=rate)


def test_one_endpoint_of_storage_without_the_accounts_name_names_those_that_are_missing():
    text = problems(**BY_IDENTITY, AzureWebJobsStorage__tableServiceUri=ENDPOINT.format("table"))

    assert "AzureWebJobsStorage__blobServiceUri is not set" in text
    assert "AzureWebJobsStorage__queueServiceUri is not set" in text
    assert "AzureWebJobsStorage__tableServiceUri is" not in text


def test_the_three_endpoints_of_storage_are_enough_and_so_is_the_accounts_name():
    three = {f"AzureWebJobsStorage__{name}ServiceUri": ENDPOINT.format(name) for name in ("table", "blob", "queue")}

    assert read(**BY_IDENTITY, **three).storage_account is None
    assert read(**BY_IDENTITY, AzureWebJobsStorage__accountName="account").storage_account == "account"


@pytest.mark.parametrize("name", ["account.blob.core.windows.net", "https://account", "Account", "a"])
def test_what_is_no_name_of_a_storage_account_is_refused(name):
    assert "AzureWebJobsStorage__accountName must be the account's name alone" in problems(
        **BY_IDENTITY, AzureWebJobsStorage__accountName=name
    )


@pytest.mark.parametrize(
    "namespace",
    [
        "sb://x/",
        "sb://name.servicebus.windows.net/",
        "name.servicebus.windows.net/",
        "name.servicebus.windows.net:5671",
        "name",
        "a b.servicebus.windows.net",
        "Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=canary",
    ],
)
def test_what_is_no_host_of_a_namespace_is_refused_and_a_key_in_it_is_not_shown(namespace):
    text = problems(EVENT_HUBS__fullyQualifiedNamespace=namespace)

    assert "EVENT_HUBS__fullyQualifiedNamespace must" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mssql://",
        "mssql://sql.example",
        "mssql://user:{canary}@sql.example/trades",
        "mssql://sql.example/trades?password=canary",
        "mssql://sql.example:canary/trades",
        "mssql://[canary/trades",
        "postgresql://sql.example/trades",
        "sqlite:///",
        "Server=tcp:sql.example;Password=canary",
    ],
)
def test_a_sql_url_that_is_none_or_has_a_password_is_refused_at_the_start(url):
    text = problems(SQL__url=url, ONE_MACHINE="true")

    assert "SQL__url must be sqlite:///<path> or mssql://" in text
    assert "canary" not in text


@pytest.mark.parametrize("url", ["mssql://sql.example/trades", "mssql+pyodbc://sql.example:1433/trades", ""])
def test_a_sql_url_of_a_server_is_taken(url):
    assert read(SQL__url=url).enrichment.sql_url == (url or None)


def test_a_database_in_a_file_is_for_one_machine_only():
    assert read(SQL__url="sqlite:////data/sql.db", ONE_MACHINE="true").enrichment.sql_url
    assert "SQL__url is a file" in problems(SQL__url="sqlite:////data/sql.db")


@pytest.mark.parametrize("timer", ["@hourly", "0 0 * * * * *", "0 0 0 L * *", "0 0 0 * * sun#1", "0 0 0 * * 7"])
def test_a_timer_that_azure_does_not_read_is_refused(timer):
    assert "WINDOW_TIMER must be an NCRONTAB of six fields" in problems(WINDOW_TIMER=timer)


def test_a_timer_that_never_fires_is_refused():
    assert "WINDOW_TIMER must have a date that it fires at" in problems(WINDOW_TIMER="0 0 0 31 2 *")


@pytest.mark.parametrize(
    ("timer", "wait"),
    [
        ("0 * * * * *", timedelta(minutes=1)),
        ("*/5 * * * *", timedelta(minutes=5)),
        ("0 0 9 * * Mon-Fri", timedelta(days=3)),
        ("* * 8 * * *", timedelta(hours=23, minutes=1)),
        ("*/10 0 * * * *", timedelta(hours=1)),
    ],
)
def test_the_longest_wait_of_a_timer_is_known(timer, wait):
    assert longest_wait(timer) == wait


def test_a_file_of_authorities_that_is_not_there_or_holds_none_is_refused(tmp_path):
    empty = tmp_path / "none.pem"
    empty.write_text("no certificate")

    assert "CA_BUNDLE must be a file of this machine" in problems(CA_BUNDLE=str(tmp_path / "gone.pem"))
    assert "holds certificates in PEM" in problems(CA_BUNDLE=str(empty))


@pytest.mark.parametrize(
    "url",
    [
        "https://rest.coincap.io/v3?apiKey=canary",
        "https://rest.coincap.io/v3?canary",
        "https://user:{canary}@rest.coincap.io/v3",
        "https://rest.coincap.io/v3#canary",
        "https://rest.coincap.io:canary/v3",
        "https://[canary]/v3",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_shown(url):
    text = problems(ASSETS__url=url)

    assert "ASSETS__url must" in text
    assert "canary" not in text


def test_a_workspace_may_be_written_without_its_scheme_as_azure_does():
    assert read(DATABRICKS__host="adb-1.2.azuredatabricks.net").enrichment.databricks_host == (
        "https://adb-1.2.azuredatabricks.net"
    )


@pytest.mark.parametrize("name", ["EVENT_HUBS__clientSecret", "ASSETS__key", "ALERT_INGESTION_URL", "DATABRICKS__host"])
def test_a_key_vault_reference_that_was_not_resolved_is_refused_by_name(name):
    text = problems(**{name: "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/canary)"})

    assert f"{name} is a Key Vault reference that was not resolved: grant the app's identity" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("ASSETS__url", "https://localhost/coincap"),
        ("DATABRICKS__host", "https://127.0.0.1:8443"),
        ("EVENT_GRID__topicEndpoint", "https://[::1]/api/events"),
        ("COINBASE__websocketUrl", "wss://127.1.2.3/ws"),
        ("EVENT_HUBS__customEndpointAddress", "sb://api.localhost:5671"),
    ],
)
def test_only_one_machine_lets_an_address_lead_to_this_machine(name, url):
    assert f"{name} leads to this machine" in problems(**{name: url})
    assert read(**{name: url}, ONE_MACHINE="true")


def test_another_login_authority_is_refused_unless_it_is_microsofts_or_there_is_one_machine():
    other = {"EVENT_HUBS__authorityHost": "https://login.example"}

    assert "EVENT_HUBS__authorityHost must be one of" in problems(**other)
    assert read(**other, ONE_MACHINE="true").hub.authority_host == "https://login.example"
    assert read(EVENT_HUBS__authorityHost="https://login.microsoftonline.us").hub.authority_host


@pytest.mark.parametrize("name", ["%TASKHUB_NAME%", "a-b", "1hub", "x", "h" * 46])
def test_a_task_hub_is_named_as_azure_storage_wants_it(name):
    assert "TASKHUB_NAME must begin with a letter" in problems(TASKHUB_NAME=name)


@pytest.mark.parametrize("timeout", ["-1", -1], ids=["text", "number"])
def test_a_host_without_a_timeout_lets_slices_be_as_long_as_they_are(timeout):
    settings = read_settings(LEAST | {"PAYMENTS_SLICE_LENGTH": "01:00:00"}, HOST | {"functionTimeout": timeout})

    assert settings.feeds["payments"].template.slice_length == timedelta(hours=1)


def test_a_timeout_may_have_days():
    settings = read_settings(LEAST | {"PAYMENTS_SLICE_LENGTH": "01:00:00"}, HOST | {"functionTimeout": "1.00:00:00"})

    assert settings.feeds["payments"].template.slice_length == timedelta(hours=1)


@pytest.mark.parametrize("timeout", ["ten minutes", "", 600, None, [], "00:60:00", "24:00:00"])
def test_a_timeout_that_is_none_is_refused_by_its_rule(timeout):
    with pytest.raises(SettingsError, match=r"functionTimeout of host\.json must be a duration"):
        on_host(functionTimeout=timeout)


@pytest.mark.parametrize("activities", ["many", 0, -1, 2.5, True, None])
def test_a_number_of_activities_that_is_none_is_refused_by_its_rule(activities):
    with pytest.raises(SettingsError, match=r"maxConcurrentActivityFunctions of host\.json must be a whole number"):
        on_host(extensions={"durableTask": {"maxConcurrentActivityFunctions": activities}})


@pytest.mark.parametrize("extensions", [None, [], "durableTask", {"durableTask": 1}])
def test_extensions_that_are_no_object_are_refused_by_their_rule(extensions):
    with pytest.raises(SettingsError, match="must be reached through JSON objects"):
        on_host(extensions=extensions)


def test_the_names_in_the_hosts_file_are_read_in_any_case():
    document = {name: value for name, value in HOST.items() if name != "functionTimeout"}

    with pytest.raises(SettingsError, match="it must not exceed functionTimeout"):
        read_settings(LEAST, document | {"FUNCTIONTIMEOUT": "00:02:00"})


def test_the_environment_goes_over_the_hosts_file():
    with pytest.raises(SettingsError, match="it must not exceed functionTimeout"):
        read_settings(LEAST | {"AzureFunctionsJobHost__functionTimeout": "00:02:00"}, HOST)
