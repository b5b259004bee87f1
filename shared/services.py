"""Composition root: settings become clients, each made when it is first asked for and replaceable by name."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from shared import access, telemetry
from shared.clients.databricks_jobs.jobs import DatabricksJobs, Jobs
from shared.clients.event_hubs.hubs import AzureEventHubs, EventHubs, HubConnection
from shared.clients.identity.credentials import Identity
from shared.clients.logic_app.alert_sender import LogicApp
from shared.clients.recordings.store import Recordings
from shared.clients.retrying import Clock
from shared.clients.sql.opening import sql_counts, sql_metrics
from shared.clients.sql.stores import Counts
from shared.clients.storage.lake_files import Lake, blob_lake
from shared.clients.storage.pools import Pools, SharedPools
from shared.clients.storage.reference import Reference, blob_reference
from shared.clients.storage.runs import RunLedger, table_run_ledger
from shared.clients.storage.spill import Spill, blob_spill
from shared.clients.storage.windows import Ledger, table_ledger
from shared.domain.windows.window import microseconds
from shared.errors import FeedUnusable, Unavailable
from shared.feeds.feed import Feed
from shared.flows.announce import WindowEvents, mark_spill
from shared.flows.destinations import DestinationTools, connect
from shared.flows.enrich import EnrichmentTools, Job
from shared.flows.housekeeping import HousekeepingTools, Keep
from shared.flows.ingest_slice import SliceTools
from shared.flows.lookups import LookupTools, lookup_makers
from shared.flows.measure import MetricsTools
from shared.flows.open_windows import PlanFactory, partitions_of
from shared.flows.pending_alerts import RememberedAlerts
from shared.flows.redriver import RedriveTools
from shared.flows.report_runs import ReportTools, alert_of_dead_spill, alert_of_lost_window
from shared.flows.sources import SourceTools, fingerprint_of
from shared.flows.spill_housekeeping import SpillHousekeepingTools
from shared.made_once import made_once
from shared.settings.model import Settings, from_process
from shared.trades.connection.client import VenueClient
from shared.trades.connection.clients import VenueClients
from shared.trades.listing import Listing

logger = logging.getLogger(__name__)


class Services:
    """All collaborators of the app. Nothing in here is bound to an event loop, and nothing is made at import."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        self.lock = threading.RLock()
        self.made: dict[str, Any] = {}

    def replace(self, **others: Any) -> Self:  # noqa: ANN401 - any collaborator
        """Put others in the place of collaborators, for tests; raises AttributeError for a name that is none."""
        for name in others:
            if not isinstance(vars(type(self)).get(name), made_once):
                raise AttributeError(f"There is no service {name!r} to replace.")
        self.made.update(others)
        return self

    @made_once
    def settings(self) -> Settings:
        """Give all app settings, and say which feeds can't run; raises SettingsError."""
        settings = from_process()
        for problem in settings.unusable.values():
            telemetry.warning(logger, "feed.unusable", reason=problem)
        return settings

    @made_once
    def feeds(self) -> Mapping[str, Feed]:
        """Give the feeds that can run, by name."""
        return {name: each.feed for name, each in self.settings.feeds.items()}

    @made_once
    def clock(self) -> Callable[[], datetime]:
        """Give the wall clock, in UTC."""
        return lambda: datetime.now(UTC)

    @made_once
    def ledger(self) -> Ledger:
        """Give the ledger of windows and slices."""
        return table_ledger(access.storage_account(self.settings, "table"))

    @made_once
    def hubs(self) -> EventHubs:
        """Give Event Hubs, as the settings' identity."""
        hub, bundle = self.settings.hub, self.settings.ca_bundle
        connection = HubConnection(hub.namespace, hub.custom_endpoint, bundle, hub.transport == "websockets", hub.proxy)
        return AzureEventHubs(connection, self.identity, retry=access.sending(self.settings))

    @made_once
    def venues(self) -> Callable[[], Mapping[str, VenueClient]]:
        """Give what makes the clients of the venues, by name: each slice and closing has its own."""
        settings = self.settings
        return VenueClients(settings.venues, ca_bundle=settings.ca_bundle, clock=lambda: microseconds(self.clock()))

    @made_once
    def listing(self) -> Listing:
        """Give the venues' own lists of their markets."""
        return Listing(self.venues, self.reference, self.clock)

    @made_once
    def pools(self) -> Pools:
        """Give the pools that drawn feeds draw from."""
        return SharedPools(Path(self.settings.pools_folder), self.reference)

    @made_once
    def reference(self) -> Reference:
        """Give the container of lookups and window markers."""
        return blob_reference(access.storage_account(self.settings, "blob"))

    @made_once
    def lake(self) -> Lake:
        """Give the container of the streams that end in files."""
        return blob_lake(access.storage_account(self.settings, "blob"), access.sending(self.settings))

    @made_once
    def spill(self) -> Spill:
        """Give what keeps the records that a hub does not take."""
        return blob_spill(access.storage_account(self.settings, "blob"), access.storage_account(self.settings, "queue"))

    @made_once
    def identity(self) -> Identity:
        """Give who the app is to Event Hubs, Event Grid and Databricks."""
        return access.app_identity(self.settings)

    @made_once
    def window_events(self) -> WindowEvents:
        """Give what publishing the events of windows needs."""
        listening = access.topic(self.settings, self.identity)
        return WindowEvents(self.ledger, self.hubs, self.reference, self.spill, listening, self.clock)

    @made_once
    def runs(self) -> RunLedger:
        """Give the ledger of Databricks runs."""
        return table_run_ledger(access.storage_account(self.settings, "table"))

    @made_once
    def counts(self) -> Counts | None:
        """Give what the lakehouse counted, None where no database is set."""
        url = self.settings.enrichment.sql_url
        return sql_counts(url, self.identity) if url else None

    @made_once
    def jobs(self) -> Jobs:
        """Give the jobs of the Databricks workspace."""
        host = self.settings.enrichment.databricks_host or ""
        return DatabricksJobs(host, self.identity, ca_bundle=self.settings.ca_bundle)

    @made_once
    def enrichment_tools(self) -> EnrichmentTools:
        """Give what enriching needs of the world."""
        enrichment = self.settings.enrichment
        return EnrichmentTools(
            ledger=self.ledger,
            runs=self.runs,
            jobs=self.jobs,
            hubs=self.hubs,
            lookups=LookupTools(self.reference, lookup_makers(access.assets(self.settings))),
            clock=self.clock,
            jobs_of=self._jobs_of() if enrichment.databricks_host else {},
            drain_limit=enrichment.drain_limit,
            spill_kept=self.settings.keep["spill"],
        )

    @made_once
    def metrics_tools(self) -> MetricsTools:
        """Give what measuring needs of the world; raises Unavailable where no database is set."""
        if self.alert_tools is None:
            raise Unavailable("SQL__url is not set: there is no database to measure.")
        return self.alert_tools

    @made_once
    def alert_tools(self) -> MetricsTools | None:
        """Give what measuring and alerting need of the world, None where no database is set."""
        settings = self.settings.metrics
        url = self.settings.enrichment.sql_url
        if url is None:
            return None
        return MetricsTools(
            tables=settings.tables,
            ledger=self.ledger,
            metrics=RememberedAlerts(sql_metrics(url, self.identity), self.reference),
            alert_sender=LogicApp(settings.alert_urls, ca_bundle=self.settings.ca_bundle),
            clock=self.clock,
            quiet=settings.alert_quiet,
        )

    @made_once
    def report_tools(self) -> ReportTools | None:
        """Give what reporting a run needs of the world, None where no database is set."""
        return (
            ReportTools(self.metrics_tools, self.runs, self.counts, self.settings.enrichment.drain_limit)
            if self.counts
            else None
        )

    @made_once
    def housekeeping_tools(self) -> HousekeepingTools:
        """Give what housekeeping needs of the world."""
        return HousekeepingTools(
            events=self.window_events,
            runs=self.runs,
            alert=lambda row: alert_of_lost_window(self.report_tools, row),
            feeds=tuple(self.settings.feeds),
            lookups=tuple(lookup_makers(None)),
            keep=Keep(**self.settings.keep),
        )

    @made_once
    def redrive_tools(self) -> RedriveTools:
        """Give what redriving needs of the world."""
        return RedriveTools(
            spill=self.spill,
            hubs=self.hubs,
            clock=self.clock,
            draw=Clock().jitter,
            after_dead=self.settings.after_dead,
            drained=partial(mark_spill, self.window_events),
        )

    @made_once
    def spill_housekeeping_tools(self) -> SpillHousekeepingTools:
        """Give what looking after the spill needs of the world."""
        return SpillHousekeepingTools(
            spill=self.spill,
            events=self.window_events,
            alert=partial(alert_of_dead_spill, self.report_tools),
            after_dead=self.settings.after_dead,
            keep=self.settings.keep["spill"],
            keep_dead=self.settings.keep["ledger"],
        )

    @made_once
    def plans(self) -> PlanFactory:
        """Give what makes the plans of windows."""
        templates = {name: feed.template for name, feed in self.settings.feeds.items()}
        return PlanFactory(
            templates,
            self._fingerprint,
            lambda template: partitions_of(template, self.hubs),
            self.listing.resolve,
            partial(access.replay_plan, self.settings, self.recordings),
        )

    @made_once
    def slice_tools(self) -> SliceTools:
        """Give what a slice needs of the world."""
        return SliceTools(
            ledger=self.ledger,
            feeds=self.feeds,
            sources=self.source_tools,
            destinations=partial(connect, tools=self.destination_tools),
            clock=self.clock,
            sleep=asyncio.sleep,
            longest_closing=self.settings.longest_closing,
        )

    @made_once
    def source_tools(self) -> SourceTools:
        """Give what the sources of slices need of the world."""
        opening = partial(access.open_recording, self.recordings)
        return SourceTools(self.pools.drawing, self.venues, opening, partial(access.quarantine, self.settings))

    @made_once
    def destination_tools(self) -> DestinationTools:
        """Give what the destinations of streams need of the world."""
        rows = partial(access.database_rows, self.settings, self.identity)
        spill = self.spill if self.settings.spills else None
        return DestinationTools(self.hubs, lambda: self.lake, rows, self.clock, spill)

    @made_once
    def recordings(self) -> Recordings:
        """Give the recordings that feeds may replay."""
        return access.recordings(self.settings)

    def _jobs_of(self) -> dict[str, Job]:
        feeds = self.settings.feeds.values()
        return {each.feed.name: Job(each.job, each.feed.lookups) for each in feeds if each.job}

    def _fingerprint(self, feed: str) -> str:
        if feed not in self.feeds:
            raise FeedUnusable(self.settings.unusable.get(feed, f"There is no feed {feed} here."))
        return fingerprint_of(self.feeds[feed], self.source_tools)


_services = Services()


def services() -> Services:
    """Give the services of this process; only blueprints ask."""
    return _services
