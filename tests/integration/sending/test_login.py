"""Logging in to a hub as a service principal, over TLS."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests

from emulators.tls import make_tls_files
from shared.clients.identity.credentials import make_identity
from shared.domain.delivery import Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.integration.identity.entra import PASSING, order
from tests.integration.sending.stage import ROOMY, Platform

CANARY = "canary-Jq83-secret"


async def send_one(hubs) -> int:
    async with hubs.sender("single") as sender:
        return (await sender.send([Event(b"a", 1, {})])).accepted


@pytest.fixture
def born_expired(platform: Platform) -> Iterator[None]:
    """Let the identity provider issue tokens that are over already."""
    path = f"{platform.entra}/admin/token-lifetime"
    requests.put(path, json={"seconds": -60}, timeout=5, verify=str(platform.tls.authority)).raise_for_status()
    yield
    requests.put(path, json={"seconds": 3599}, timeout=5, verify=str(platform.tls.authority)).raise_for_status()


@pytest.fixture
def entra_faults(platform: Platform) -> Iterator[Callable[..., Any]]:
    """Let the identity provider put clients off, as told."""
    yield partial(order, platform.login())
    order(platform.login(), "DELETE")


async def test_a_sender_is_let_in(platform):
    assert await send_one(platform.hubs()) == 1


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: "-".join(str(value) for value in fault.values()))
async def test_a_login_service_that_says_not_now_once_costs_a_send_time_and_nothing_else(platform, entra_faults, fault):
    entra_faults("POST", fault)

    assert await send_one(platform.hubs(retry=ROOMY)) == 1
    assert entra_faults("GET")["faults"] == []


async def test_a_wait_that_does_not_fit_a_send_is_told_to_its_caller(platform, entra_faults):
    entra_faults("POST", {"kind": "throttled", "retry_after": "960", "count": 99})

    with pytest.raises(SendFailed, match="AADSTS90055") as caught:
        await send_one(platform.hubs(retry=ROOMY))

    assert caught.value.kind is FailureKind.THROTTLED
    assert 930 < caught.value.retry_after <= 960


async def test_one_identity_serves_several_loops_with_one_token(platform):
    hubs = platform.hubs()

    accepted = [await asyncio.to_thread(asyncio.run, send_one(hubs)) for _ in range(2)]

    assert accepted == [1, 1]


async def test_a_wrong_secret_is_refused_with_the_client_id_and_the_providers_words(platform):
    login = platform.login(client_secret=CANARY)

    with pytest.raises(LoginRefused, match=rf"{login.client_id}.*eventhubs.azure.net.*AADSTS7000215"):
        await send_one(platform.hubs(identity=make_identity(login)))


async def test_a_wrong_secret_shows_up_nowhere(platform, caplog):
    caplog.set_level(logging.DEBUG)

    with pytest.raises(LoginRefused) as caught:
        await send_one(platform.hubs(identity=make_identity(platform.login(client_secret=CANARY))))

    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)


async def test_the_right_secret_and_the_token_show_up_nowhere(platform, caplog):
    caplog.set_level(logging.DEBUG)
    login = platform.login()
    identity = make_identity(login)

    await send_one(platform.hubs(identity=identity))

    assert caplog.text
    for secret in (login.client_secret, identity.token("https://eventhubs.azure.net//.default").value):
        assert secret not in caplog.text


async def test_an_expired_token_is_refused_with_client_id_and_hub(platform, born_expired):
    login = platform.login()

    with pytest.raises(LoginRefused, match=rf"hub single.*{login.client_id}.*"):
        await send_one(platform.hubs(identity=make_identity(login), retry=ROOMY))


async def test_a_client_that_may_only_listen_is_refused(platform):
    login = platform.login("Receiver")

    with pytest.raises(LoginRefused, match=rf"hub single.*{login.client_id}"):
        await send_one(platform.hubs(identity=make_identity(login), retry=ROOMY))


async def test_one_refused_token_is_survived(platform):
    platform.order("faults", kind="refuse_token", next=1)

    assert await send_one(platform.hubs(retry=ROOMY)) == 1


async def test_a_token_that_is_refused_again_names_client_id_and_hub(platform):
    platform.order("faults", kind="refuse_token", next=20)

    with pytest.raises(LoginRefused, match=rf"hub single.*{platform.login().client_id}"):
        await send_one(platform.hubs(retry=ROOMY))


async def test_a_hub_whose_certificate_the_bundle_does_not_hold_is_refused_at_once(platform, tmp_path):
    stranger = make_tls_files(tmp_path / "other").authority
    before = platform.stored_events("single")

    with pytest.raises(SendFailed, match="certificate verify failed"):
        await send_one(platform.hubs(connection=platform.connection(ca_bundle=str(stranger))))
    assert platform.stored_events("single") == before


async def test_an_identity_provider_whose_certificate_the_bundle_does_not_hold_gets_no_secret(platform, tmp_path):
    stranger = make_tls_files(tmp_path / "other").authority
    login = platform.login(ca_bundle=str(stranger))

    with pytest.raises(SendFailed, match=rf"no token for client id {login.client_id}.*certificate"):
        await send_one(platform.hubs(identity=make_identity(login)))
