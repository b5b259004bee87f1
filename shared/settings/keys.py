"""The app settings, in the groups in which they are documented: those of the app, and those of each feed."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain import setting
from shared.domain.setting import Setting
from shared.feeds.feed import Feed
from shared.settings import cosmos, prices, promotions, telemetry, values, view_alerts
from shared.settings.feed_keys import enabled, measured, of_feed, of_venue
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
        Group("Feeds", (enabled(feeds), *(each for feed in feeds for each in of_feed(feed)))),
        Group("Hubs", _HUBS),
        Group("Cosmos DB", (*cosmos.SETTINGS, *prices.SETTINGS)),
        Group("Storage", _STORAGE),
        Group("Enrichment", _ENRICHMENT),
        Group("Metrics", (measured(feeds), *_ALERTS)),
        Group("Promotions", promotions.SETTINGS),
        Group("Alerts about views", view_alerts.SETTINGS),
        Group("Venues", tuple(each for venue in PUBLIC_ENDPOINTS for each in of_venue(venue))),
        Group("Housekeeping", _HOUSEKEEPING),
        Group("Telemetry", telemetry.SETTINGS),
        Group("Platform", _PLATFORM),
    )


def settings_of(feeds: Iterable[Feed]) -> dict[str, Setting]:
    """Give all settings of an app that has these feeds, by name."""
    return {each.name: each for group in groups_of(feeds) for each in group.settings}


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
        "LAKE__accountName",
        values.storage_account,
        "",
        "The account of the containers that the lakehouse reads too, by the same identity; absent: the one above.",
    ),
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
    Setting(
        "SQL_EXPORT_EVERY",
        setting.optional_positive_duration,
        "01:00:00",
        "How often changed rows of streams that end in SQL are exported to the lake, at most each minute, where some "
        "were written since; blank: never, for Data Factory's pipeline process_data does it.",
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
    Setting("KEEP_SPILL", setting.positive_duration, "168:00:00", "How long spill is kept that was sent."),
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
