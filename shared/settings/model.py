"""Every app setting: its name, default and meaning, read from the environment once and all together."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.domain.costs import Prices
from shared.domain.redriving import AfterDead
from shared.domain.setting import Setting, Url
from shared.domain.volumes.alert_address import AlertUrl, alert_url
from shared.domain.volumes.measurement import RUN_ALERT, MeasuredTable
from shared.domain.windows.plan import StreamPlan
from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS, checked
from shared.feeds.feed import Feed
from shared.settings.cosmos import CosmosSettings, cosmos_settings
from shared.settings.feeds import FeedSettings, feed_settings
from shared.settings.host import Host, host_values
from shared.settings.keys import STORAGE_SERVICES, settings_of
from shared.settings.prices import prices
from shared.settings.promotions import PromotionSettings, promotion_settings
from shared.settings.proxies import HUB_PROXY, environments_proxy
from shared.settings.rules import ALERT_URLS, SLICE_RESERVE, broken_rules, longest_wait
from shared.settings.telemetry import OF_THE_EXPORTER, TelemetrySettings, telemetry_settings
from shared.settings.view_alerts import ViewAlertSettings, view_alert_settings
from shared.trades.venues.registry import PUBLIC_ENDPOINTS, Endpoints

KEPT = ("history", "ledger", "lookups", "markers", "spill")

APP_FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class HubSettings:
    """The identity-based connection to Event Hubs, as Azure's own triggers read it."""

    namespace: str
    credential: str
    tenant_id: str | None
    client_id: str | None
    client_secret: str | None = field(repr=False)
    authority_host: str | None
    custom_endpoint: str | None
    transport: str
    proxy: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnrichmentSettings:
    """Where windows are announced and enriched; what is absent is not done.

    export_every: how often the rows of SQL tables that changed are exported to the lake.
    """

    topic_endpoint: str | None
    topic_key: str | None = field(repr=False)
    databricks_host: str | None
    assets_url: str | None
    assets_key: str | None = field(repr=False)
    sql_url: str | None = field(repr=False)
    export_every: timedelta | None
    drain_limit: timedelta


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """What may be measured, and where alerts go, by the name of the alert; each URL is a secret."""

    tables: Mapping[str, MeasuredTable]
    alert_urls: Mapping[str, AlertUrl] = field(repr=False)
    alert_quiet: timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the app; `unusable` says of each enabled feed that can't run why.

    spills: whether what a hub does not take in time is kept; else its slice fails. longest_closing: how long one call
    of a window's closing may work, None for ever. storage_endpoints: of the app's account, by service, where set.
    lake_account: that of all containers, None where the app's account has them.
    keep: how long each kind of `KEPT` is kept. after_dead: what spilled events do whose key has earlier, dead ones.
    """

    feeds: Mapping[str, FeedSettings]
    unusable: Mapping[str, str]
    timer_period: timedelta
    send_deadline: timedelta
    spills: bool
    longest_closing: timedelta | None
    storage: str | None = field(repr=False)
    storage_account: str | None
    storage_endpoints: Mapping[str, str | None]
    storage_client_id: str | None
    lake_account: str | None
    hub: HubSettings
    cosmos: CosmosSettings
    prices: Prices
    enrichment: EnrichmentSettings
    metrics: MetricsSettings
    promotions: PromotionSettings
    view_alerts: ViewAlertSettings
    telemetry: TelemetrySettings
    venues: Mapping[str, Endpoints]
    ca_bundle: str | None
    pools_folder: str
    keep: Mapping[str, timedelta]
    after_dead: AfterDead


def from_process() -> Settings:
    """Read the settings of this process; raises SettingsError."""
    try:
        host = json.loads((APP_FOLDER / "host.json").read_text(encoding="utf-8"))
    except ValueError:
        raise SettingsError("host.json must be JSON, and is not.") from None
    return read_settings(os.environ, host)


def tell_exporter() -> None:
    """Set what the exporter of telemetry reads from the environment by itself, unless a person has."""
    for name, value in OF_THE_EXPORTER.items():
        os.environ.setdefault(name, value)


def read_settings(environment: Mapping[str, str], host: Mapping[str, Any], feeds: Iterable[Feed] = FEEDS) -> Settings:
    """Read all settings; `host` is host.json. Raises one SettingsError that names every missing or wrong one.

    A feed whose declaration is wrong is left out, and costs no other feed.
    """
    feeds = tuple(feeds)
    settings = settings_of(feeds).values()
    read, problems = _read_all(environment, settings)
    read[ALERT_URLS] = _alert_urls(environment, read)
    read[HUB_PROXY] = environments_proxy(environment, read)
    granted, wrong = host_values(environment, host)
    urls = [each.name for each in settings if isinstance(each.parse, Url)]
    problems += wrong + broken_rules(read, granted, [feed.name for feed in feeds], urls)
    if problems:
        raise SettingsError("These app settings are missing or wrong:\n" + "\n".join(f"- {line}" for line in problems))
    return _settings(read, granted, [feed for feed in feeds if feed.name in read["FEEDS"]])


def _read_all(environment: Mapping[str, str], settings: Iterable[Setting]) -> tuple[dict[str, Any], list[str]]:
    """Read each setting; a wrong one counts as its default, so that the rules after it can still be asked."""
    read: dict[str, Any] = {}
    problems = []
    for each in settings:
        written = environment.get(each.name, each.default)
        if written is None:
            problems.append(f"{each.name} is not set. {each.meaning}")
            read[each.name] = None
            continue
        try:
            read[each.name] = each.read(written)
        except ValueError as error:
            problems.append(f"{each.name} {error}.{each.excerpt(written)}")
            read[each.name] = each.parse(each.default) if each.default is not None else None
    return read, problems


def _alert_urls(environment: Mapping[str, str], read: Mapping[str, Any]) -> dict[str, str]:
    """Read the URL of each alert that a table or the views name, and of that for runs; an absent one can't be sent."""
    tables: Mapping[str, MeasuredTable] = read["METRICS_TABLES"]
    names = sorted({RUN_ALERT, read["VIEW_ALERTS_NAME"], *(table.alert for table in tables.values())})
    found = {name: environment.get(f"ALERT_{name.upper()}_URL", "") for name in names}
    return {name: url for name, url in found.items() if url.strip()}


def _settings(read: Mapping[str, Any], host: Host, enabled: Iterable[Feed]) -> Settings:
    catalogue = checked(enabled)
    feeds = {feed.name: feed_settings(feed, read) for feed in catalogue.feeds.values()}
    twice = _hubs_named_twice(feeds.values())
    return Settings(
        feeds={name: feed for name, feed in feeds.items() if name not in twice},
        unusable={**catalogue.problems, **twice},
        timer_period=longest_wait(read["WINDOW_TIMER"]),
        send_deadline=read["SEND_DEADLINE"],
        spills=read["SPILL"] == "on",
        longest_closing=host.function_timeout and host.function_timeout - read["SEND_DEADLINE"] - SLICE_RESERVE,
        storage=read["AzureWebJobsStorage"],
        storage_account=read["AzureWebJobsStorage__accountName"],
        storage_endpoints={name: read[f"AzureWebJobsStorage__{name}ServiceUri"] for name in STORAGE_SERVICES},
        storage_client_id=read["AzureWebJobsStorage__clientId"],
        lake_account=read["LAKE__accountName"],
        hub=_hub(read),
        cosmos=cosmos_settings(read),
        prices=prices(read),
        enrichment=_enrichment(read),
        metrics=_metrics(read),
        promotions=promotion_settings(read),
        view_alerts=view_alert_settings(read),
        telemetry=telemetry_settings(read),
        venues={name: _endpoints(name.upper(), read) for name in PUBLIC_ENDPOINTS},
        ca_bundle=read["CA_BUNDLE"],
        pools_folder=read["POOLS_FOLDER"],
        keep={name: read[f"KEEP_{name.upper()}"] for name in KEPT},
        after_dead=read["SPILL_AFTER_DEAD"],
    )


def _hubs_named_twice(feeds: Iterable[FeedSettings]) -> dict[str, str]:
    """Name the feeds one of whose hubs is a hub of another stream already; that stream keeps it."""
    owners: dict[str, StreamPlan] = {}
    problems = {}
    for feed in feeds:
        for stream, hub in [(each, hub) for each in feed.template.of_hubs for hub in each.hubs]:
            if (owner := owners.setdefault(hub, stream)) != stream:
                problems[feed.feed.name] = (
                    f"Feed {feed.feed.name} can't run: {_hubs_setting(stream)} and {_hubs_setting(owner)} both name "
                    f"hub {hub!r}; each stream needs a hub of its own."
                )
    return problems


def _hubs_setting(stream: StreamPlan) -> str:
    return f"{stream.name.upper()}_HUB{'S' if len(stream.hubs) > 1 else ''}"


def _endpoints(name: str, read: Mapping[str, Any]) -> Endpoints:
    return Endpoints(read[f"{name}__websocketUrl"], read[f"{name}__restUrl"])


def _hub(read: Mapping[str, Any]) -> HubSettings:
    return HubSettings(
        namespace=read["EVENT_HUBS__fullyQualifiedNamespace"],
        credential=read["EVENT_HUBS__credential"],
        tenant_id=read["EVENT_HUBS__tenantId"],
        client_id=read["EVENT_HUBS__clientId"],
        client_secret=read["EVENT_HUBS__clientSecret"],
        authority_host=read["EVENT_HUBS__authorityHost"],
        custom_endpoint=read["EVENT_HUBS__customEndpointAddress"],
        transport=read["EVENT_HUBS_TRANSPORT"],
        proxy=read["EVENT_HUBS_PROXY"] or read[HUB_PROXY],
    )


def _enrichment(read: Mapping[str, Any]) -> EnrichmentSettings:
    return EnrichmentSettings(
        topic_endpoint=read["EVENT_GRID__topicEndpoint"],
        topic_key=read["EVENT_GRID__topicKey"],
        databricks_host=read["DATABRICKS__host"],
        assets_url=read["ASSETS__url"],
        assets_key=read["ASSETS__key"],
        sql_url=read["SQL__url"],
        export_every=read["SQL_EXPORT_EVERY"],
        drain_limit=read["DRAIN_LIMIT"],
    )


def _metrics(read: Mapping[str, Any]) -> MetricsSettings:
    urls = {
        name: alert_url(url, hosts=read["ALERT_HOSTS"], loopback=read["ONE_MACHINE"])
        for name, url in read[ALERT_URLS].items()
    }
    return MetricsSettings(tables=read["METRICS_TABLES"], alert_urls=urls, alert_quiet=read["ALERT_QUIET"])
