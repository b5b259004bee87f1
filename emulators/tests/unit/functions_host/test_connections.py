import pytest

from emulators.functions_host.connections import connection, resolved
from emulators.functions_host.errors import AppRefused


def test_a_connection_string_is_found_with_and_without_its_prefix():
    settings = {"AzureWebJobsStorage": "one", "OTHER": "two"}

    assert connection(settings, "Storage").string == connection(settings, "AzureWebJobsStorage").string == "one"
    assert connection(settings, "OTHER").string == "two"


def test_the_settings_of_an_identity_are_found_by_their_names_in_any_case():
    found = connection({"HUB__FullyQualifiedNamespace": "n.servicebus.windows.net", "HUB__empty": ""}, "HUB")

    assert found.required("fullyQualifiedNamespace") == "n.servicebus.windows.net"
    with pytest.raises(AppRefused, match="HUB__empty is not set"):
        found.required("empty")


def test_a_connection_that_no_setting_gives_is_refused():
    with pytest.raises(AppRefused, match="neither HUB nor one that begins with HUB__"):
        connection({"HUBS": "x", "HUB": ""}, "HUB")


def test_an_account_is_reached_by_its_address_or_by_its_name():
    assert connection({"S__queueServiceUri": "https://q/"}, "S").storage_address("queue") == "https://q/"
    assert connection({"S__accountName": "lake"}, "S").storage_address("blob") == "https://lake.blob.core.windows.net"


async def test_a_login_needs_all_of_a_client_secret_and_knows_no_other_kind():
    login = {"H__tenantId": "t", "H__clientId": "c", "H__clientSecret": "s", "H__authorityHost": "https://localhost:1"}

    async with connection(login, "H").credential() as credential:
        assert credential is not None
    with pytest.raises(AppRefused, match="H__clientSecret is not set"):
        connection(login | {"H__clientSecret": ""}, "H").credential()
    with pytest.raises(AppRefused, match="knows no login but a client secret"):
        connection(login | {"H__credential": "managedidentity"}, "H").credential()


def test_app_settings_are_put_in_for_their_names():
    assert resolved("%STAGE%-orders", {"STAGE": "dev"}) == "dev-orders"
    assert resolved("orders", {}) == "orders"
    with pytest.raises(AppRefused, match="%STAGE% names an app setting"):
        resolved("%STAGE%-orders", {})
    with pytest.raises(AppRefused, match="without its second"):
        resolved("100%", {})
