"""The contract of an identity: what holds for the local Entra must hold for the fake."""

import time
from dataclasses import replace

import pytest

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.errors import LoginRefused, Unavailable

SCOPE = "https://eventhubs.azure.net//.default"


@pytest.fixture(scope="module")
def login(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identity")
    tls, identities = make_tls_files(folder), make_identities()
    write_identities(identities, folder / "identities.json")
    shown = ("--certificate", tls.server, "--identities", folder / "identities.json")
    with running_service("entra", "--port", 0, *shown) as entra:
        who = identities.client_in_role("Sender")
        yield ServicePrincipal(
            identities.tenant, who.client_id, who.secret, entra["authority"], ca_bundle=str(tls.authority)
        )


@pytest.fixture(params=["fake", "entra"])
def made(request):
    """Make an identity that is good, refused, or whose provider does not answer."""
    if request.param == "fake":
        states = {"good": {}, "refused": {"refusal": "AADSTS7000215"}, "silent": {"outage": "no route"}}
        return lambda state: FakeIdentity(**states[state])
    login = request.getfixturevalue("login")
    changes = {"good": {}, "refused": {"client_secret": "another"}, "silent": {"authority_host": "https://127.0.0.1:9"}}
    return lambda state: make_identity(replace(login, **changes[state]))


def test_a_token_is_valid_now(made):
    token = made("good").token(SCOPE)

    assert token.value
    assert token.expires_on > time.time()
    assert token.value not in repr(token)


def test_a_refusal_names_the_client_and_what_it_wanted(made):
    identity = made("refused")

    with pytest.raises(LoginRefused, match=f"client id {identity.client_id} got no token for {SCOPE}: .*AADSTS7000215"):
        identity.token(SCOPE)


def test_a_provider_that_does_not_answer_is_unavailable_and_no_refusal(made):
    identity = made("silent")

    with pytest.raises(Unavailable, match=f"no token for client id {identity.client_id} to {SCOPE}"):
        identity.token(SCOPE)
