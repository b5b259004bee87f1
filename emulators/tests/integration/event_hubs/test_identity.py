"""Who is let in: tokens of the issuer by role, shared access signatures, and TLS peers that trust the authority."""

import asyncio
import re
import time

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient as AioProducer
from azure.eventhub.exceptions import AuthenticationError, ConnectError
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.entra.checking import TokenRefused
from emulators.entra.identities import SharedAccessKey
from emulators.entra.published_keys import PublishedKeys
from emulators.tls import client_context, make_tls_files
from tests.integration.event_hubs.conftest import RECEIVER, SENDER, STRANGER, AioToken, outcome, refusal, send

EVENTS = [EventData("a")]


async def test_a_sender_that_asks_for_the_clients_scope_is_let_in(hub):
    token = AioToken(hub.issuer.token(SENDER))

    await send(hub.aio_producer("trades", token), EVENTS)

    assert set(token.scopes) == {"https://eventhubs.azure.net//.default"}


@pytest.mark.parametrize("client", ["role", "role, sync"])
def test_a_receiver_may_not_send(refusals, client):
    said = str(refusals[client])

    assert all(part in said for part in ("unauthorized-access", RECEIVER, "'trades'", "Azure Event Hubs Data Sender"))


async def test_a_sender_may_not_receive(hub):
    consumer = hub.aio_consumer("trades", AioToken(hub.issuer.token(SENDER)))

    error = await refusal(consumer, partition_id="0", starting_position="-1")

    assert all(part in str(error) for part in (SENDER, "'trades'", "Azure Event Hubs Data Receiver"))


async def test_both_roles_may_read_the_properties_of_a_hub(hub):
    async with hub.aio_producer("trades") as producer, hub.aio_consumer("trades") as consumer:
        assert await asyncio.wait_for(producer.get_partition_ids(), 5) == ["0", "1", "2", "3"]
        assert await asyncio.wait_for(consumer.get_partition_ids(), 5) == ["0", "1", "2", "3"]


BAD_CLAIMS = {
    "expired": ({"exp": int(time.time()) - 10}, f"{SENDER} expired"),
    "audience": ({"aud": "https://vault.azure.net"}, "[Aa]udience"),
    "issuer": ({"iss": "https://elsewhere"}, "issuer"),
    "signature": ({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "[Ss]ignature"),
    "stranger": ({"appid": STRANGER}, STRANGER),
}
BAD_POLICIES = {
    "key": (SharedAccessKey("root", "not-the-key", ()), "does not match its key"),
    "name": (SharedAccessKey("nobody", "x", ()), "'nobody'"),
    "claim": (SharedAccessKey("shy", "k2", ()), "Policy shy may not send on hub 'trades'"),
}


@pytest.fixture(scope="module")
def refusals(hub):
    """What senders with each of BAD_CLAIMS, BAD_POLICIES and the wrong role hear, all tried at once."""
    tokens = [AioToken(hub.issuer.token(SENDER, **claims)) for claims, _ in BAD_CLAIMS.values()]

    def send_sync():
        with hub.producer("trades", hub.issuer.credential(RECEIVER)) as producer:
            producer.send_batch(EVENTS, timeout=5)

    async def try_all():
        producers = [hub.aio_producer("trades", token) for token in tokens]
        producers += [hub.plain_producer("trades", policy, kind=AioProducer) for policy, _ in BAD_POLICIES.values()]
        producers.append(hub.aio_producer("trades", AioToken(hub.issuer.token(RECEIVER))))
        sends = [send(producer, EVENTS) for producer in producers]
        return await asyncio.gather(*map(outcome, [*sends, asyncio.to_thread(send_sync)]))

    return dict(zip([*BAD_CLAIMS, *BAD_POLICIES, "role", "role, sync"], asyncio.run(try_all()), strict=True))


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_a_token_that_does_not_hold_is_refused_with_the_rule(refusals, case):
    assert isinstance(refusals[case], AuthenticationError)
    assert re.search(BAD_CLAIMS[case][1], str(refusals[case]))
    assert "eyJ" not in str(refusals[case])


@pytest.mark.parametrize("case", BAD_POLICIES)
def test_a_shared_signature_that_does_not_hold_is_refused_with_the_rule(refusals, case):
    assert re.search(BAD_POLICIES[case][1], str(refusals[case]))
    assert "SharedAccessSignature" not in str(refusals[case])


async def test_a_key_the_issuer_took_into_use_later_is_fetched(hub):
    await send(hub.aio_producer("trades"), EVENTS)
    reads = hub.issuer.reads

    hub.issuer.rotate()
    await send(hub.aio_producer("trades"), EVENTS)
    await send(hub.aio_producer("trades"), EVENTS)

    assert hub.issuer.reads == reads + 1


async def test_an_issuer_that_cannot_be_reached_is_named_in_the_refusal(hub):
    keys = PublishedKeys("https://localhost:1/tenant", client_context(hub.tls.authority))

    with pytest.raises(TokenRefused, match=r"https://localhost:1/tenant/v2\.0/\.well-known/openid-configuration"):
        await keys.key("key-0")


async def test_an_issuer_whose_certificate_is_not_trusted_is_refused(hub, tmp_path):
    keys = PublishedKeys(hub.issuer.address, client_context(make_tls_files(tmp_path).authority))

    with pytest.raises(TokenRefused, match="CERTIFICATE_VERIFY_FAILED"):
        await keys.key("key-0")


def test_a_client_that_does_not_trust_the_authority_refuses_the_hub(hub, tmp_path):
    stranger = make_tls_files(tmp_path)

    with (
        hub.producer("trades", connection_verify=str(stranger.authority)) as producer,
        pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        producer.send_batch(EVENTS, timeout=5)
