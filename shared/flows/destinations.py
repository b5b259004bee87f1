"""Where a stream's records go: the one place that tells the kinds of destination apart."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from shared.clients.destination import Sender
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.lake_files import Lake
from shared.contracts import Contract, load_contract
from shared.domain.windows.plan import StreamPlan


@dataclass(frozen=True, slots=True)
class DestinationTools:
    """What destinations need of the world.

    rows: opens the SQL table of a contract's records; raises FeedUnusable where no database is set.
    """

    hubs: EventHubs
    lake: Callable[[], Lake]
    rows: Callable[[Contract], Sender]


def connect(stream: StreamPlan, tools: DestinationTools) -> AbstractAsyncContextManager[Sender]:
    """Connect to the destination of a stream for as long as the context lasts."""
    match stream.destination:
        case "hub":
            return tools.hubs.sender(stream.hub)
        case "sql":
            return nullcontext(tools.rows(load_contract(stream.contract)))
        case "lake_ndjson":
            return tools.lake().sender(load_contract(stream.contract), "ndjson")
        case "lake_parquet":
            return tools.lake().sender(load_contract(stream.contract), "parquet")
