"""Composition root: clients become what flows need, each made when it is first asked for and replaceable by name."""

import asyncio
from functools import partial

from shared import access
from shared.clients.destination import Sender
from shared.clients.logic_app.alert_sender import LogicApp
from shared.clients.noted import Noted
from shared.clients.recordings.store import Recordings
from shared.clients.retrying import Clock
from shared.clients.sql.opening import sql_metrics
from shared.contracts import Contract, load_contract
from shared.errors import FeedUnusable, Unavailable
from shared.flows.announce import WindowEvents, mark_spill
from shared.flows.destinations import DestinationTools, connect, connect_again
from shared.flows.drain import DrainTools
from shared.flows.enrich import EnrichmentTools, Job
from shared.flows.export_rows import ExportTools
from shared.flows.housekeeping import HousekeepingTools, Keep
from shared.flows.ingest_slice import SliceTools
from shared.flows.look_at_health import Health
from shared.flows.lookups import LookupTools, dimension_makers, lookup_makers, reference_makers
from shared.flows.mail_view_alerts import MailTools
from shared.flows.measure import MetricsTools
from shared.flows.open_windows import PlanFactory, partitions_of
from shared.flows.pending_alerts import RememberedAlerts
from shared.flows.redriver import RedriveTools
from shared.flows.reference_data import ReferenceTools
from shared.flows.report_runs import ReportTools, alert_of_dead_spill, alert_of_lost_window
from shared.flows.sources import SourceTools, fingerprint_of
from shared.flows.spill_housekeeping import SpillHousekeepingTools
from shared.health import health_of
from shared.listening import HubServices
from shared.made_once import made_once


class Services(HubServices):
    """All collaborators of the app. Nothing in here is bound to a caller's event loop, or made at import."""

    @made_once
    def window_events(self) -> WindowEvents:
        """Give what publishing the events of windows needs."""
        listening = access.topic(self.settings, self.identity)
        return WindowEvents(self.ledger, self.hubs, self.reference, self.spill, listening, self.clock)

    @made_once
    def lookup_tools(self) -> LookupTools:
        """Give where lookups lie, and what makes each."""
        makers = lookup_makers(access.assets(self.settings))
        for each in self.settings.feeds.values():
            makers |= dimension_makers(each.feed, each.daily, self.pools.drawing)
            makers |= reference_makers(each.feed, each.template.options, self.pools.drawing)
        return LookupTools(self.reference, makers)

    @made_once
    def reference_tools(self) -> ReferenceTools:
        """Give what drawing reference data needs of the world."""
        options = {name: each.template.options for name, each in self.settings.feeds.items()}
        return ReferenceTools(self.drawn_files, self.pools.drawing, self.clock, self.feeds, options)

    @made_once
    def export_tools(self) -> ExportTools:
        """Give what exporting rows of SQL tables needs of the world."""
        plans = [stream for each in self.settings.feeds.values() for stream in each.template.streams]
        return ExportTools(
            contracts=tuple(load_contract(stream.contract) for stream in plans if stream.destination == "sql"),
            rows=partial(access.changed_rows, self.settings, self.identity),
            files=self.exported_files,
            progress=self.export_progress,
            every=self.settings.enrichment.export_every,
            clock=self.clock,
        )

    @made_once
    def enrichment_tools(self) -> EnrichmentTools:
        """Give what enriching needs of the world."""
        enrichment = self.settings.enrichment
        return EnrichmentTools(
            ledger=self.ledger,
            runs=self.runs,
            jobs=self.jobs,
            hubs=self.hubs,
            lookups=self.lookup_tools,
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
            lookups=tuple(self.lookup_tools.makers),
            keep=Keep(**self.settings.keep),
        )

    @made_once
    def redrive_tools(self) -> RedriveTools:
        """Give what redriving needs of the world."""
        return RedriveTools(
            spill=self.spill,
            connect=partial(connect_again, tools=self.destination_tools),
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
            streams=access.spilled_streams(self.settings),
        )

    @made_once
    def health(self) -> Health:
        """Give what looks at the health of what the app depends on."""
        return health_of(self)

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
            may_begin=self.drain_tools.may_begin,
        )

    @made_once
    def drain_tools(self) -> DrainTools:
        """Give what draining needs of the world."""
        return DrainTools(self.reference, self.ledger, self.clock)

    @made_once
    def source_tools(self) -> SourceTools:
        """Give what the sources of slices need of the world."""
        opening = partial(access.open_recording, self.recordings)
        return SourceTools(self.pools.drawing, self.venues, opening, partial(access.quarantine, self.settings))

    @made_once
    def destination_tools(self) -> DestinationTools:
        """Give what the destinations of streams need of the world."""
        cosmos = partial(access.cosmos_container, self.settings, self.identity)
        spill = self.spill if self.settings.spills else None
        return DestinationTools(self.hubs, lambda: self.lake, self._rows, cosmos, self.clock, spill)

    @made_once
    def recordings(self) -> Recordings:
        """Give the recordings that feeds may replay."""
        return access.recordings(self.settings)

    @made_once
    def view_mail_tools(self) -> MailTools:
        """Give what mailing of views needs of the world."""
        return MailTools(self.view_alerts, self.alert_tools, self.settings.view_alerts.name)

    def _rows(self, contract: Contract) -> Sender:
        note = partial(self.export_progress.note_change, contract.stream)
        return Noted(access.database_rows(self.settings, self.identity, contract), note, self.clock)

    def _jobs_of(self) -> dict[str, Job]:
        return {name: Job(each.job, each.feed.lookups) for name, each in self.settings.feeds.items() if each.job}

    def _fingerprint(self, feed: str) -> str:
        if feed not in self.feeds:
            raise FeedUnusable(self.settings.unusable.get(feed, f"There is no feed {feed} here."))
        return fingerprint_of(self.feeds[feed], self.source_tools)


_services = Services()


def services() -> Services:
    """Give the services of this process; only blueprints ask."""
    return _services
