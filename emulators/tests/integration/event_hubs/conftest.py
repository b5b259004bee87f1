"""One running hub for all tests of this room, in a thread of its own, and the official clients to talk to it."""

import asyncio
import gc
import json
import threading
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.eventhub import EventHubConsumerClient, EventHubProducerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient as AioConsumer
from azure.eventhub.aio import EventHubProducerClient as AioProducer
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.entra.identities import Client, Identities, SharedAccessKey
from emulators.entra.published_keys import PublishedKeys
from emulators.event_hubs.server import EventHubs, running
from emulators.tls import TlsFiles, client_context, make_tls_files, server_context

HUBS = {
    "trades": 4,
    "single": 1,
    "faulty": 1,
    "positions": 1,
    "owned": 1,
    "live": 1,
    "cut": 1,
    "empty": 1,
    "crowded": 1,
    "web": 2,
    "web-faulty": 1,
}
FAULTY = {f"faulty-{letter}": 1 for letter in "abcdefghij"}
SENDER, RECEIVER, STRANGER = "client-sender", "client-receiver", "client-stranger"
POLICY = SharedAccessKey("root", "a-key-for-tests-only", ("Send", "Listen"))
IDENTITIES = Identities(
    "tenant",
    (Client(SENDER, "-", "Sender"), Client(RECEIVER, "-", "Receiver")),
    (POLICY, SharedAccessKey("shy", "k2", ())),
)


@dataclass
class Issuer:
    """Signs tokens and publishes its keys over HTTPS; `rotate` takes a new key into use."""

    tls: TlsFiles
    address: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    reads: int = 0

    def rotate(self):
        self.keys[f"key-{len(self.keys)}"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, client_id, key=None, **changed):
        now = int(time.time())
        claims = {"iss": f"{self.address}/v2.0", "aud": "https://eventhubs.azure.net/", "appid": client_id}
        key_id = list(self.keys)[-1]
        claims |= {"iat": now, "nbf": now, "exp": now + 3600} | changed
        return jwt.encode(claims, key or self.keys[key_id], "RS256", {"kid": key_id})

    def credential(self, client_id, **changed):
        return FixedToken(self.token(client_id, **changed))

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_get("/tenant/v2.0/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/keys", self._keys)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(self.tls.server)).start()
        self.address = f"https://localhost:{runner.addresses[0][1]}/tenant"
        yield
        await runner.cleanup()

    async def _metadata(self, _):
        root = self.address.removesuffix("/tenant")
        return web.json_response({"issuer": f"{self.address}/v2.0", "jwks_uri": f"{root}/keys"})

    async def _keys(self, _):
        self.reads += 1
        found = []
        for key_id, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            found.append(public | {"kid": key_id})
        return web.json_response({"keys": found})


class FixedToken:
    """A TokenCredential, sync and aio, that always gives the same token; keeps the scopes it was asked for."""

    def __init__(self, token):
        self._token = token
        self.scopes = []

    def get_token(self, *scopes, **_):
        self.scopes += scopes
        return AccessToken(self._token, int(time.time()) + 3600)

    async def close(self):
        pass


class AioToken(FixedToken):
    async def get_token(self, *scopes, **_):
        return super().get_token(*scopes)


@dataclass
class Hub:
    """The running hub and makers of real clients for it."""

    addresses: dict
    issuer: Issuer
    tls: TlsFiles

    def admin(self, method, path, body=None):
        answer = requests.request(method, self.addresses["admin"] + path, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def partition(self, hub, partition="0"):
        return self.admin("GET", "/hubs")["hubs"][hub][int(partition)]

    def connection_string(self, hub, policy=POLICY):
        endpoint = self.addresses["amqp"].replace("amqp://", "sb://")
        keys = f"SharedAccessKeyName={policy.name};SharedAccessKey={policy.key}"
        return f"Endpoint={endpoint};{keys};EntityPath={hub};UseDevelopmentEmulator=true"

    def plain_producer(self, hub, policy=POLICY, kind=EventHubProducerClient, **options):
        return kind.from_connection_string(self.connection_string(hub, policy), retry_total=0, **options)

    def plain_consumer(self, hub, kind=EventHubConsumerClient, group="$Default", **options):
        return kind.from_connection_string(self.connection_string(hub), group, retry_total=0, **options)

    def tls_options(self, **changed):
        return {
            "fully_qualified_namespace": "local.servicebus.windows.net",
            "custom_endpoint_address": self.addresses["amqps"].replace("amqps://", "sb://"),
            "transport_type": TransportType.Amqp,
            "connection_verify": str(self.tls.authority),
            "retry_total": 0,
        } | changed

    def websocket_options(self, **changed):
        """What turns options of TLS into those of WebSockets."""
        endpoint = f"sb://localhost:{urlsplit(self.addresses['websockets']).port}"
        return {"transport_type": TransportType.AmqpOverWebsocket, "custom_endpoint_address": endpoint} | changed

    def producer(self, hub, token=None, **changed):
        return EventHubProducerClient(
            eventhub_name=hub, credential=token or self.issuer.credential(SENDER), **self.tls_options(**changed)
        )

    def consumer(self, hub, token=None, **changed):
        options = self.tls_options(consumer_group="$Default", **changed)
        return EventHubConsumerClient(
            eventhub_name=hub, credential=token or self.issuer.credential(RECEIVER), **options
        )

    def aio_producer(self, hub, token=None, **changed):
        token = token or AioToken(self.issuer.token(SENDER))
        return AioProducer(eventhub_name=hub, credential=token, **self.tls_options(**changed))

    def aio_consumer(self, hub, token=None, **changed):
        token = token or AioToken(self.issuer.token(RECEIVER))
        options = self.tls_options(consumer_group="$Default", **changed)
        return AioConsumer(eventhub_name=hub, credential=token, **options)


@asynccontextmanager
async def serving_hub(folder, hubs=HUBS | FAULTY, **options):
    """Run an issuer and a hub; yields a Hub."""
    tls = make_tls_files(folder)
    issuer = Issuer(tls)
    issuer.rotate()
    async with issuer.serving():
        keys = PublishedKeys(issuer.address, client_context(tls.authority))
        config = EventHubs(
            hubs,
            tls.server,
            IDENTITIES,
            keys,
            amqp_port=0,
            websocket_port=0,
            consumer_groups=("$Default", "audit"),
            **options,
        )
        async with running(config) as addresses:
            yield Hub(addresses, issuer, tls)


@pytest.fixture(scope="session")
def hub(tmp_path_factory) -> Iterator[Hub]:
    """The hub of the session, in a thread, since the sync clients block theirs."""
    ready, stop, found = threading.Event(), asyncio.Event(), []

    async def serve():
        async with serving_hub(tmp_path_factory.mktemp("hub")) as hub:
            found.extend((hub, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    found[1].call_soon_threadsafe(stop.set)
    thread.join(10)


def pytest_collection_modifyitems(items):
    """The client drops sockets it lost without closing them; that is its own affair."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for dropped in ("unclosed", "loop is closed"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{dropped}:ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def swept():
    """Collect what the client dropped here, so that no test elsewhere is blamed for it."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def calm(hub):
    """No fault, throttle or latency of another test."""
    yield
    hub.admin("DELETE", "/faults")
    hub.admin("POST", "/throttle", {"units": None})
    hub.admin("POST", "/latency", {"seconds": 0})


@dataclass
class Heard:
    """What a consumer got: the events, and the errors with which it was turned away."""

    events: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, where, what):
        async with self.changed:
            where.append(what)
            self.changed.notify_all()

    async def wait_for(self, wanted, seconds=10):
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(wanted), seconds)


@asynccontextmanager
async def listening(consumer, **options):
    """Receive with an aio consumer while the context lasts; yields what is heard."""
    heard = Heard()

    async def on_event_batch(_, events):
        for event in events:
            await heard.add(heard.events, event)

    async def on_error(_, error):
        await heard.add(heard.errors, error)

    receiving = asyncio.create_task(consumer.receive_batch(on_event_batch, on_error=on_error, **options))
    try:
        yield heard
    finally:
        receiving.cancel()
        await asyncio.wait([receiving], timeout=5)
        await asyncio.wait_for(consumer.close(), 5)


async def receive(consumer, count, **options):
    """Return the first `count` events that an aio consumer gets."""
    async with listening(consumer, **options) as heard:
        await heard.wait_for(lambda: len(heard.events) >= count)
        return heard.events[:count]


async def refusal(consumer, **options):
    """Return the first error an aio consumer meets."""
    async with listening(consumer, **options) as heard:
        await heard.wait_for(lambda: heard.errors)
        return heard.errors[0]


async def send(producer, events, **options):
    """Send with an aio producer under a deadline of 10 s and close it."""
    async with producer:
        await asyncio.wait_for(producer.send_batch(events, **options), 10)


async def outcome(sending, seconds=10):
    """Return the error a send ends with under a deadline, or None."""
    try:
        await asyncio.wait_for(sending, seconds)
    except Exception as error:
        return error
    return None


def grown(hub, name):
    """Return a function that says by how many events each partition of a hub has grown since now."""

    def counts():
        return [partition["last_sequence_number"] for partition in hub.admin("GET", "/hubs")["hubs"][name]]

    before = counts()
    return lambda: [now - then for now, then in zip(counts(), before, strict=True)]
