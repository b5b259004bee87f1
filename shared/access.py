"""Who the app is to the services that it uses, and where they are, by its settings."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

from shared.clients.application_insights.opening import export_to_insights
from shared.clients.coincap.assets import Assets, CoinCapAssets
from shared.clients.cosmos.containers import THROTTLED, AzureCosmos, CosmosConnection, Items
from shared.clients.destination import ChargedSender, OnRefusal, Sender
from shared.clients.event_grid.topic import EventGridTopic, Topic
from shared.clients.identity.credentials import Identity, ManagedIdentity, ServicePrincipal, make_identity
from shared.clients.recordings.blocks import RecordingFile
from shared.clients.recordings.store import KeptRecordings, Recordings
from shared.clients.recordings.web import WebRecordings
from shared.clients.retrying import RetryPolicy, Timeouts
from shared.clients.sql.opening import sql_changed_rows, sql_rows
from shared.clients.sql.stores import ChangedRows
from shared.clients.storage.account import Account
from shared.clients.storage.quarantine import Quarantine, blob_quarantine
from shared.clients.storage.recordings import BlobRecordings
from shared.contracts import Contract
from shared.domain.recording import recording_location
from shared.domain.spill import stream_at
from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.replay import ReplayPlan, ReplaySettings
from shared.errors import FeedUnusable
from shared.feeds.catalogue import collection_type
from shared.settings.model import Settings, tell_exporter


def app_identity(settings: Settings) -> Identity:
    """Give who the app is to Event Hubs, Event Grid and Databricks."""
    hub = settings.hub
    if hub.credential == "managedidentity":
        return make_identity(ManagedIdentity(hub.client_id))
    principal = ServicePrincipal(
        tenant_id=hub.tenant_id or "",
        client_id=hub.client_id or "",
        client_secret=hub.client_secret or "",
        authority_host=hub.authority_host,
        ca_bundle=settings.ca_bundle,
    )
    return make_identity(principal)


def export_telemetry(settings: Settings) -> None:
    """Send lines, metrics and spans from now on, where it is set where to."""
    telemetry = settings.telemetry
    if telemetry.connection is None:
        return
    tell_exporter()
    identity = make_identity(ManagedIdentity(telemetry.login.client_id)) if telemetry.login else None
    streams = {stream.name for feed in settings.feeds.values() for stream in feed.template.streams}
    export_to_insights(
        telemetry.connection,
        identity,
        role=telemetry.role,
        every=telemetry.every,
        ca_bundle=settings.ca_bundle,
        configured={
            "feed": frozenset(settings.feeds),
            "stream": frozenset(streams) | spilled_streams(settings),
        },
    )


def spilled_streams(settings: Settings) -> frozenset[str]:
    """Name what may be spilled: each stream of a hub, and `<stream>.cosmos` of each that goes to Cosmos DB."""
    streams = [stream for feed in settings.feeds.values() for stream in feed.template.streams]
    of_cosmos = {stream_at(stream.name, "cosmos") for stream in streams if stream.cosmos}
    return frozenset(of_cosmos | {stream.name for stream in streams if stream.hubs})


def storage_account(settings: Settings, service: Literal["blob", "queue", "table"]) -> Account:
    """Say how a service of the app's storage is reached; where the lake has an account, all blobs are there."""
    identity = make_identity(ManagedIdentity(settings.storage_client_id))
    if service == "blob" and settings.lake_account:
        lake = f"https://{settings.lake_account}.blob.core.windows.net"
        return Account(None, lake, identity, settings.ca_bundle)
    endpoint = settings.storage_endpoints[service] or f"https://{settings.storage_account}.{service}.core.windows.net"
    return Account(settings.storage, endpoint, identity, settings.ca_bundle)


def topic(settings: Settings, identity: Identity) -> Topic | None:
    """Give Event Grid's topic of the windows' events, None where none is set."""
    enrichment = settings.enrichment
    if enrichment.topic_endpoint is None:
        return None
    return EventGridTopic(enrichment.topic_endpoint, enrichment.topic_key or identity, ca_bundle=settings.ca_bundle)


def assets(settings: Settings) -> Assets | None:
    """Give the API that lists the assets, None where none is set."""
    enrichment = settings.enrichment
    if enrichment.assets_url is None:
        return None
    return CoinCapAssets(enrichment.assets_url, enrichment.assets_key or "", ca_bundle=settings.ca_bundle)


def cosmos(settings: Settings, identity: Identity) -> AzureCosmos | None:
    """Give the containers of Cosmos DB, None where no account is set."""
    account = settings.cosmos
    if account.endpoint is None:
        return None
    connection = CosmosConnection(
        endpoint=account.endpoint,
        key=account.key,
        ca_bundle=settings.ca_bundle,
        side_by_side=account.concurrency,
    )
    timeouts = Timeouts(total=settings.send_deadline.total_seconds(), throttled=THROTTLED)
    return AzureCosmos(connection, identity, retry=RetryPolicy(timeouts))


def cosmos_container(
    settings: Settings, identity: Identity, contract: Contract, container: str, on_refusal: OnRefusal | None = None
) -> AbstractAsyncContextManager[ChargedSender]:
    """Connect to a container for records of a contract; raises FeedUnusable where no account is set."""
    account = cosmos(settings, identity)
    if account is None:
        raise FeedUnusable(f"COSMOS__accountEndpoint is not set: there is no account for {container}.")
    items = Items.of(contract, settings.cosmos.time_to_live, collection_type(contract.stream))
    return account.sender(container, items, on_refusal)


def sending(settings: Settings) -> RetryPolicy:
    """Give how long one send to any destination is tried."""
    return RetryPolicy(Timeouts(total=settings.send_deadline.total_seconds()))


def database_rows(settings: Settings, identity: Identity, contract: Contract) -> Sender:
    """Open the table of a contract's records in the app's database; raises FeedUnusable where no database is set."""
    url = settings.enrichment.sql_url
    if url is None:
        raise FeedUnusable(f"SQL__url is not set: there is no database for the rows of stream {contract.stream}.")
    return sql_rows(url, identity, contract, retry=sending(settings))


def changed_rows(settings: Settings, identity: Identity, contract: Contract) -> ChangedRows:
    """Open the table of a contract's records by its changes; raises FeedUnusable where no database is set."""
    url = settings.enrichment.sql_url
    if url is None:
        raise FeedUnusable(f"SQL__url is not set: there are no rows of stream {contract.stream} to export.")
    return sql_changed_rows(url, identity, contract)


def recordings(settings: Settings) -> Recordings:
    """Give the recordings that feeds may replay."""
    account = storage_account(settings, "blob")
    queries = {one.recording.address: one.recording.query for one in settings.feeds.values() if one.recording}
    web = WebRecordings(queries, settings.ca_bundle)
    return KeptRecordings(Path(settings.pools_folder) / "recordings", {"blob": BlobRecordings(account), "https": web})


def replay_plan(settings: Settings, found: Recordings, feed: str, how: ReplaySettings) -> ReplayPlan | None:
    """Say what a feed's windows replay, None is nothing; raises FeedRefused, Unavailable, LoginRefused."""
    location = settings.feeds[feed].recording if feed in settings.feeds else None
    if location is None:
        return None
    return ReplayPlan(location.address, found.identify(location), how.lead, how.run, how.speed, how.first)


def open_recording(found: Recordings, replay: ReplayPlan) -> RecordingFile:
    """Open the file that a window replays, as its plan says; raises FeedRefused, Unavailable, LoginRefused."""
    location = recording_location(replay.file)
    if location is None:
        raise FeedUnusable("The window's plan names no recording.")
    return found.open(location, replay.identity)


def quarantine(settings: Settings, stream: str, attempt: SliceAttempt) -> Quarantine:
    """Give where one try keeps the lines of a recording that are no records."""
    return blob_quarantine(storage_account(settings, "blob"), sending(settings), stream, attempt)
