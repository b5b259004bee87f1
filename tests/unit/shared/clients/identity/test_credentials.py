import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

from shared.clients.identity.credentials import (
    AzureIdentity,
    LoopIdentity,
    ManagedIdentity,
    ServicePrincipal,
    Token,
    TokenRefused,
    make_identity,
)
from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Untrusted

CANARY = "canary-5f1c2d"
SCOPE = "https://eventhubs.azure.net//.default"


class Provider:
    """A credential that answers or raises what it is told, and notes how many ask at once."""

    def __init__(self, answer: AccessToken | Exception) -> None:
        self.answer = answer
        self.asked = 0
        self.asking = 0
        self.most_asking = 0

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asking, self.asked = self.asking + 1, self.asked + 1
        self.most_asking = max(self.most_asking, self.asking)
        threading.Event().wait(0.001)
        self.asking -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refusal(text: str, *, cause: Exception | None = None) -> ClientAuthenticationError:
    error = ClientAuthenticationError(message=text)
    error.__cause__ = cause
    return error


def test_a_token_is_handed_on_with_its_expiry():
    assert AzureIdentity(Provider(AccessToken("abc", 77)), "c1").token(SCOPE) == Token("abc", 77)


def test_a_refusal_names_the_client_and_what_it_wanted_to_reach():
    identity = AzureIdentity(Provider(refusal("AADSTS7000215: Invalid client secret provided.")), "c1")

    with pytest.raises(LoginRefused, match=r"client id c1 got no token for https://eventhubs.*AADSTS7000215"):
        identity.token(SCOPE)


@pytest.mark.parametrize(
    "silence",
    [
        ServiceRequestError("no route"),
        refusal("Authentication failed", cause=ServiceRequestError("no route")),
        refusal("Authentication failed", cause=ServiceResponseError("cut")),
        refusal("Authentication failed", cause=json.JSONDecodeError("no JSON", "<html>", 0)),
    ],
)
def test_a_provider_that_does_not_answer_is_unavailable_not_a_refusal(silence):
    with pytest.raises(TransientError, match="client id c1") as caught:
        AzureIdentity(Provider(silence), "c1").token(SCOPE)

    assert caught.value.kind is FailureKind.UNAVAILABLE
    assert "Error" not in str(caught.value)


def test_a_provider_that_puts_off_is_throttled_and_its_wait_is_told():
    said = TokenRefused(FailureKind.THROTTLED, "AADSTS90055: There are too many incoming requests.", 60.0)
    identity = AzureIdentity(Provider(refusal("Authentication failed", cause=said)), "c1")

    with pytest.raises(TransientError, match=f"no token for client id c1 to {SCOPE}: AADSTS90055") as caught:
        identity.token(SCOPE)

    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.THROTTLED, 60.0)


def test_nobody_asks_the_provider_sooner_than_it_said():
    now, provider = [0.0], Provider(TokenRefused(FailureKind.THROTTLED, "busy", 60.0))
    identity = AzureIdentity(provider, "c1", lambda: now[0])
    waits = []

    for now[0] in (0.0, 1.0, 59.0):
        with pytest.raises(TransientError, match="busy") as caught:
            identity.token(SCOPE)
        waits.append(caught.value.retry_after)
    provider.answer, now[0] = AccessToken("abc", 77), 60.0

    assert (waits, provider.asked) == ([60.0, 59.0, 1.0], 1)
    assert identity.token(SCOPE).value == "abc"


def test_a_wait_for_one_scope_leaves_the_others_alone():
    provider = Provider(TokenRefused(FailureKind.THROTTLED, "busy", 60.0))
    identity = AzureIdentity(provider, "c1")
    with pytest.raises(TransientError):
        identity.token(SCOPE)
    provider.answer = AccessToken("abc", 77)

    assert identity.token("https://storage.azure.com/.default").value == "abc"


def test_threads_that_wait_for_a_token_share_the_failure_of_the_one_that_asked():
    provider = Provider(ServiceRequestError("no route"))
    identity = AzureIdentity(provider, "c1")

    with ThreadPoolExecutor(8) as threads:
        failures = [asked.exception() for asked in [threads.submit(identity.token, SCOPE) for _ in range(8)]]

    assert {type(failure) for failure in failures} == {TransientError}
    assert provider.asked < 8


def test_a_provider_that_is_not_trusted_is_named_and_final():
    untrusted = refusal("x", cause=ServiceRequestError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"))

    with pytest.raises(Untrusted, match=r"no token for client id c1.*CA_BUNDLE") as caught:
        AzureIdentity(Provider(untrusted), "c1").token(SCOPE)

    assert caught.value.kind is FailureKind.PERMANENT


def test_the_error_holds_on_to_nothing_that_knows_the_secret():
    with pytest.raises(LoginRefused) as caught:
        AzureIdentity(Provider(refusal("AADSTS7000215")), "c1").token(SCOPE)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_neither_login_nor_token_shows_its_secret():
    login = ServicePrincipal("tenant", "c1", CANARY, "https://localhost:1")

    shown = f"{login!r} {make_identity(login)!r} {vars(make_identity(login))!r} {Token(CANARY, 1)!r}"

    assert CANARY not in shown


def test_threads_that_want_a_token_at_once_ask_one_after_the_other():
    provider = Provider(AccessToken("abc", 77))
    identity = AzureIdentity(provider, "c1")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(identity.token, [SCOPE] * 16))

    assert provider.most_asking == 1


def test_one_identity_serves_one_loop_after_another():
    identity = LoopIdentity(FakeIdentity(value="abc"))

    tokens = [asyncio.run(identity.get_token(SCOPE)).token for _ in range(2)]

    assert tokens == ["abc", "abc"]


async def test_a_refusal_passes_through_to_the_loop():
    with pytest.raises(LoginRefused, match="no such client"):
        await LoopIdentity(FakeIdentity(refusal="no such client")).get_token(SCOPE)


def test_a_managed_identity_is_named_by_its_client_id_or_as_the_systems():
    assert make_identity(ManagedIdentity("mi-3")).client_id == "mi-3"
    assert make_identity(ManagedIdentity()).client_id == "system-assigned"
