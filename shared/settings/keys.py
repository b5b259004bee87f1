"""The app settings: the name, default, meaning and parser of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.feeds.catalogue import CATALOGUE
from shared.settings import values
from shared.trades.venues.registry import PUBLIC_ENDPOINTS


@dataclass(frozen=True, slots=True)
class Key:
    """One app setting; `default` None means that it must be set."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    meaning: str


_FEED_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "trades": {"LEAD": "00:00:20", "GRACE": "00:00:20"},
    "payments": {"LEAD": "00:00:05", "GRACE": "00:00:00"},
}


def _feed_keys(feed: str) -> list[Key]:
    name, kind = feed.upper(), CATALOGUE[feed]
    keys = [
        Key(f"{name}_WINDOW_EVERY", values.positive_duration, "01:00:00", "How often a window begins."),
        Key(f"{name}_WINDOW_OFFSET", values.duration, "00:00:00", "How far the grid is moved from midnight UTC."),
        Key(f"{name}_WINDOW_LENGTH", values.positive_duration, "01:00:00", "How long a window is, at most 24:00:00."),
        Key(f"{name}_SLICE_LENGTH", values.positive_duration, "00:05:00", "How long one activity ingests."),
        Key(f"{name}_LEAD", values.duration, _FEED_DEFAULTS[feed]["LEAD"], "How long before its start a slice begins."),
        Key(f"{name}_GRACE", values.duration, _FEED_DEFAULTS[feed]["GRACE"], "How long late records are awaited."),
        Key(f"{name}_PACKING", values.OneOf("row", "pack"), "row", "One record an event, or many."),
        Key(f"{name}_ENCODING", values.OneOf("identity", "zstd"), "identity", "How packs are compressed."),
        Key(f"{name}_CATCH_UP", values.duration, "24:00:00", "How far back missed windows are caught up."),
    ]
    keys += [Key(f"{name}_JOB", values.optional_text, kind.job, "The Databricks job that enriches its windows.")]
    keys += [
        Key(f"{stream.name.upper()}_HUB", values.text, stream.name, f"The hub of the stream {stream.name}.")
        for stream in kind.streams
    ]
    return keys + (_live_keys(name) if kind.kind == "live" else _synthetic_keys(name))


def _live_keys(name: str) -> list[Key]:
    return [Key(f"{name}_SOURCES", values.names, "coinbase:BTC-USD,coinbase:ETH-USD", "Markets, as venue:symbol.")]


def _synthetic_keys(name: str) -> list[Key]:
    return [
        Key(f"{name}_RATE", values.positive_number, "100", "Records per second."),
        Key(f"{name}_CATCH_UP_RATE", values.positive_number, "2", "Past windows go at this many times the rate."),
    ]


def _venue_keys(venue: str) -> list[Key]:
    name, public = venue.upper(), PUBLIC_ENDPOINTS[venue]
    return [
        Key(f"{name}__websocketUrl", values.Url("wss"), public.websocket_url, f"The websocket of {venue}."),
        Key(f"{name}__restUrl", values.Url("https"), public.rest_url, f"The REST API of {venue}."),
    ]


def _hub_keys() -> list[Key]:
    return [
        Key("EVENT_HUBS__fullyQualifiedNamespace", values.text, None, "Host of the namespace."),
        Key(
            "EVENT_HUBS__credential",
            values.OneOf("clientsecret", "managedidentity"),
            "clientsecret",
            "Who logs in to Event Hubs: a service principal or the app's managed identity.",
        ),
        Key("EVENT_HUBS__tenantId", values.optional_text, "", "Tenant of the service principal."),
        Key("EVENT_HUBS__clientId", values.optional_text, "", "Client id of the principal or identity."),
        Key("EVENT_HUBS__clientSecret", values.optional_text, "", "Its secret: in Azure a Key Vault reference."),
        Key("EVENT_HUBS__authorityHost", values.optional_url("https"), "", "Another authority; one machine only."),
        Key("EVENT_HUBS__customEndpointAddress", values.optional_url("sb"), "", "Another endpoint; one machine only."),
    ]


def _enrichment_keys() -> list[Key]:
    return [
        Key("EVENT_GRID__topicEndpoint", values.optional_url("https"), "", "Custom topic for openings and closings."),
        Key("EVENT_GRID__topicKey", values.optional_text, "", "Its access key; absent: the app's identity logs in."),
        Key("DATABRICKS__host", values.optional_url("https"), "", "The workspace; absent: windows are not enriched."),
        Key("ASSETS__url", values.optional_url("https"), "", "The assets API (CoinCap v3), for the lookup of trades."),
        Key("ASSETS__key", values.optional_text, "", "Its bearer key: in Azure a Key Vault reference."),
        Key("SQL__url", values.optional_text, "", "SQLAlchemy URL of the database that has `window_counts`."),
        Key("DRAIN_LIMIT", values.positive_duration, "00:10:00", "How long a run may outlive its window."),
    ]


def _metrics_keys() -> list[Key]:
    tables = '{"trades": {"table": "Trades", "floor": 1000, "alert": "ingestion"}}'
    return [
        Key("METRICS_TABLES", values.measured_tables, tables, "The tables that may be measured, by key, as JSON."),
        Key("ALERT_INGESTION_URL", values.optional_text, "", "Logic App of the alert `ingestion`; a secret."),
        Key("ALERT_HOSTS", values.names, "*.logic.azure.com", "The hosts that alerts may be sent to."),
        Key("ALERT_QUIET", values.positive_duration, "06:00:00", "How long the same alert is not sent again."),
    ]


KEYS: tuple[Key, ...] = (
    Key("FEEDS", values.names, "trades,payments", "The enabled feeds."),
    Key("WINDOW_TIMER", values.text, "0 * * * * *", "NCRONTAB of the timer that opens windows."),
    Key("SEND_DEADLINE", values.positive_duration, "00:00:45", "How long one send may take with all its retries."),
    Key("POOLS_FOLDER", values.text, "/tmp/reactive-ingestion", "Where drawn entity pools are cached."),  # noqa: S108 - Azure's only writable disk
    Key("CA_BUNDLE", values.optional_text, "", "PEM file of trusted authorities; absent: the system's."),
    Key("AzureWebJobsStorage", values.optional_text, "", "Connection string of the storage account (one machine)."),
    Key("AzureWebJobsStorage__accountName", values.optional_text, "", "The storage account, by identity."),
    Key("AzureWebJobsStorage__tableServiceUri", values.optional_url("https"), "", "Its table endpoint, by identity."),
    Key("AzureWebJobsStorage__clientId", values.optional_text, "", "The user-assigned identity for storage."),
    Key("PYTHON_THREADPOOL_THREAD_COUNT", values.positive_integer, "32", "Threads of the worker: one for each slice."),
    Key("AzureWebJobsStorage__blobServiceUri", values.optional_url("https"), "", "Its blob endpoint, by identity."),
    *_hub_keys(),
    *_enrichment_keys(),
    *_metrics_keys(),
    *(key for feed in CATALOGUE for key in _feed_keys(feed)),
    *(key for venue in PUBLIC_ENDPOINTS for key in _venue_keys(venue)),
)
