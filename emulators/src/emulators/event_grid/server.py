"""The whole emulator: the topic on https, the admin port, and the grid between publishers and endpoints."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulators.clocks import utc_now
from emulators.event_grid.admin import grid_admin
from emulators.event_grid.authentication import Authenticator
from emulators.event_grid.dead_letters import DeadLetterStore, NoDeadLetterStore
from emulators.event_grid.delivery_worker import DeliveryWorker
from emulators.event_grid.endpoints import reaching_endpoints
from emulators.event_grid.faults import Faults
from emulators.event_grid.grid import Grid
from emulators.event_grid.journal import Journal
from emulators.event_grid.subscriptions import Subscription
from emulators.event_grid.topic import Topic
from emulators.serving import Site, serving

TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.EventGrid/topics/local"
)


@dataclass(frozen=True, slots=True)
class EventGrid:
    """What to serve: who may publish, the subscriptions, and the ports (0 = a free one).

    `trust` is for endpoints on https. `scale` shortens pauses and lives: 0.01 makes ten seconds a tenth of one.
    """

    certificate: Path
    trust: ssl.SSLContext
    authenticator: Authenticator
    subscriptions: Sequence[Subscription] = ()
    dead_letters: DeadLetterStore = field(default_factory=NoDeadLetterStore)
    scale: float = 1.0
    port: int = 0
    admin_port: int = 0


@asynccontextmanager
async def running(config: EventGrid) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields the addresses `topic` (what a publisher's client is given) and `admin`."""
    async with AsyncExitStack() as stack:
        endpoints = await stack.enter_async_context(reaching_endpoints(config.trust, TOPIC))
        worker = DeliveryWorker(endpoints, config.dead_letters, Journal(), Faults(), config.scale, utc_now)
        grid = Grid(worker, endpoints)
        stack.push_async_callback(grid.close)
        topic = Topic(grid, config.authenticator, TOPIC).application()
        sites = serving(
            topic=Site(topic, config.port, config.certificate), admin=Site(grid_admin(grid), config.admin_port)
        )
        addresses = await stack.enter_async_context(sites)
        for subscription in config.subscriptions:
            grid.subscribe(subscription)
        yield addresses | {"topic": f"{addresses['topic']}/api/events"}
