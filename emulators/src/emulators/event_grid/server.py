"""The whole stand-in: the topic on https, the admin port, and the grid between publishers and endpoints."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from emulators.event_grid.admin import admin_application
from emulators.event_grid.authentication import Gate
from emulators.event_grid.courier import Courier
from emulators.event_grid.dead_letters import DeadLetterBox, NoBox
from emulators.event_grid.endpoints import reaching_endpoints
from emulators.event_grid.faults import Faults
from emulators.event_grid.grid import Grid
from emulators.event_grid.journal import Journal
from emulators.event_grid.subscriptions import Subscription
from emulators.event_grid.topic import Topic
from emulators.tls import server_context
from emulators.web import HOST, serving

TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.EventGrid/topics/windows"
)


@dataclass(frozen=True, slots=True)
class EventGrid:
    """What to serve: who may publish, who is told, and the ports (0 = a free one).

    `trust` is for endpoints on https. `scale` shortens pauses and lives: 0.01 makes ten seconds a tenth of one.
    """

    certificate: Path
    trust: ssl.SSLContext
    gate: Gate
    subscriptions: Sequence[Subscription] = ()
    box: DeadLetterBox = field(default_factory=NoBox)
    scale: float = 1.0
    port: int = 0
    admin_port: int = 0


@asynccontextmanager
async def running(config: EventGrid) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields the addresses `topic` (what a publisher's client is given) and `admin`."""
    async with AsyncExitStack() as stack:
        endpoints = await stack.enter_async_context(reaching_endpoints(config.trust, TOPIC))
        courier = Courier(endpoints, config.box, Journal(), Faults(), config.scale, _now)
        grid = Grid(courier, endpoints)
        stack.push_async_callback(grid.close)
        topic = Topic(grid, config.gate, TOPIC).application()
        port = await stack.enter_async_context(serving(topic, config.port, server_context(config.certificate)))
        admin = await stack.enter_async_context(serving(admin_application(grid), config.admin_port))
        for subscription in config.subscriptions:
            grid.subscribe(subscription)
        yield {"topic": f"https://localhost:{port}/api/events", "admin": f"http://{HOST}:{admin}"}


def _now() -> datetime:
    return datetime.now(UTC)
