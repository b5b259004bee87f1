"""The rules that app settings must keep together, beyond what each must be alone."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain import setting
from shared.domain.volumes.alert_address import alert_url
from shared.domain.windows.plan import MAX_WINDOW, slice_count_fits
from shared.trades.venues.registry import parse_market

ALERT_URLS = "ALERT_…_URL"
"""Under which the URLs of all alerts stand among the read settings, by the name of the alert."""

SLICE_RESERVE = timedelta(seconds=60)

CONNECTING = timedelta(seconds=10)
"""How long a live slice may take to connect to its venues."""


@dataclass(frozen=True, slots=True)
class Host:
    function_timeout: timedelta
    activities: int
    polling: timedelta


def host_values(environment: Mapping[str, str], host: Mapping[str, Any]) -> Host:
    timeout = environment.get("AzureFunctionsJobHost__functionTimeout", host.get("functionTimeout", "00:05:00"))
    durable = host.get("extensions", {}).get("durableTask", {})
    activities = environment.get(
        "AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions",
        durable.get("maxConcurrentActivityFunctions", 10),
    )
    polling = environment.get(
        "AzureFunctionsJobHost__extensions__durableTask__storageProvider__maxQueuePollingInterval",
        durable.get("storageProvider", {}).get("maxQueuePollingInterval", "00:00:30"),
    )
    return Host(setting.duration(timeout), int(activities), setting.duration(polling))


def broken_rules(read: Mapping[str, Any], host: Host, known: Collection[str]) -> list[str]:
    problems = _identity_rules(read) + _storage_rules(read) + _timer_rules(read) + _alert_rules(read)
    unknown = [feed for feed in read["FEEDS"] if feed not in known]
    problems += [f"FEEDS names {feed!r}; known feeds are {', '.join(known)}." for feed in unknown]
    feeds = [feed for feed in read["FEEDS"] if feed in known]
    problems += [problem for feed in feeds for problem in _feed_rules(feed, read, host)]
    return problems + _concurrency_rules(feeds, read, host)


def _identity_rules(read: Mapping[str, Any]) -> list[str]:
    if read["EVENT_HUBS__credential"] != "clientsecret":
        return []
    needed = ("EVENT_HUBS__tenantId", "EVENT_HUBS__clientId", "EVENT_HUBS__clientSecret")
    return [f"{name} is not set; EVENT_HUBS__credential clientsecret needs it." for name in needed if not read[name]]


def _storage_rules(read: Mapping[str, Any]) -> list[str]:
    names = ("AzureWebJobsStorage", "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__tableServiceUri")
    return (
        [] if any(read[name] for name in names) else [f"One of {', '.join(names)} must be set: the ledger lies there."]
    )


def _alert_rules(read: Mapping[str, Any]) -> list[str]:
    """Refuse alerts that would go elsewhere than to a Logic App; their URLs are secrets, and not shown."""
    problems = []
    for name, url in read[ALERT_URLS].items():
        try:
            alert_url(url, hosts=read["ALERT_HOSTS"], loopback=read["ONE_MACHINE"])
        except ValueError as error:
            problems.append(f"ALERT_{name.upper()}_URL: {error}.")
    return problems


def _timer_rules(read: Mapping[str, Any]) -> list[str]:
    try:
        longest_wait(read["WINDOW_TIMER"])
    except ValueError:
        return [f"WINDOW_TIMER must be an NCRONTAB of six fields. It is {read['WINDOW_TIMER']!r}."]
    return []


def _feed_rules(feed: str, read: Mapping[str, Any], host: Host) -> list[str]:
    name = feed.upper()
    every, length, part = read[f"{name}_WINDOW_EVERY"], read[f"{name}_WINDOW_LENGTH"], read[f"{name}_SLICE_LENGTH"]
    needed = read[f"{name}_LEAD"] + part + read[f"{name}_GRACE"] + read["SEND_DEADLINE"] + SLICE_RESERVE
    rules = {
        f"{name}_WINDOW_LENGTH must be at most 24:00:00": length <= MAX_WINDOW,
        f"{name}_WINDOW_LENGTH must be at most {name}_WINDOW_EVERY, or windows overlap": length <= every,
        f"{name}_WINDOW_OFFSET must be less than {name}_WINDOW_EVERY": read[f"{name}_WINDOW_OFFSET"] < every,
        f"KEEP_LEDGER must be at least {name}_CATCH_UP + 48:00:00, or caught up windows lose their rows": (
            read["KEEP_LEDGER"] >= read[f"{name}_CATCH_UP"] + 2 * MAX_WINDOW
        ),
        f"{name}_SLICE_LENGTH cuts a window into more than 576 slices": slice_count_fits(length, part),
        f"{name}_LEAD + _SLICE_LENGTH + _GRACE + SEND_DEADLINE + 00:01:00 is {needed}; "
        f"it must not exceed functionTimeout ({host.function_timeout}) of host.json": needed <= host.function_timeout,
    }
    broken = [f"{rule}." for rule, holds in rules.items() if not holds]
    return broken + _source_rules(name, read) + _lead_rules(name, read, host)


def _lead_rules(name: str, read: Mapping[str, Any], host: Host) -> list[str]:
    """Have a live slice connected before its first second: its timer and its activity may each be a polling late.

    On one machine nothing is polled.
    """
    needed = 2 * host.polling + CONNECTING
    if f"{name}_SOURCES" not in read or read["ONE_MACHINE"] or read[f"{name}_LEAD"] >= needed:
        return []
    rule = f"twice maxQueuePollingInterval of host.json ({host.polling}) and {CONNECTING} to connect"
    return [f"{name}_LEAD must be at least {needed}: {rule}. It is {read[f'{name}_LEAD']}."]


def _source_rules(name: str, read: Mapping[str, Any]) -> list[str]:
    problems = []
    for source in read.get(f"{name}_SOURCES", ()):
        try:
            parse_market(source)
        except ValueError as error:
            problems.append(f"{name}_SOURCES: {error}.")
    return problems


def _concurrency_rules(feeds: list[str], read: Mapping[str, Any], host: Host) -> list[str]:
    needed = sum(_overlapping(feed.upper(), read) for feed in feeds)
    rules = {
        "PYTHON_THREADPOOL_THREAD_COUNT": read["PYTHON_THREADPOOL_THREAD_COUNT"],
        "extensions.durableTask.maxConcurrentActivityFunctions of host.json": host.activities,
    }
    return [
        f"{name} is {have}, but {needed} slices can overlap; set it above that."
        for name, have in rules.items()
        if have <= needed
    ]


def _overlapping(name: str, read: Mapping[str, Any]) -> int:
    """Count the slices of a feed that run at once: those of a running window, and one that catches up."""
    part = read[f"{name}_SLICE_LENGTH"]
    busy = read[f"{name}_LEAD"] + part + read[f"{name}_GRACE"] + read["SEND_DEADLINE"]
    return int(-(-busy // part)) + 1


def longest_wait(ncrontab: str) -> timedelta:
    """Give the longest wait between two of the next ticks; raises for a malformed expression."""
    from croniter import croniter  # noqa: PLC0415 - importing it starts a process: 90 ms of a cold start

    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    ticks = croniter(ncrontab, anchor, second_at_beginning=True, day_or=False)
    times = [anchor, *(ticks.get_next(datetime) for _ in range(60))]
    return max(later - earlier for earlier, later in itertools.pairwise(times[1:]))
