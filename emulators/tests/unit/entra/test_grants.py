"""The token endpoint's decision."""

import base64
from urllib.parse import quote_plus

import pytest

from emulators.entra.grants import RESOURCES, audience_of, decide
from emulators.entra.identities import Client, Identities, make_identities
from emulators.entra.refusals import Refusal

IDENTITIES = make_identities()
SENDER = IDENTITIES.client_in_role("Sender")
FORM = {
    "grant_type": "client_credentials",
    "client_id": SENDER.client_id,
    "client_secret": SENDER.secret,
    "scope": "https://eventhubs.azure.net//.default",
}


BODY = {name: value for name, value in FORM.items() if not name.startswith("client_")}


def basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def refused(tenant=IDENTITIES.tenant, without=(), authorization="", **changes):
    form = {name: value for name, value in (FORM | changes).items() if name not in without}
    with pytest.raises(Refusal) as caught:
        decide(form, tenant, "https://issuer/", IDENTITIES, authorization)
    return caught.value.code, caught.value.error, int(caught.value.status)


def test_id_and_secret_may_come_in_the_header_in_the_place_of_the_form():
    grant = decide(BODY, IDENTITIES.tenant, "https://issuer/", IDENTITIES, basic(SENDER.client_id, SENDER.secret))

    assert grant.client_id == SENDER.client_id


def test_id_and_secret_in_the_header_are_form_urlencoded():
    secret = "a+b c%:é"
    identities = Identities(IDENTITIES.tenant, (Client("an id", secret, "Sender"),), ())

    grant = decide(BODY, IDENTITIES.tenant, "https://issuer/", identities, basic("an id", secret))

    assert grant.client_id == "an id"


def test_wrong_secret_in_the_header_is_an_invalid_client():
    wrong = basic(SENDER.client_id, "guess")

    assert refused(without=["client_id", "client_secret"], authorization=wrong) == (7000215, "invalid_client", 401)


def test_secret_in_header_and_form_at_once_is_refused_though_both_are_right():
    both = basic(SENDER.client_id, SENDER.secret)

    assert refused(authorization=both) == (9002313, "invalid_request", 400)


@pytest.mark.parametrize("header", ["Basic ???", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w=="])
def test_header_that_is_no_basic_login_is_malformed(header):
    assert refused(without=["client_id", "client_secret"], authorization=header)[0] == 9002313


def test_header_and_form_that_name_two_clients_are_refused():
    other = basic(IDENTITIES.client_in_role("Receiver").client_id, "any")

    assert refused(without=["client_secret"], authorization=other)[0] == 9002313


def test_header_of_another_scheme_proves_nothing():
    assert refused(without=["client_secret"], authorization="Bearer token")[0] == 7000216


def test_one_namespace_of_event_hubs_is_a_resource():
    scope = "https://local.servicebus.windows.net/.default"

    assert audience_of(scope, "tenant") == "https://local.servicebus.windows.net"


def test_right_secret_is_granted_the_resource_it_asks_for():
    grant = decide(FORM, IDENTITIES.tenant, "https://issuer/", IDENTITIES)

    assert (grant.client_id, grant.audience) == (SENDER.client_id, "https://eventhubs.azure.net/")


def test_tenant_and_client_are_found_in_any_case():
    form = FORM | {"client_id": SENDER.client_id.upper()}

    grant = decide(form, IDENTITIES.tenant.upper(), "https://issuer/", IDENTITIES)

    assert (grant.tenant, grant.client_id) == (IDENTITIES.tenant, SENDER.client_id)


def test_wrong_secret_is_an_invalid_client():
    assert refused(client_secret="guess") == (7000215, "invalid_client", 401)


def test_secret_of_another_client_is_wrong():
    assert refused(client_secret=IDENTITIES.client_in_role("Receiver").secret)[0] == 7000215


def test_wrong_secret_beyond_ascii_is_refused_like_any_other():
    assert refused(client_secret="gehéim")[0] == 7000215


def test_unknown_tenant_is_not_found():
    assert refused(tenant="7d9a1c7e-0000-4000-8000-000000000000") == (90002, "invalid_request", 400)


def test_unknown_client_is_unauthorized():
    assert refused(client_id="7d9a1c7e-0000-4000-8000-000000000000") == (700016, "unauthorized_client", 400)


def test_other_grant_types_are_unsupported():
    assert refused(grant_type="password") == (70003, "unsupported_grant_type", 400)


def test_request_without_any_credential_is_refused():
    assert refused(without=["client_secret"]) == (7000216, "invalid_client", 401)


@pytest.mark.parametrize("name", ["grant_type", "client_id", "scope"])
def test_missing_parameter_is_named(name):
    assert refused(without=[name]) == (900144, "invalid_request", 400)


@pytest.mark.parametrize("scope", ["https://eventhubs.azure.net/", "/.default a/.default", "openid"])
def test_scope_that_is_not_one_resource_is_invalid(scope):
    assert refused(scope=scope) == (70011, "invalid_scope", 400)


def test_scopes_of_openid_beside_the_resource_change_nothing():
    scope = "https://eventhubs.azure.net/.default openid profile offline_access"

    assert audience_of(scope, "tenant") == "https://eventhubs.azure.net"


def test_unknown_resource_is_invalid():
    assert refused(scope="https://graph.example/.default") == (500011, "invalid_resource", 400)


@pytest.mark.parametrize("resource", sorted(RESOURCES))
@pytest.mark.parametrize("slash", ["", "/"])
def test_audience_is_the_scope_without_default_to_the_letter(resource, slash):
    assert audience_of(f"{resource}{slash}/.default", "tenant") == f"{resource}{slash}"
