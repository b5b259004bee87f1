"""What it costs to work with what feeds send: Functions, Databricks, SQL, Data Factory, the way out, small parts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from cost import assumed
from cost.case import Case, FeedCase, Line
from cost.spans import Span, seconds_of_month, share_of_time
from cost.streams import executions
from shared.domain.costs import HOURS_OF_MONTH
from shared.domain.windows.window import Window

_DAYS: Final = HOURS_OF_MONTH / 24
_HOUR: Final = 3600
_PREMIUM: Final = {"vcpus": 1.0, "memory": 3.5}  # EP1
_EVENTS_OF_WINDOW: Final = 2
_PRIVATE_ENDPOINTS: Final = 10


def lines_of_functions(case: Case) -> Iterator[Line]:
    """Give the lines of the app: one instance of durable is always ready, or one of EP1; more are not counted."""
    if case.plan == "premium":
        yield Line(
            "Functions, EP1: vCPU", _PREMIUM["vcpus"] * HOURS_OF_MONTH, "premium_vcpu", "instances, day and night"
        )
        yield Line("Functions, EP1: memory", _PREMIUM["memory"] * HOURS_OF_MONTH, "premium_memory", "the same")
        return
    working = seconds_of_month(share_of_time(case.feeds, _slices))
    ticks = case.timer_ticks * HOURS_OF_MONTH * assumed.LEAST_EXECUTION.total_seconds()
    ready = case.memory * HOURS_OF_MONTH * _HOUR
    yield Line("Functions, always ready", ready, "flex_baseline", "`instance_memory`, day and night")
    yield Line("Functions, slices", case.memory * working, "flex_always_ready", "hours in which any slice runs")
    yield Line("Functions, timers", case.memory * ticks, "flex_on_demand", "ticks, a second each at least")
    yield Line(
        "Functions, executions", executions(case) / 1_000_000, "flex_executions", "ticks, slices, steps of windows"
    )


def _slices(feed: FeedCase, window: Window) -> Span:
    return window.start - feed.lead, window.end + feed.grace


def run_time(feed: FeedCase, window: timedelta, *, follows: bool) -> timedelta:
    """Give how long the cluster of a window's run is there: it starts when the window opens, or when it has ended."""
    if follows:
        return max(window, assumed.CLUSTER_START) + feed.grace + assumed.RUN_END
    return assumed.CLUSTER_START + assumed.RUN_AFTERWARDS


def lines_of_databricks(case: Case) -> Iterator[Line]:
    """Give the lines of jobs: a cluster of one node for each run, the days' runs, maintenance."""
    enriched = [feed for feed in case.feeds if feed.enriched]
    by_windows = [
        feed.windows * run_time(feed, feed.schedule.length, follows=case.follows).total_seconds() for feed in enriched
    ]
    by_days = (1 + sum(feed.daily for feed in enriched)) * _DAYS if enriched else 0.0
    daily = by_days * (assumed.CLUSTER_START + assumed.RUN_OF_DAY).total_seconds()
    hours = (sum(by_windows) + daily) / _HOUR
    yield Line("Databricks, DBU", hours * assumed.NODE_DBUS, "databricks_dbu", "hours of runs: one a feed and window")
    yield Line("Databricks, node", hours, "node", "hours of runs; `node_type_id`")
    yield Line("Databricks, disks", hours, "node_disks", "hours of runs")
    away = HOURS_OF_MONTH * bool(enriched or case.private)
    yield Line("NAT gateway", away, "nat_gateway", "hours: it is made with the first cluster and stays")
    yield Line("public address", away, "public_address", "hours")
    yield Line("private endpoints", _PRIVATE_ENDPOINTS * HOURS_OF_MONTH * case.private, "private_endpoint", "`private`")


def lines_of_sql(case: Case) -> Iterator[Line]:
    """Give the lines of the database: awake from a run's first write until it was left alone for as long as is set."""
    share = awake(case)
    vcores = share * HOURS_OF_MONTH * case.least_vcores
    yield Line(
        "SQL, vCores while awake", vcores, "sql_vcore", f"hours awake ({share:.0%} of all), half a vCore at least"
    )
    yield Line("SQL, storage", case.sql_gigabytes, "sql_storage", "GB that it may grow to")


def awake(case: Case) -> float:
    """Say for which part of all time the database is awake: while it is written to or read, and the pause after."""
    pause = case.pause_after
    if pause is None:
        return 1.0
    writing = [feed for feed in case.feeds if feed.enriched or _has_rows(feed)]
    return share_of_time(writing, lambda feed, window: _asked(case, feed, window, pause))


def _asked(case: Case, feed: FeedCase, window: Window, pause: timedelta) -> Span:
    """Give from when to when a window keeps the database awake: by its run, its rows, and their export."""
    spans = []
    if feed.enriched:
        begin = window.start if case.follows else window.end
        spans.append((begin, begin + run_time(feed, window.length, follows=case.follows)))
    if _has_rows(feed):
        spans.append((window.start, window.end + (case.export_every or timedelta())))
    return min(begin for begin, _ in spans), max(end for _, end in spans) + pause


def _has_rows(feed: FeedCase) -> bool:
    return any(stream.destination == "sql" for stream in feed.streams)


def lines_of_small_parts(case: Case) -> Iterator[Line]:
    """Give the lines of Data Factory and Event Grid."""
    windows = sum(feed.windows for feed in case.feeds)
    yield Line(
        "Data Factory", windows * case.factory_runs / 1_000, "activity_runs", "windows that it opens: 0 by default"
    )
    operations = windows * _EVENTS_OF_WINDOW * 2 / 100_000
    yield Line("Event Grid", operations, "event_grid", "two events a window, published and delivered")
