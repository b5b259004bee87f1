"""Sending where the network allows 443 only: over WebSockets, through a proxy, and what goes wrong there."""

import logging
from urllib.parse import urlsplit

import pytest

from emulators.tls import make_tls_files
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.integration.sending.connect_proxy import running_proxy
from tests.integration.sending.stage import QUICK, ROOMY, Platform, listener, read_back

EVENTS = [Event(b"%04d" % n, 1, {"contract": "t/1"}, partition_id="0") for n in range(100)]


async def sent(platform: Platform, retry=ROOMY, **changes: object) -> Delivery:
    hubs = platform.hubs(connection=platform.websocket_connection(**changes), retry=retry)
    async with hubs.sender("single") as sender:
        return await sender.send(EVENTS)


async def failure(platform: Platform, retry=QUICK, **changes: object) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sent(platform, retry, **changes)
    return caught.value


async def test_what_goes_through_a_proxy_that_asks_for_a_login_arrives_in_order(platform, caplog):
    caplog.set_level(logging.DEBUG)
    since = platform.stored("single")

    async with running_proxy(login="me@corp:p:ss/w?rd") as proxy:
        delivery = await sent(platform, proxy=proxy.url("me%40corp:p%3Ass%2Fw%3Frd"))

    arrived = await read_back(platform, "single", since)
    assert delivery == Delivery(accepted=100, events=100)
    assert [event.body_as_str().encode() for event in arrived["0"]] == [event.body for event in EVENTS]
    assert set(proxy.asked) == {urlsplit(platform.websockets).netloc}
    assert "p%3Ass" not in caplog.text
    assert "p:ss" not in caplog.text


async def test_a_proxy_that_refuses_the_login_is_a_refused_login_that_tells_no_password(platform):
    async with running_proxy(login="me:right") as proxy:
        with pytest.raises(LoginRefused, match="407") as caught:
            await sent(platform, proxy=proxy.url("me:wrong-canary"))

    assert "canary" not in str(caught.value)


async def test_a_proxy_that_is_away_is_a_failed_send_of_which_nothing_is_stored(platform):
    async with running_proxy() as proxy:
        away = proxy.url("me:canary")

    failed = await failure(platform, proxy=away)

    assert (failed.kind, failed.delivery) == (FailureKind.UNAVAILABLE, Delivery())
    assert "canary" not in str(failed)


async def test_lost_acknowledgements_lose_nothing_over_websockets(platform):
    since = platform.stored("single")
    platform.order("faults", kind="lose_ack", next=2)

    delivery = await sent(platform)

    arrived = await read_back(platform, "single", since)
    assert delivery == Delivery(accepted=100, events=100)
    assert {event.body_as_str().encode() for event in arrived["0"]} == {event.body for event in EVENTS}


async def test_a_hub_whose_certificate_the_bundle_does_not_hold_is_refused_for_good(platform, tmp_path):
    stranger = make_tls_files(tmp_path).authority

    failed = await failure(platform, ROOMY, ca_bundle=str(stranger))

    assert failed.kind is FailureKind.PERMANENT


@pytest.mark.parametrize("greeting", [b"", b"220 mail.example ESMTP\r\n"])
async def test_a_peer_that_is_silent_or_no_hub_costs_no_more_than_the_deadline(platform, greeting):
    async with listener(greeting) as address:
        failed = await failure(platform, custom_endpoint=address)

    assert failed.kind is FailureKind.UNAVAILABLE
