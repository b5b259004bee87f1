"""The whole emulator: the AMQP listeners, over TCP and WebSockets, and the admin port around one broker."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from emulators.clocks import utc_now
from emulators.entra.checking import SigningKeys
from emulators.entra.identities import Identities
from emulators.event_hubs.admin import hubs_admin
from emulators.event_hubs.broker import Broker
from emulators.event_hubs.capture import Capture, capturing
from emulators.event_hubs.engine import Peer
from emulators.event_hubs.store import Store
from emulators.event_hubs.tokens import TokenChecker
from emulators.event_hubs.websockets import PATH, websocket_application
from emulators.serving import HOST, Site, serving
from emulators.tls import server_context

logger = logging.getLogger(__name__)
DEFAULT_RETENTION_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventHubs:
    """What to serve: hubs (name → partitions), who may use them, and the ports (0 = a free one, None = not at all)."""

    hubs: Mapping[str, int]
    certificate: Path
    identities: Identities
    keys: SigningKeys
    amqps_port: int = 0
    amqp_port: int | None = None
    websocket_port: int | None = None
    admin_port: int = 0
    consumer_groups: tuple[str, ...] = ("$Default",)
    retention_bytes: int = DEFAULT_RETENTION_BYTES
    capture: Capture | None = None


@asynccontextmanager
async def running(config: EventHubs) -> AsyncIterator[Mapping[str, str]]:
    """Serve while the context lasts; yields the addresses `amqps`, `admin` and, if asked for, `amqp`, `websockets`."""
    store = Store(config.hubs, retention_bytes=config.retention_bytes, started=utc_now())
    broker = Broker(store, TokenChecker(config.identities, config.keys, time.time), config.consumer_groups)
    addresses = {}
    async with AsyncExitStack() as stack:
        amqps = await stack.enter_async_context(
            _listening(broker, config.amqps_port, server_context(config.certificate))
        )
        addresses["amqps"] = f"amqps://localhost:{amqps}"
        if config.amqp_port is not None:
            amqp = await stack.enter_async_context(_listening(broker, config.amqp_port, None))
            addresses["amqp"] = f"amqp://localhost:{amqp}"
        if config.websocket_port is not None:
            site = Site(websocket_application(broker), config.websocket_port, config.certificate)
            served = await stack.enter_async_context(serving(websockets=site))
            addresses["websockets"] = f"{served['websockets'].replace('https:', 'wss:')}{PATH}"
        addresses.update(await stack.enter_async_context(serving(admin=Site(hubs_admin(broker), config.admin_port))))
        if config.capture is not None:
            await stack.enter_async_context(capturing(store, config.capture))
        logger.info("hub.epoch_started epoch=%d hubs=%s", store.epoch.number, ",".join(config.hubs))
        yield addresses


@asynccontextmanager
async def _listening(broker: Broker, port: int, tls: SSLContext | None) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(lambda: Peer(broker), HOST, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()
