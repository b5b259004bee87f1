import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from shared.clients.identity.credentials import (
    AzureIdentity,
    LoopIdentity,
    ManagedIdentity,
    ServicePrincipal,
    Token,
    make_identity,
)
from shared.clients.identity.fake import FakeIdentity
from shared.errors import LoginRefused, Unavailable

CANARY = "canary-5f1c2d"
SCOPE = "https://eventhubs.azure.net//.default"


class Provider:
    """A credential that answers or raises what it is told, and notes how many ask at once."""

    def __init__(self, answer: AccessToken | Exception) -> None:
        self.answer = answer
        self.asking = 0
        self.most_asking = 0

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asking += 1
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
    [ServiceRequestError("no route"), refusal("Authentication failed", cause=ServiceRequestError("no route"))],
)
def test_a_provider_that_does_not_answer_is_unavailable_not_a_refusal(silence):
    with pytest.raises(Unavailable, match="client id c1"):
        AzureIdentity(Provider(silence), "c1").token(SCOPE)


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
