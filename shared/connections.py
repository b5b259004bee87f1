"""What the app works with beside its own code: settings, the clock, and the clients of other systems."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from inspect import getattr_static
from pathlib import Path
from typing import Any, Self

from shared import telemetry
from shared.access import app_identity, export_telemetry, sending, storage_account
from shared.clients.databricks_jobs.jobs import DatabricksJobs, Jobs
from shared.clients.event_hubs.hubs import AzureEventHubs, EventHubs, HubConnection
from shared.clients.identity.credentials import Identity
from shared.clients.sql.opening import sql_counts
from shared.clients.sql.stores import Counts
from shared.clients.storage.drawn_files import DrawnFiles, blob_drawn_files
from shared.clients.storage.export_progress import ExportProgress, table_export_progress
from shared.clients.storage.exported_files import ExportedFiles, exported_files
from shared.clients.storage.lake_files import Lake, blob_lake
from shared.clients.storage.pools import Pools, SharedPools
from shared.clients.storage.reference import Reference, blob_reference
from shared.clients.storage.runs import RunLedger, table_run_ledger
from shared.clients.storage.spill import Spill, blob_spill
from shared.clients.storage.windows import Ledger, table_ledger
from shared.domain.windows.window import microseconds
from shared.feeds.feed import Feed
from shared.made_once import made_once
from shared.settings.model import Settings, from_process
from shared.trades.connection.client import VenueClient
from shared.trades.connection.clients import VenueClients
from shared.trades.listing import Listing

logger = logging.getLogger(__name__)


class Connections:
    """Settings and clients, each made when it is first asked for. Nothing in here is bound to an event loop."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        self.lock = threading.RLock()
        self.made: dict[str, Any] = {}

    def replace(self, **others: Any) -> Self:  # noqa: ANN401 - any collaborator
        """Put others in the place of collaborators, for tests; raises AttributeError for a name that is none."""
        for name in others:
            if not isinstance(getattr_static(type(self), name, None), made_once):
                raise AttributeError(f"There is no service {name!r} to replace.")
        self.made.update(others)
        return self

    @made_once
    def settings(self) -> Settings:
        """Give all app settings, and say which feeds can't run; raises SettingsError.

        Every function asks for them first, so from here on telemetry is sent.
        """
        settings = from_process()
        export_telemetry(settings)
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
        return table_ledger(storage_account(self.settings, "table"))

    @made_once
    def hubs(self) -> EventHubs:
        """Give Event Hubs, as the settings' identity."""
        hub, bundle = self.settings.hub, self.settings.ca_bundle
        connection = HubConnection(hub.namespace, hub.custom_endpoint, bundle, hub.transport == "websockets", hub.proxy)
        return AzureEventHubs(connection, self.identity, retry=sending(self.settings))

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
        return blob_reference(storage_account(self.settings, "blob"))

    @made_once
    def lake(self) -> Lake:
        """Give the container of the streams that end in files."""
        return blob_lake(storage_account(self.settings, "blob"), sending(self.settings))

    @made_once
    def drawn_files(self) -> DrawnFiles:
        """Give the same container for the reference data of drawn feeds."""
        return blob_drawn_files(storage_account(self.settings, "blob"), sending(self.settings))

    @made_once
    def exported_files(self) -> ExportedFiles:
        """Give the same container for the rows that are exported from SQL."""
        return exported_files(storage_account(self.settings, "blob"), sending(self.settings))

    @made_once
    def export_progress(self) -> ExportProgress:
        """Give how far SQL tables are exported."""
        return table_export_progress(storage_account(self.settings, "table"))

    @made_once
    def spill(self) -> Spill:
        """Give what keeps the records that a hub does not take."""
        return blob_spill(storage_account(self.settings, "blob"), storage_account(self.settings, "queue"))

    @made_once
    def identity(self) -> Identity:
        """Give who the app is to Event Hubs, Cosmos DB, Event Grid and Databricks."""
        return app_identity(self.settings)

    @made_once
    def runs(self) -> RunLedger:
        """Give the ledger of Databricks runs."""
        return table_run_ledger(storage_account(self.settings, "table"))

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
