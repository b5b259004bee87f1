"""Where a stream's records go: the one place that tells the kinds of destination apart."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from shared.clients.destination import Sender
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.spilling import spilling
from shared.clients.spreading import Spread
from shared.clients.storage.lake_files import Lake
from shared.clients.storage.spill import Spill
from shared.contracts import Contract, load_contract
from shared.domain.spreading import first_turn
from shared.domain.windows.plan import StreamPlan


@dataclass(frozen=True, slots=True)
class DestinationTools:
    """What destinations need of the world.

    rows: opens the SQL table of a contract's records; raises FeedUnusable where no database is set. spill: keeps what
    a hub does not take in time; None where the slice is to fail instead. clock: the time at which it is kept.
    """

    hubs: EventHubs
    lake: Callable[[], Lake]
    rows: Callable[[Contract], Sender]
    clock: Callable[[], datetime]
    spill: Spill | None = None


def connect(stream: StreamPlan, attempt_id: str, tools: DestinationTools) -> AbstractAsyncContextManager[Sender]:
    """Connect one try to the destination of a stream for as long as the context lasts."""
    match stream.destination:
        case "hub":
            return _hubs(stream, attempt_id, tools)
        case "sql":
            return nullcontext(tools.rows(load_contract(stream.contract)))
        case "lake_ndjson":
            return tools.lake().sender(load_contract(stream.contract), "ndjson")
        case "lake_parquet":
            return tools.lake().sender(load_contract(stream.contract), "parquet")


@asynccontextmanager
async def _hubs(stream: StreamPlan, attempt_id: str, tools: DestinationTools) -> AsyncIterator[Sender]:
    async with AsyncExitStack() as stack:
        connections = (_hub(stream.name, hub, attempt_id, tools) for hub in stream.hubs)
        senders = [await stack.enter_async_context(connection) for connection in connections]
        yield senders[0] if len(senders) == 1 else Spread(senders, first_turn(attempt_id))


@asynccontextmanager
async def _hub(stream: str, hub: str, attempt_id: str, tools: DestinationTools) -> AsyncIterator[Sender]:
    async with tools.hubs.sender(hub) as sender:
        if tools.spill is None:
            yield sender
            return
        names = {"stream": stream, "hub": hub, "attempt_id": attempt_id}
        async with spilling(sender, tools.spill, clock=tools.clock, **names) as around:
            yield around
