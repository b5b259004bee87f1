"""Where a stream's records go: the one place that tells the kinds of destination apart."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clients.destination import ChargedSender, OnRefusal, RestingSender, Sender
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.metered import Metered
from shared.clients.spilling import Aside, Spilling, spilling
from shared.clients.spreading import Spread
from shared.clients.storage.lake_files import Lake
from shared.clients.storage.spill import Spill
from shared.clients.tee import DRAIN_SECONDS, Backlog, Beside, Tee
from shared.clients.timed import Timed
from shared.contracts import Contract, load_contract
from shared.domain.sinks import SinkMeter, Sinks
from shared.domain.spill import SpilledBatch, stream_at
from shared.domain.spreading import first_turn
from shared.domain.windows.plan import StreamPlan
from shared.errors import FeedUnusable
from shared.signals.metrics import Store
from shared.signals.recording import sending


@dataclass(frozen=True, slots=True)
class DestinationTools:
    """What destinations need of the world.

    rows: opens the SQL table of a contract's records; raises FeedUnusable where no database is set. cosmos: connects to
    a container for records of a contract, in the same way. spill: keeps what a hub or container does not take in time;
    None where the slice is to fail instead. clock: the time at which it is kept. drain_seconds: for which
    a slice waits at its end for Cosmos DB.
    """

    hubs: EventHubs
    lake: Callable[[], Lake]
    rows: Callable[[Contract], Sender]
    cosmos: Callable[[Contract, str, OnRefusal | None], AbstractAsyncContextManager[ChargedSender]]
    clock: Callable[[], datetime]
    spill: Spill | None = None
    drain_seconds: float = DRAIN_SECONDS


def connect(
    stream: StreamPlan, attempt_id: str, sinks: Sinks, tools: DestinationTools
) -> AbstractAsyncContextManager[Sender]:
    """Connect one try to the destination of a stream for as long as the context lasts."""
    match stream.destination:
        case "hub" if stream.cosmos:
            return _tee(stream, attempt_id, sinks, tools)
        case "hub":
            return _timed(_hubs(stream, attempt_id, tools), stream, "hub", attempt_id, tools)
        case "cosmos":
            return _cosmos(stream, attempt_id, sinks, tools)
        case "sql":
            rows = nullcontext(tools.rows(load_contract(stream.contract)))
            return _timed(rows, stream, "sql", attempt_id, tools)
        case "lake_ndjson":
            files = tools.lake().sender(load_contract(stream.contract), "ndjson")
            return _timed(files, stream, "lake", attempt_id, tools)
        case "lake_parquet":
            files = tools.lake().sender(load_contract(stream.contract), "parquet")
            return _timed(files, stream, "lake", attempt_id, tools)


def connect_again(
    batch: SpilledBatch, contract: str, on_refusal: OnRefusal, tools: DestinationTools
) -> AbstractAsyncContextManager[Sender]:
    """Connect to where a spilled batch goes, of that contract; raises ContractError and FeedUnusable."""
    if batch.sink == "cosmos":
        return tools.cosmos(load_contract(contract), batch.hub, on_refusal)
    return _timed_again(tools.hubs.sender(batch.hub, on_refusal), batch.stream)


@asynccontextmanager
async def _timed_again(connection: AbstractAsyncContextManager[Sender], stream: str) -> AsyncIterator[Sender]:
    async with connection as sender:
        yield Timed(sender, stream, "hub")


@asynccontextmanager
async def _timed(
    connection: AbstractAsyncContextManager[Sender],
    stream: StreamPlan,
    sink: Store,
    attempt_id: str,
    tools: DestinationTools,
) -> AsyncIterator[Sender]:
    """Connect for the length of a block, and tell that as the sending of a stream to that sink."""
    with sending(attempt_id, stream.name, sink, tools.clock):
        async with connection as sender:
            yield Timed(sender, stream.name, sink)


@asynccontextmanager
async def _tee(stream: StreamPlan, attempt_id: str, sinks: Sinks, tools: DestinationTools) -> AsyncIterator[Sender]:
    """Send to the hub, and beside it to Cosmos DB, whose share is spilled whatever keeps it away."""
    sinks |= {"hub": SinkMeter(), "cosmos": SinkMeter()}
    async with AsyncExitStack() as stack:
        hubs = await stack.enter_async_context(
            _timed(_hubs(stream, attempt_id, tools), stream, "hub", attempt_id, tools)
        )
        stack.enter_context(sending(attempt_id, stream.name, "cosmos", tools.clock))
        hub = Metered(hubs, sinks["hub"], "hub", stream.name)
        container = await stack.enter_async_context(_container(stream, tools))
        beside = Beside(container)
        around = await stack.enter_async_context(_spilled(beside, stream, attempt_id, tools))
        timed = Timed(around, stream.name, "cosmos")
        cosmos = Metered(timed, sinks["cosmos"], "cosmos", stream.name, lambda: container.charge)
        backlog = Backlog(cosmos, replace(cosmos, sender=Aside(around, "Cosmos DB is slower than the hub beside it")))
        try:
            yield Tee(hub, backlog)
            beside.end_in(tools.drain_seconds)
            await backlog.end()
        finally:
            await backlog.close()
            hub.end()
            cosmos.end()


@asynccontextmanager
async def _cosmos(stream: StreamPlan, attempt_id: str, sinks: Sinks, tools: DestinationTools) -> AsyncIterator[Sender]:
    sinks["cosmos"] = SinkMeter()
    async with AsyncExitStack() as stack:
        stack.enter_context(sending(attempt_id, stream.name, "cosmos", tools.clock))
        container = await stack.enter_async_context(_container(stream, tools))
        sender: Sender = container
        if tools.spill is not None:
            sender = await stack.enter_async_context(_spilled(container, stream, attempt_id, tools))
        timed = Timed(sender, stream.name, "cosmos")
        cosmos = Metered(timed, sinks["cosmos"], "cosmos", stream.name, lambda: container.charge)
        try:
            yield cosmos
        finally:
            cosmos.end()


def _container(stream: StreamPlan, tools: DestinationTools) -> AbstractAsyncContextManager[ChargedSender]:
    return tools.cosmos(load_contract(stream.contract), stream.cosmos, None)


def _spilled(
    sender: RestingSender, stream: StreamPlan, attempt_id: str, tools: DestinationTools
) -> AbstractAsyncContextManager[Spilling]:
    """Put the spill around a sender to a container."""
    if tools.spill is None:
        raise FeedUnusable(f"SPILL is off, and without it stream {stream.name} would wait for Cosmos DB.")
    kept = {"stream": stream_at(stream.name, "cosmos"), "hub": stream.cosmos, "attempt_id": attempt_id}
    return spilling(sender, tools.spill, clock=tools.clock, **kept)


@asynccontextmanager
async def _hubs(stream: StreamPlan, attempt_id: str, tools: DestinationTools) -> AsyncIterator[Sender]:
    async with AsyncExitStack() as stack:
        connections = (_hub(stream.name, hub, attempt_id, tools) for hub in stream.hubs)
        senders = [await stack.enter_async_context(connection) for connection in connections]
        yield senders[0] if len(senders) == 1 else Spread(senders, first_turn(attempt_id))


@asynccontextmanager
async def _hub(stream: str, hub: str, attempt_id: str, tools: DestinationTools) -> AsyncIterator[Sender]:
    async with tools.hubs.sender(hub, ahead=True) as sender:
        if tools.spill is None:
            yield sender
            return
        names = {"stream": stream, "hub": hub, "attempt_id": attempt_id}
        async with spilling(sender, tools.spill, clock=tools.clock, **names) as around:
            yield around
