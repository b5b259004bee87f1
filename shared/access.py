"""Who the app is to the services that it uses, and where they are, by its settings."""

from typing import Literal

from shared.clients.coincap.assets import Assets, CoinCapAssets
from shared.clients.event_grid.topic import EventGridTopic, Topic
from shared.clients.identity.credentials import Identity, ManagedIdentity, ServicePrincipal, make_identity
from shared.settings.model import Settings


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


def storage_access(settings: Settings, service: Literal["blob", "queue", "table"]) -> tuple[str | None, str, Identity]:
    """Give connection string, endpoint and identity of a service of the app's storage account."""
    endpoint = settings.storage_endpoints[service] or f"https://{settings.storage_account}.{service}.core.windows.net"
    return settings.storage, endpoint, make_identity(ManagedIdentity(settings.storage_client_id))


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
