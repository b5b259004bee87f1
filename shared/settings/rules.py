"""The rules that app settings must keep together, beyond what each must be alone."""

import itertools
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from shared.domain import setting
from shared.domain.ncrontab import plain_cron
from shared.domain.volumes.alert_address import alert_url
from shared.domain.windows.plan import MAX_WINDOW, longest_window
from shared.settings.cosmos import cosmos_rules
from shared.settings.host import Host
from shared.settings.promotions import promotion_rules
from shared.settings.proxies import proxy_rules
from shared.settings.values import PUBLIC_AUTHORITIES, is_of_this_machine
from shared.settings.view_alerts import view_alert_rules
from shared.trades.venues.registry import read_market

ALERT_URLS = "ALERT_…_URL"
"""Under which the URLs of all alerts stand among the read settings, by the name of the alert."""

SLICE_RESERVE = timedelta(seconds=60)

CONNECTING = timedelta(seconds=10)
"""How long a live slice may take to connect to its venues."""


def broken_rules(read: Mapping[str, Any], host: Host, known: Collection[str], urls: Iterable[str]) -> list[str]:
    """Say which rules are broken; `known` are the feeds that there are, `urls` the settings that are addresses."""
    problems = _identity_rules(read) + _storage_rules(read) + _timer_rules(read) + _alert_rules(read)
    problems += _machine_rules(read, urls) + proxy_rules(read) + cosmos_rules(read)
    problems += promotion_rules(read) + view_alert_rules(read)
    unknown = [feed for feed in read["FEEDS"] if feed not in known]
    rule = f"FEEDS must name feeds that there are ({', '.join(known)})."
    problems += [f"{rule}{setting.excerpt(feed)}" for feed in unknown]
    feeds = [feed for feed in read["FEEDS"] if feed in known]
    problems += [problem for feed in feeds for problem in _feed_rules(feed, read, host)]
    return problems + _concurrency_rules(feeds, read, host)


def _identity_rules(read: Mapping[str, Any]) -> list[str]:
    if read["EVENT_HUBS__credential"] != "clientsecret":
        return []
    needed = ("EVENT_HUBS__tenantId", "EVENT_HUBS__clientId", "EVENT_HUBS__clientSecret")
    return [f"{name} is not set; EVENT_HUBS__credential clientsecret needs it." for name in needed if not read[name]]


def _storage_rules(read: Mapping[str, Any]) -> list[str]:
    """Ask for the connection string, the account's name, or the endpoint of each service, as the host does."""
    account = "AzureWebJobsStorage__accountName"
    if read["AzureWebJobsStorage"] or read[account]:
        return []
    endpoints = [f"AzureWebJobsStorage__{service}ServiceUri" for service in ("blob", "queue", "table")]
    missing = [name for name in endpoints if not read[name]]
    if len(missing) == len(endpoints):
        either = f"AzureWebJobsStorage, {account} or {', '.join(endpoints)}"
        return [f"Storage is not set, and the ledger lies there: set {either}."]
    return [f"{name} is not set; without {account} each service needs its endpoint." for name in missing]


def _machine_rules(read: Mapping[str, Any], urls: Iterable[str]) -> list[str]:
    """Hold what only a machine without Azure may have: addresses of itself, its own login, its own database."""
    if read["ONE_MACHINE"]:
        return []
    local = [name for name in urls if read[name] and is_of_this_machine(read[name])]
    problems = [f"{name} leads to this machine; only ONE_MACHINE true allows that." for name in local]
    authority = read["EVENT_HUBS__authorityHost"]
    if authority and urlsplit(authority).hostname not in PUBLIC_AUTHORITIES:
        known = ", ".join(sorted(PUBLIC_AUTHORITIES))
        problems.append(f"EVENT_HUBS__authorityHost must be one of {known}; only ONE_MACHINE true allows another.")
    if (read["SQL__url"] or "").startswith("sqlite:"):
        problems.append("SQL__url is a file, of which each instance has its own; only ONE_MACHINE true allows that.")
    return problems


def _alert_rules(read: Mapping[str, Any]) -> list[str]:
    """Refuse alerts that would go elsewhere than to a Logic App; their URLs are secrets, and not shown."""
    problems = []
    for name, url in read[ALERT_URLS].items():
        try:
            setting.refuse_unresolved(url)
            alert_url(url, hosts=read["ALERT_HOSTS"], loopback=read["ONE_MACHINE"])
        except ValueError as error:
            problems.append(f"ALERT_{name.upper()}_URL {error}.")
    return problems


def _timer_rules(read: Mapping[str, Any]) -> list[str]:
    try:
        longest_wait(read["WINDOW_TIMER"])
    except ValueError as error:
        return [f"WINDOW_TIMER {error}.{setting.excerpt(read['WINDOW_TIMER'])}"]
    return []


def _feed_rules(feed: str, read: Mapping[str, Any], host: Host) -> list[str]:
    name = feed.upper()
    every, length, part = read[f"{name}_WINDOW_EVERY"], read[f"{name}_WINDOW_LENGTH"], read[f"{name}_SLICE_LENGTH"]
    after = read["SEND_DEADLINE"] + SLICE_RESERVE
    needed = read[f"{name}_LEAD"] + part + read[f"{name}_GRACE"] + after
    past = part / read.get(f"{name}_CATCH_UP_RATE", 1.0) + after
    timeout = host.function_timeout or timedelta.max
    within = f"it must not exceed functionTimeout ({timeout}) of host.json"
    rules = {
        f"{name}_WINDOW_LENGTH must be at most 24:00:00": length <= MAX_WINDOW,
        f"{name}_WINDOW_LENGTH must be at most {name}_WINDOW_EVERY, or windows overlap": length <= every,
        f"{name}_WINDOW_OFFSET must be less than {name}_WINDOW_EVERY": read[f"{name}_WINDOW_OFFSET"] < every,
        f"KEEP_LEDGER must be at least {name}_CATCH_UP + 48:00:00, or caught up windows lose their rows": (
            read["KEEP_LEDGER"] >= read[f"{name}_CATCH_UP"] + 2 * MAX_WINDOW
        ),
        f"{name}_SLICE_LENGTH cuts a window into more than 576 slices": length > MAX_WINDOW
        or length <= longest_window(part),
        f"{name}_LEAD + _SLICE_LENGTH + _GRACE + SEND_DEADLINE + 00:01:00 is {needed}; {within}": needed <= timeout,
        f"{name}_SLICE_LENGTH / _CATCH_UP_RATE + SEND_DEADLINE + 00:01:00 is {past}; {within}": past <= timeout,
    }
    broken = [f"{rule}." for rule, holds in rules.items() if not holds]
    return broken + _source_rules(name, read) + _lead_rules(name, read, host) + _recording_rules(name, read)


def _recording_rules(name: str, read: Mapping[str, Any]) -> list[str]:
    """Have a recording fetched by https, from elsewhere; on one machine that may be the machine itself."""
    recording = read.get(f"{name}_REPLAY_FILE")
    if recording is None or recording.kind != "https":
        return []
    here = is_of_this_machine(recording.address)
    if here and not read["ONE_MACHINE"]:
        return [f"{name}_REPLAY_FILE leads to this machine, which only ONE_MACHINE allows."]
    if recording.address.startswith("http://") and not here:
        return [f"{name}_REPLAY_FILE must be fetched by https://."]
    return []


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
            read_market(source)
        except ValueError as error:
            # Its words repeat the market, which is shown where it can't be a secret in the wrong place.
            problems.append(f"{name}_SOURCES: {error if setting.excerpt(source) else 'one is no market'}.")
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


@cache
def longest_wait(ncrontab: str) -> timedelta:
    """Give the longest wait between two of the next minutes with a tick; raises ValueError with the rule."""
    from croniter import croniter  # noqa: PLC0415 - importing it starts a process: 90 ms of a cold start

    _, *of_minutes = plain_cron(ncrontab).split()
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    try:
        ticks = croniter(" ".join(["0", *of_minutes]), anchor, second_at_beginning=True, day_or=False)
        times = [ticks.get_next(datetime) for _ in range(_TICKS)]
    except ValueError:
        raise ValueError("must have a date that it fires at; no date matches it") from None
    return max(later - earlier for earlier, later in itertools.pairwise(times))


_TICKS = 120
"""More than an hour's minutes: what fires each minute of one hour a day waits for the day after."""
