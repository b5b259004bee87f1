"""The contract of an identity: what holds for the local Entra must hold for the fake."""

import time
from dataclasses import replace

import pytest

from shared.clients.identity.credentials import make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused

SCOPE = "https://eventhubs.azure.net//.default"
BUSY = "AADSTS90055: There are too many incoming requests."


@pytest.fixture(params=["fake", "entra"])
def made(request):
    """Make an identity that is good, refused, put off, or whose provider does not answer."""
    if request.param == "fake":
        states = {
            "good": {},
            "refused": {"refusal": "AADSTS7000215"},
            "silent": {"outage": "no route"},
            "busy": {"outage": BUSY, "outages": 1, "throttled": True, "retry_after": 1.0},
        }
        return lambda state: FakeIdentity(**states[state])
    entra = request.getfixturevalue("entra")
    changes = {"refused": {"client_secret": "another"}, "silent": {"authority_host": "https://127.0.0.1:9"}}

    def identity(state):
        if state == "busy":
            entra.order(kind="throttled", retry_after="1")
        return make_identity(replace(entra.login, **changes.get(state, {})))

    return identity


def test_a_token_is_valid_now(made):
    token = made("good").token(SCOPE)

    assert token.value
    assert token.expires_on > time.time()
    assert token.value not in repr(token)


def test_a_refusal_names_the_client_and_what_it_wanted(made):
    identity = made("refused")

    with pytest.raises(LoginRefused, match=f"client id {identity.client_id} got no token for {SCOPE}: AADSTS7000215"):
        identity.token(SCOPE)


def test_a_provider_that_does_not_answer_passes_and_is_no_refusal(made):
    identity = made("silent")

    with pytest.raises(TransientError, match=f"no token for client id {identity.client_id} to {SCOPE}") as caught:
        identity.token(SCOPE)

    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.UNAVAILABLE, 0.0)


def test_a_provider_that_puts_off_says_for_how_long_and_gives_a_token_then(made):
    identity = made("busy")

    with pytest.raises(
        TransientError, match=f"no token for client id {identity.client_id} to {SCOPE}: {BUSY}"
    ) as caught:
        identity.token(SCOPE)
    time.sleep(caught.value.retry_after)

    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.THROTTLED, 1.0)
    assert identity.token(SCOPE).value
