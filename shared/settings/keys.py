"""The app settings, in the groups in which they are documented: those of the app, and those of each feed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.domain import setting
from shared.domain.duration import format_duration
from shared.domain.setting import Setting
from shared.domain.volumes.measurement import MeasuredTable
from shared.feeds.feed import Drawn, EventHub, Exchanges, Feed, Stream
from shared.settings import values
from shared.settings.measured_tables import measured_tables
from shared.settings.proxies import proxy
from shared.trades.venues.registry import PUBLIC_ENDPOINTS


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together; `title` is that of their part of docs/settings.md."""

    title: str
    settings: tuple[Setting, ...]


def groups_of(feeds: Iterable[Feed]) -> tuple[Group, ...]:
    """Give all settings of an app that has these feeds."""
    feeds = tuple(feeds)
    return (
        Group("Feeds", (_enabled(feeds), *(each for feed in feeds for each in _feed(feed)))),
        Group("Hubs", _HUBS),
        Group("Storage", _STORAGE),
        Group("Enrichment", _ENRICHMENT),
        Group("Metrics", (_measured(feeds), *_ALERTS)),
        Group("Venues", tuple(each for venue in PUBLIC_ENDPOINTS for each in _venue(venue))),
        Group("Housekeeping", _HOUSEKEEPING),
        Group("Platform", _PLATFORM),
    )


JOB = "follow_window"
"""The one job of the bundle, which takes any stream from its hub on."""


def settings_of(feeds: Iterable[Feed]) -> dict[str, Setting]:
    """Give all settings of an app that has these feeds, by name."""
    return {each.name: each for group in groups_of(feeds) for each in group.settings}


def _enabled(feeds: Iterable[Feed]) -> Setting:
    return Setting("FEEDS", setting.names, ",".join(feed.name for feed in feeds), "The enabled feeds.")


def _feed(feed: Feed) -> Iterable[Setting]:
    name = feed.name.upper()
    lengths = {
        "WINDOW_EVERY": (setting.positive_whole_seconds, feed.every, "How often a window begins."),
        "WINDOW_OFFSET": (setting.whole_seconds, timedelta(), "How far the grid is moved from midnight UTC."),
        "WINDOW_LENGTH": (setting.positive_whole_seconds, feed.length, "How long a window is, at most 24:00:00."),
        "SLICE_LENGTH": (setting.positive_whole_seconds, feed.slice_length, "How long one activity ingests."),
        "LEAD": (setting.duration, feed.lead, "How long before its start a slice begins."),
        "GRACE": (setting.duration, feed.grace, "How long late records are awaited."),
        "CATCH_UP": (setting.duration, timedelta(hours=24), "How far back missed windows are caught up."),
    }
    for suffix, (parse, default, meaning) in lengths.items():
        yield Setting(f"{name}_{suffix}", parse, format_duration(default), meaning)
    job = JOB if any(isinstance(stream.destination, EventHub) for stream in feed.streams) else ""
    yield Setting(f"{name}_JOB", setting.optional_text, job, "The Databricks job that enriches its windows.")
    for stream in feed.streams:
        yield from _stream(stream)
    yield from _source(feed)
    yield from feed.settings


def _stream(stream: Stream) -> Iterable[Setting]:
    name = stream.name.upper()
    if isinstance(stream.destination, EventHub):
        yield Setting(f"{name}_HUB", values.hub, stream.name, f"The hub of the stream {stream.name}.")
    rows_or_packs = setting.OneOf("row", "pack")
    yield Setting(f"{name}_PACKING", rows_or_packs, "row", "`row`: one record an event; `pack`: many.")
    encodings = setting.OneOf("identity", "zstd")
    meaning = "How packs are compressed: `identity` (not at all) or `zstd`."
    yield Setting(f"{name}_ENCODING", encodings, "identity", meaning)


def _source(feed: Feed) -> Iterable[Setting]:
    name = feed.name.upper()
    if isinstance(feed.source, Drawn):
        yield Setting(f"{name}_RATE", setting.positive_number, f"{feed.rate:g}", "Records per second.")
        past = "Past windows go at this many times the rate."
        yield Setting(f"{name}_CATCH_UP_RATE", setting.positive_number, "2", past)
    if isinstance(feed.source, Exchanges):
        venues = ", ".join(PUBLIC_ENDPOINTS)
        meaning = (
            f"Markets, as `venue:symbol`; venues are {venues}. Where a symbol can be read in two ways: "
            "`venue:symbol=BASE/QUOTE`."
        )
        yield Setting(f"{name}_SOURCES", setting.names, ",".join(feed.source.markets), meaning)


def _measured(feeds: Iterable[Feed]) -> Setting:
    tables = {table.key: _measured_table(table) for feed in feeds for table in feed.measured}
    meaning = "The tables that may be measured, by key, as JSON."
    return Setting("METRICS_TABLES", measured_tables, json.dumps(tables), meaning)


def _measured_table(table: MeasuredTable) -> Mapping[str, str | int]:
    written: dict[str, str | int] = {"table": table.table, "floor": table.floor, "alert": table.alert}
    return written if table.stream == table.key else {**written, "stream": table.stream}


def _venue(venue: str) -> Iterable[Setting]:
    name, public = venue.upper(), PUBLIC_ENDPOINTS[venue]
    websocket, rest = setting.Url("wss"), setting.Url("https")
    yield Setting(f"{name}__websocketUrl", websocket, public.websocket_url, f"The websocket of {venue}.")
    yield Setting(f"{name}__restUrl", rest, public.rest_url, f"The REST API of {venue}.")


_HUBS = (
    Setting("SEND_DEADLINE", setting.positive_duration, "00:00:45", "How long one send may take with all its retries."),
    Setting(
        "EVENT_HUBS__fullyQualifiedNamespace",
        values.namespace,
        None,
        "Host of the namespace, for instance `<name>.servicebus.windows.net`.",
    ),
    Setting(
        "EVENT_HUBS__credential",
        setting.OneOf("clientsecret", "managedidentity"),
        "clientsecret",
        "Who logs in: `clientsecret`, a service principal, or `managedidentity`, the app's own.",
    ),
    Setting("EVENT_HUBS__tenantId", values.entra_id, "", "Tenant of the service principal."),
    Setting("EVENT_HUBS__clientId", values.entra_id, "", "Client id of the principal or identity."),
    Setting(
        "EVENT_HUBS__clientSecret",
        setting.optional_text,
        "",
        "The principal's secret: in Azure a Key Vault reference.",
        secret=True,
    ),
    Setting(
        "EVENT_HUBS__authorityHost",
        setting.optional_url("https"),
        "",
        "Another login authority, `https://…`: that of another of Microsoft's clouds, or this machine's emulator.",
    ),
    Setting(
        "EVENT_HUBS__customEndpointAddress",
        setting.optional_url("sb"),
        "",
        "Another endpoint of the namespace, `sb://…`: a gateway, or this machine's emulator.",
    ),
    Setting(
        "EVENT_HUBS_TRANSPORT",
        setting.OneOf("amqp", "websockets"),
        "amqp",
        "`amqp` (port 5671), or `websockets` where the network allows 443 only.",
    ),
    Setting(
        "EVENT_HUBS_PROXY",
        proxy,
        "",
        "The proxy of the websockets, `http://<user>:<password>@<host>:<port>`; "
        "absent: `HTTPS_PROXY`, unless `NO_PROXY` names the hubs' host.",
        secret=True,
    ),
)

STORAGE_SERVICES = ("table", "blob", "queue")

_POOLS = "/tmp/reactive-ingestion"  # noqa: S108 - Azure's only writable disk
_STORAGE = (
    Setting("POOLS_FOLDER", setting.text, _POOLS, "Where copies of the pools of drawn feeds are kept."),
    Setting(
        "AzureWebJobsStorage",
        setting.optional_text,
        "",
        "Connection string of the storage account (one machine).",
        secret=True,
    ),
    Setting("AzureWebJobsStorage__accountName", values.storage_account, "", "The storage account, by identity."),
    *(
        Setting(
            f"AzureWebJobsStorage__{service}ServiceUri",
            setting.optional_url("https"),
            "",
            f"Its {service} endpoint, by identity; without the account's name all three are needed.",
        )
        for service in STORAGE_SERVICES
    ),
    Setting("AzureWebJobsStorage__clientId", values.entra_id, "", "The user-assigned identity for storage."),
    Setting(
        "SPILL",
        setting.OneOf("on", "off"),
        "on",
        "What a hub does not take within SEND_DEADLINE: `on`, it is kept and sent later; `off`, the slice fails.",
    ),
)

_ENRICHMENT = (
    Setting(
        "EVENT_GRID__topicEndpoint",
        setting.optional_url("https"),
        "",
        "Custom topic for openings and closings.",
    ),
    Setting(
        "EVENT_GRID__topicKey",
        setting.optional_text,
        "",
        "Its access key; absent: the app's identity logs in.",
        secret=True,
    ),
    Setting(
        "DATABRICKS__host",
        values.Workspace("https"),
        "",
        "The workspace; absent: windows are not enriched.",
    ),
    Setting("ASSETS__url", setting.optional_url("https"), "", "The assets API (CoinCap v3), for the lookup of assets."),
    Setting("ASSETS__key", setting.optional_text, "", "Its bearer key: in Azure a Key Vault reference.", secret=True),
    Setting(
        "SQL__url",
        values.sql_url,
        "",
        "The database that has `window_counts`: `mssql://<server>/<database>`, on one machine `sqlite:///<path>`.",
        secret=True,
    ),
    Setting("DRAIN_LIMIT", setting.positive_duration, "00:10:00", "How long a run may outlive its window."),
)

_ALERTS = (
    Setting(
        "ALERT_INGESTION_URL",
        setting.optional_text,
        "",
        "Logic App of the alert `ingestion`; a secret. "
        "It also reports failed runs, and unbalanced or lost windows, of streams without a table.",
        secret=True,
    ),
    Setting(
        "ALERT_HOSTS",
        setting.names,
        "*.logic.azure.com",
        "The hosts that alerts may be sent to, separated by commas; `*.` stands for any name before it.",
    ),
    Setting("ALERT_QUIET", setting.positive_duration, "06:00:00", "How long the same alert is not sent again."),
)

_HOUSEKEEPING = (
    Setting(
        "SPILL_AFTER_DEAD",
        setting.OneOf("pass", "wait"),
        "pass",
        "What spilled records do whose key has earlier ones that can't be sent: `pass`, or `wait` until someone acts.",
    ),
    Setting(
        "REINGEST",
        setting.yes_or_no,
        "false",
        "`true`: catching up opens windows again that ended failed, incomplete or missed, up to two times each.",
    ),
    Setting("KEEP_HISTORY", setting.positive_duration, "168:00:00", "How long the task hub's history is kept."),
    Setting(
        "KEEP_LEDGER",
        setting.positive_duration,
        "2160:00:00",
        "How long ended windows, their slices and runs are kept in the ledger; longer than any catch-up.",
    ),
    Setting("KEEP_LOOKUPS", setting.positive_duration, "168:00:00", "How long lookups are kept; the newest always is."),
    Setting("KEEP_SPILL", setting.positive_duration, "168:00:00", "How long spill is kept that was sent or discarded."),
    Setting("KEEP_MARKERS", setting.positive_duration, "2160:00:00", "How long the files that mark ends are kept."),
)

_PLATFORM = (
    Setting("WINDOW_TIMER", setting.text, "0 * * * * *", "NCRONTAB of the timer that opens windows."),
    Setting(
        "TASKHUB_NAME",
        values.task_hub,
        "ReactiveIngestion",
        "The task hub of the orchestrations; a deployment slot needs one of its own. The host reads it too: set it.",
    ),
    Setting(
        "ONE_MACHINE",
        setting.yes_or_no,
        "false",
        "`true` where all services are emulators of this machine: only then may addresses lead to it.",
    ),
    Setting(
        "CA_BUNDLE",
        values.authorities,
        "",
        "PEM file of trusted authorities, given to every client; absent: the system's.",
    ),
    Setting(
        "PYTHON_THREADPOOL_THREAD_COUNT",
        setting.positive_integer,
        "32",
        "Threads of the worker: one for each slice.",
    ),
)
