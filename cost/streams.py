"""What it costs to take and keep what feeds send: Event Hubs, Capture, Cosmos DB, storage, logs."""

from collections.abc import Iterator
from typing import Final

from cost import assumed
from cost.case import MONTH, Case, FeedCase, Line
from shared.domain.costs import HOURS_OF_MONTH
from shared.domain.costs import throughput_units as needed_units

_MILLION: Final = 1_000_000
_TEN_THOUSAND: Final = 10_000
_GIGABYTE: Final = 1_000_000_000


def lines_of_hubs(case: Case) -> Iterator[Line]:
    """Give the lines of Event Hubs and of Cosmos DB."""
    hours = throughput_units(case) * HOURS_OF_MONTH
    events = sum(stream.billed_events * feed.seconds for feed in case.feeds for stream in feed.hub_streams)
    yield Line(
        "Event Hubs, throughput units", hours, "throughput_unit", "MB and events a second, of all windows at once"
    )
    yield Line("Event Hubs, events", events / _MILLION, "million_events", "events, not records: `<STREAM>_PACKING`")
    yield Line("Event Hubs, Capture", hours * case.capture, "capture", "throughput units, with `capture`")
    units = case.cosmos_units / 100 * HOURS_OF_MONTH
    yield Line("Cosmos DB", units, "cosmos_units", "RU/s that are provisioned, with `cosmos`")


def throughput_units(case: Case) -> int:
    """Count the throughput units that all feeds need whose windows lie beside each other, and that are set at least."""
    streams = [stream for feed in case.feeds for stream in feed.hub_streams]
    needed = needed_units(sum(stream.events for stream in streams), sum(stream.bytes for stream in streams))
    return max(case.throughput_units, needed)


def lines_of_storage(case: Case) -> Iterator[Line]:
    """Give the lines of the two storage accounts. What the lake grows by is that of one month, uncompressed."""
    idle = MONTH / case.polling
    slices = sum(feed.seconds for feed in case.feeds)
    passes = sum(len(feed.hub_streams) * feed.seconds for feed in case.feeds if feed.enriched)
    passes /= case.pass_every.total_seconds() if case.follows else float("inf")
    grown = sum(stream.bytes * feed.seconds for feed in case.feeds for stream in feed.streams) / _GIGABYTE
    yield Line(
        "storage, queues",
        assumed.QUEUES * idle / _TEN_THOUSAND,
        "queue_operations",
        "looks of Durable Functions: `maxQueuePollingInterval`",
    )
    yield Line(
        "storage, tables",
        slices / _TEN_THOUSAND,
        "table_operations",
        "a running slice looks at its window's row each second",
    )
    leases = assumed.LEASES_AND_LOOKS * idle / _TEN_THOUSAND
    yield Line("storage, leases", leases, "blob_reads", "the task hub's leases")
    written = passes * assumed.WRITES_OF_PASS / _TEN_THOUSAND
    yield Line(
        "storage, writes of the lakehouse", written, "blob_writes", "passes: `trigger_interval`, hours of windows"
    )
    yield Line("storage, what the lake grows by", grown * 3, "blob_storage", "bytes that feeds send, in three layers")


def lines_of_logs(case: Case) -> Iterator[Line]:
    """Give the line of Log Analytics."""
    minutes = sum(len(feed.streams) * feed.seconds for feed in case.feeds) / 60
    items = executions(case) * assumed.ITEMS_OF_EXECUTION + minutes * assumed.POINTS_OF_STREAM
    gigabytes = items * assumed.BYTES_OF_ITEM / _GIGABYTE
    driven = "executions, six items each; points of metrics each minute; `log_gigabytes_a_day` ends it"
    yield Line("logs", gigabytes, "logs", driven)


def executions(case: Case) -> float:
    """Count the executions of a month: ticks of timers, and the activities and orchestrations of windows."""
    return case.timer_ticks * HOURS_OF_MONTH + sum(map(durable_executions, case.feeds))


def durable_executions(feed: FeedCase) -> float:
    """Count those of a feed's windows: each slice is an orchestration with an activity."""
    return feed.windows * (2 * feed.slices + assumed.ACTIVITIES_OF_WINDOW)
