"""The managed identity of the app, at the endpoints of Azure Functions and of a virtual machine."""

import json
import time

import pytest

from shared.clients.identity.credentials import ManagedIdentity, make_identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Unavailable
from tests.integration.jobs_client.peer import Answer, running_peer

SCOPE = "https://eventhubs.azure.net//.default"
QUICK = RetryPolicy(Timeouts(total=5.0, attempt=2.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
TOKEN = Answer(
    body=json.dumps(
        {"access_token": "abc", "expires_on": str(int(time.time()) + 3_600), "expires_in": "3600", "resource": "x"}
    ).encode()
)
NOT_THERE = {
    "functions": {
        "statusCode": 400,
        "message": "No User Assigned or Delegated Managed Identity found for specified id.",
    },
    "machine": {"error": "invalid_request", "error_description": "Identity not found"},
}


@pytest.fixture(params=["functions", "machine"])
def endpoint(request, monkeypatch):
    """Name the endpoint's kind, and give what lets it answer."""

    def answer_at(url):
        if request.param == "functions":
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
            monkeypatch.setenv("IDENTITY_HEADER", "the-header")
        else:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", url)
        return make_identity(ManagedIdentity("mi-3"))

    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    return request.param, answer_at


@pytest.mark.parametrize(
    "passing",
    [
        Answer(404, b"updating"),
        Answer(410, b""),
        Answer(429, b"", {"Retry-After": "1"}),
        Answer(500, b'{"error": "unknown"}'),
        Answer(503, b"<html>"),
        Answer(hang_up=True),
        Answer(body=b"<html>"),
    ],
)
def test_what_microsoft_says_to_ask_for_again_is_asked_for_again(endpoint, passing):
    with running_peer(passing, TOKEN) as peer:
        identity = endpoint[1](peer.url)

        assert QUICK.call(lambda _: identity.token(SCOPE)).value == "abc"

        assert len(peer.asked) == 2


def test_an_identity_that_is_not_there_is_a_refused_login_at_once(endpoint):
    kind, answer_at = endpoint
    words = NOT_THERE[kind]
    with running_peer(Answer(400, json.dumps(words).encode())) as peer:
        identity = answer_at(peer.url)

        with pytest.raises(LoginRefused, match=f"client id mi-3 got no token for {SCOPE}: {list(words.values())[1]}"):
            QUICK.call(lambda _: identity.token(SCOPE))

        assert len(peer.asked) == 1


def test_an_endpoint_that_names_a_long_wait_is_left_alone(endpoint):
    with running_peer(Answer(429, b"", {"Retry-After": "70"})) as peer:
        identity = endpoint[1](peer.url)

        with pytest.raises(Unavailable) as caught:
            QUICK.call(lambda _: identity.token(SCOPE))

        assert (caught.value.kind, caught.value.retry_after) == (FailureKind.THROTTLED, 70.0)
        assert len(peer.asked) == 1
