"""AMQP over WebSockets: the same hub as over TCP, for the unmodified client and for whoever knocks wrongly."""

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from azure.eventhub import EventData

from emulators.event_hubs.websockets import SUBPROTOCOLS
from emulators.tls import client_context
from tests.integration.event_hubs.conftest import grown, outcome, receive, send, serving_hub

_SASL_HEADER = b"AMQP\x03\x01\x00\x00"


def connected(hub, session, *, protocols=SUBPROTOCOLS, path=""):
    url = hub.addresses["websockets"] + path
    return session.ws_connect(url, protocols=protocols, ssl=client_context(hub.tls.authority))


async def test_what_is_sent_over_websockets_is_received_over_websockets(hub):
    bodies = [f"{number}".rjust(100_000).encode() for number in range(20)]
    over_websockets = hub.websocket_options()

    for half in (bodies[:10], bodies[10:]):
        await send(hub.aio_producer("web", **over_websockets), [EventData(body) for body in half], partition_id="0")
    events = await receive(hub.aio_consumer("web", **over_websockets), 20, partition_id="0", starting_position="-1")

    assert [next(event.body) for event in events] == bodies


@pytest.mark.parametrize(("kind", "copies"), [("drop", 1), ("lose_ack", 2), ("detach_busy", 1)])
async def test_a_fault_strikes_over_websockets_as_over_tcp(hub, kind, copies):
    growth = grown(hub, "web-faulty")
    hub.admin("POST", "/faults", {"hub": "web-faulty", "kind": kind, "next": 1})

    error = await outcome(
        send(hub.aio_producer("web-faulty", **hub.websocket_options(retry_total=3)), [EventData("a")])
    )

    assert (error, growth()) == (None, [copies])


async def test_a_stalled_send_over_websockets_ends_with_the_callers_deadline(hub):
    growth = grown(hub, "web-faulty")
    hub.admin("POST", "/faults", {"hub": "web-faulty", "kind": "stall", "next": 1})

    error = await outcome(send(hub.aio_producer("web-faulty", **hub.websocket_options()), [EventData("a")]), seconds=2)

    assert isinstance(error, TimeoutError)
    assert growth() == [0]


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
@pytest.mark.parametrize("path", ["", "/"])
async def test_each_clients_subprotocol_is_taken_with_and_without_a_slash_at_the_end(hub, subprotocol, path):
    async with ClientSession() as session, connected(hub, session, protocols=[subprotocol], path=path) as socket:
        await socket.send_bytes(_SASL_HEADER)
        answer = await socket.receive_bytes(timeout=5)

        assert socket.protocol == subprotocol
        assert answer.startswith(_SASL_HEADER)


@pytest.mark.parametrize(
    ("protocols", "path", "status"), [(["mqtt"], "", 400), ([], "", 400), (SUBPROTOCOLS, "/x", 404)]
)
async def test_another_subprotocol_or_path_is_refused(hub, protocols, path, status):
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await connected(hub, session, protocols=protocols, path=path)

    assert refused.value.status == status


async def test_a_text_message_closes_the_websocket_with_the_reason(hub):
    async with ClientSession() as session, connected(hub, session) as socket:
        await socket.send_str("AMQP")
        closing = await socket.receive(timeout=5)

    assert (closing.type, closing.data) == (WSMsgType.CLOSE, 1003)
    assert "binary" in closing.extra


async def test_bytes_that_are_no_amqp_end_the_websocket(hub):
    async with ClientSession() as session, connected(hub, session) as socket:
        await socket.send_bytes(b"GET / HTTP/1.1\r\n")
        ending = [message async for message in socket]

    assert all(message.type is WSMsgType.BINARY for message in ending)
    assert socket.closed


async def test_a_hub_that_ends_drops_its_websockets_at_once(tmp_path):
    async with ClientSession() as session:
        async with serving_hub(tmp_path, hubs={"web": 1}) as hub, asyncio.timeout(5):
            socket = await connected(hub, session)
        ending = await socket.receive(timeout=5)

    assert ending.type in {WSMsgType.CLOSED, WSMsgType.CLOSE, WSMsgType.ERROR}
