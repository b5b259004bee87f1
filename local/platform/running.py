"""A platform that runs: where everything is, and the app settings that point an app at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from emulators.entra.identities import Identities, Role
from local.platform.services import APPLICATION_INSIGHTS, COSMOS, Addresses
from local.platform.state import State

NAMESPACE = "local.servicebus.windows.net"
TASK_HUB = "ReactiveIngestion"

_WEBSOCKETS = {"COINBASE": "coinbase/ws", "BINANCE": "binance/ws", "KRAKEN": "kraken/v2", "BITSTAMP": "bitstamp/ws"}


@dataclass(frozen=True, slots=True)
class Running:
    """What a started platform announced: its folder, who may do what, addresses and process ids per service."""

    state: State
    identities: Identities
    addresses: Addresses
    process_ids: Mapping[str, int]

    def app_settings(self) -> dict[str, str]:
        """Write the settings of an app that sends: storage, database, the Sender's identity, the hub, the venues."""
        return (
            {
                "AzureWebJobsStorage": self.addresses["storage"]["connection_string"],
                "CA_BUNDLE": str(self.state.authority),
                "ONE_MACHINE": "true",
                "POOLS_FOLDER": str(self.state.pools),
                "SQL__url": f"sqlite:///{self.state.sql}",
                "TASKHUB_NAME": TASK_HUB,
                "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:02",  # as `func start` does
            }
            | self.event_hubs_settings("Sender")
            | self._cosmos()
            | self._telemetry()
            | self._venues()
        )

    def event_hubs_settings(self, role: Role) -> dict[str, str]:
        """Write the identity-based connection `EVENT_HUBS` for the client that has `role`."""
        client = self.identities.client_in_role(role)
        connection = {
            "fullyQualifiedNamespace": NAMESPACE,
            "customEndpointAddress": f"sb://{urlsplit(self.addresses['event_hubs']['amqps']).netloc}",
            "credential": "clientsecret",
            "tenantId": self.identities.tenant,
            "clientId": client.client_id,
            "clientSecret": client.secret,
            "authorityHost": self.addresses["entra"]["authority"],
        }
        return {f"EVENT_HUBS__{name}": value for name, value in connection.items()}

    def _cosmos(self) -> dict[str, str]:
        """Point the app at the account, where it logs in as it does to the hub."""
        if COSMOS not in self.addresses:
            return {}
        return {"COSMOS__accountEndpoint": self.addresses[COSMOS]["account"]}

    def _telemetry(self) -> dict[str, str]:
        """Point the app's telemetry at this machine, as in Azure."""
        if APPLICATION_INSIGHTS not in self.addresses:
            return {}
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": self.addresses[APPLICATION_INSIGHTS]["connection_string"],
            "PYTHON_ENABLE_OPENTELEMETRY": "true",  # or the host of Core Tools sends each line of the app once more
        }

    def _venues(self) -> dict[str, str]:
        exchange = self.addresses["exchange"]
        settings = {}
        for venue, path in _WEBSOCKETS.items():
            settings[f"{venue}__websocketUrl"] = f"{exchange['websocket']}/{path}"
            settings[f"{venue}__restUrl"] = f"{exchange['rest']}/{venue.lower()}"
        return settings
