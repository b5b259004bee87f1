"""What the platform consists of: each service's command line, and which services it waits for."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.clone import AZURITE, COSMOS_SERVER, LAKEHOUSE_PYTHON, ROOT, SAMPLE
from local.platform.options import default_hubs, with_named_hubs
from local.platform.ports import Ports
from local.platform.settings_file import read_settings
from local.platform.state import State

type Addresses = Mapping[str, Mapping[str, str]]
"""What each service announced: `{"entra": {"authority": "https://localhost:20001", …}, …}`."""

STORAGE = "storage"
FUNCTIONS = "functions"
EVENT_GRID = "event_grid"
DATABRICKS = "databricks"
LOGIC_APP = "logic_app"
COSMOS = "cosmos"
NOTIFICATION_HUBS = "notification_hubs"
APPLICATION_INSIGHTS = "application_insights"
PUSH_POLICY = "send"
COSMOS_CONTAINER = "ingestion/transactions"
COSMOS_THROUGHPUT = 4_000
COSMOS_PARTITIONS = 2
_COSMOS_KEY = "/ipCountryCode"
STORAGE_VARIABLE = "EVENT_GRID_STORAGE"
LAKEHOUSE_SECRETS = tuple(  # what the wheel reads where there is no secret scope
    f"LAKEHOUSE_SECRET_{name}" for name in ("STORAGE_CONNECTION_STRING", "EVENT_HUBS_CLIENT_SECRET", "PII_KEYS")
)


@dataclass(frozen=True, slots=True)
class Choices:
    """How a platform is started.

    `app` is the folder of the Functions app. `hubs` is `name:partitions,…`. `settings_file` holds the app's own
    settings, and what the platform itself knows of them (see `Running.app_settings`) goes over it. `with_enrichment`
    adds Event Grid, Databricks and the Logic Apps, `with_cosmos` Cosmos DB, `with_telemetry` Application Insights.
    `arguments` adds arguments to the command line of a service (`{"exchange": ["--rate", "100"]}`), `settings` adds app
    settings; both go over everything else.
    `settings_at_start` gives more of them when the Functions host is started.
    """

    ports: Ports = field(default_factory=Ports)
    app: Path = ROOT
    hubs: str = field(default_factory=default_hubs)
    with_functions: bool = True
    with_enrichment: bool = False
    with_cosmos: bool = False
    with_telemetry: bool = False
    settings_file: Path = SAMPLE
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    settings_at_start: Callable[[], Mapping[str, str]] = dict

    @property
    def own_settings(self) -> Mapping[str, str]:
        """The settings that the app has without the platform's."""
        return {**read_settings(self.settings_file)["Values"], **self.settings}

    @property
    def all_hubs(self) -> str:
        """The hubs that are made, `name:partitions,…`: those of `hubs`, and those that the settings give to streams."""
        return with_named_hubs(self.hubs, self.own_settings)

    @property
    def promotion_hubs(self) -> tuple[str, ...]:
        """The hubs of points, of promotions and of deliveries; none where the app promotes nothing.

        It does where it has the feed `gps` (an absent FEEDS means all feeds) and all three hubs are there.
        """
        return self._hubs_of("gps", GPS_HUB="gps", PROMOTIONS_HUB="promotions", DELIVERIES_HUB="deliveries")

    @property
    def listened_hubs(self) -> tuple[str, ...]:
        """The hubs that the app reads; that of deliveries it only writes."""
        return (*self.promotion_hubs[:2], *self.alert_hubs)

    @property
    def alert_hubs(self) -> tuple[str, ...]:
        """The hubs of views and of stars, which the app listens to; none where it alerts of nothing.

        It does where it has the feed `shop` and both hubs are there.
        """
        return self._hubs_of("shop", PAGEVIEWS_HUB="pageviews", STARS_HUB="stars")

    def _hubs_of(self, feed: str, **defaults: str) -> tuple[str, ...]:
        """Name the hubs that settings name, where the app has the feed and all of them are there."""
        own = self.own_settings
        named = tuple(own.get(setting) or default for setting, default in defaults.items())
        there = {hub.rpartition(":")[0] for hub in self.all_hubs.split(",")}
        is_fed = feed in [one.strip() for one in own.get("FEEDS", feed).split(",")]
        return named if is_fed and there.issuperset(named) else ()


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the module it runs, its arguments (known once those it waits for have announced themselves)."""

    name: str
    module: str
    arguments: Callable[[Addresses], Sequence[str]]
    after: frozenset[str] = frozenset()

    def command(self, addresses: Addresses, more: Sequence[str] = ()) -> list[str]:
        """Write the command line, given what the earlier services announced, with `more` arguments at its end."""
        return [sys.executable, "-m", self.module, *self.arguments(addresses), *more]


def services(choices: Choices, state: State) -> list[Service]:
    """List the services of a platform in the order of their needs."""
    enrichment = (_event_grid, _databricks, _logic_app) if choices.with_enrichment else ()
    beside = (_cosmos,) if choices.with_cosmos else ()
    telemetry = (_application_insights,) if choices.with_telemetry else ()
    phones = (_notification_hubs,) if choices.promotion_hubs else ()
    parts = (_storage, _entra, _event_hubs, _exchange, *phones, *beside, *telemetry, *enrichment)
    found = [part(choices, state) for part in parts]
    if choices.with_functions:
        found.append(_functions(choices, state, frozenset(service.name for service in found)))
    return found


def _storage(choices: Choices, state: State) -> Service:
    ports = choices.ports
    arguments = [
        *("--azurite", str(AZURITE), "--location", str(state.folder / "azurite")),
        *("--blob-port", str(ports.storage_blob)),
        *("--queue-port", str(ports.storage_queue)),
        *("--table-port", str(ports.storage_table)),
    ]
    return Service(STORAGE, "emulators.storage", lambda _: arguments)


def _entra(choices: Choices, state: State) -> Service:
    arguments = ["--port", str(choices.ports.entra), *_certificate(state), "--identities", str(state.identities)]
    return Service("entra", "emulators.entra", lambda _: arguments)


def _event_hubs(choices: Choices, state: State) -> Service:
    ports = choices.ports
    arguments = [
        *("--amqps-port", str(ports.event_hubs), "--admin-port", str(ports.event_hubs_admin)),
        *("--websocket-port", str(ports.event_hubs_websockets)),
        *_certificate(state),
        *("--authority", str(state.authority), "--identities", str(state.identities)),
        *("--consumer-groups", "$Default,alerts,promotions,push"),
        *("--hubs", choices.all_hubs),
    ]
    return Service(
        "event_hubs",
        "emulators.event_hubs",
        lambda addresses: [*arguments, "--issuer", addresses["entra"]["issuer"]],
        frozenset({"entra"}),
    )


def _exchange(choices: Choices, state: State) -> Service:
    arguments = [
        *("--port", str(choices.ports.exchange), "--admin-port", str(choices.ports.exchange_admin)),
        *_certificate(state),
        *("--assets-key-file", str(state.assets_key)),
    ]
    return Service("exchange", "emulators.exchange", lambda _: arguments)


def _event_grid(choices: Choices, state: State) -> Service:
    arguments = [
        *("--port", str(choices.ports.event_grid), "--admin-port", str(choices.ports.event_grid_admin)),
        *_certificate(state),
        *("--ca", str(state.authority), "--identities", str(state.identities)),
        *("--key-file", str(state.topic_key), "--storage", STORAGE_VARIABLE),
    ]
    return Service(
        EVENT_GRID,
        "emulators.event_grid",
        lambda addresses: [*arguments, "--issuer", addresses["entra"]["issuer"]],
        frozenset({"entra", "storage"}),
    )


def _databricks(choices: Choices, state: State) -> Service:
    arguments = [
        *("--port", str(choices.ports.databricks), "--admin-port", str(choices.ports.databricks_admin)),
        *_certificate(state),
        *("--bundle", str(ROOT / "databricks"), "--target", "local", "--ca", str(state.authority)),
        *("--state", str(state.databricks), "--python", str(LAKEHOUSE_PYTHON)),
        *("--secret-env", *LAKEHOUSE_SECRETS),
    ]
    return Service(
        DATABRICKS,
        "emulators.databricks",
        lambda addresses: [*arguments, "--issuer", addresses["entra"]["issuer"]],
        frozenset({"entra", "event_hubs", "storage", *([COSMOS] if choices.with_cosmos else [])}),
    )


def _logic_app(choices: Choices, state: State) -> Service:
    arguments = [
        *("--port", str(choices.ports.logic_app), "--admin-port", str(choices.ports.logic_app_admin)),
        *_certificate(state),
        *("--definitions", str(ROOT / "definitions" / "logic_apps"), "--outbox", str(state.outbox)),
    ]
    return Service(LOGIC_APP, "emulators.logic_app", lambda _: arguments)


def _notification_hubs(choices: Choices, state: State) -> Service:
    ports = choices.ports
    arguments = [
        *("--port", str(ports.notification_hubs), "--admin-port", str(ports.notification_hubs_admin)),
        *_certificate(state),
        *("--policy", PUSH_POLICY, "--key-file", str(state.push_key)),
    ]
    return Service(NOTIFICATION_HUBS, "emulators.notification_hubs", lambda _: arguments)


def _cosmos(choices: Choices, state: State) -> Service:
    arguments = [
        *("--port", str(choices.ports.cosmos), "--admin-port", str(choices.ports.cosmos_admin)),
        *_certificate(state),
        *("--ca", str(state.authority), "--identities", str(state.identities), "--key-file", str(state.cosmos_key)),
        *("--server", str(COSMOS_SERVER), "--container", f"{COSMOS_CONTAINER}:{_COSMOS_KEY}"),
        *("--throughput", str(COSMOS_THROUGHPUT), "--partitions", str(COSMOS_PARTITIONS)),
    ]
    return Service(
        COSMOS,
        "emulators.cosmos",
        lambda addresses: [*arguments, "--issuer", addresses["entra"]["issuer"]],
        frozenset({"entra"}),
    )


def _application_insights(choices: Choices, state: State) -> Service:
    ports = choices.ports
    arguments = [
        *("--port", str(ports.application_insights), "--admin-port", str(ports.application_insights_admin)),
        *("--state", str(state.telemetry)),
    ]
    return Service(APPLICATION_INSIGHTS, "emulators.application_insights", lambda _: arguments)


def _functions(choices: Choices, state: State, after: frozenset[str]) -> Service:
    arguments = [
        *("--port", str(choices.ports.functions), "--rpc-port", str(choices.ports.functions_rpc)),
        *("--app", str(choices.app), "--settings", str(choices.settings_file)),
        *("--state", str(state.functions)),
    ]
    return Service(FUNCTIONS, "emulators.functions_host", lambda _: arguments, after)


def _certificate(state: State) -> tuple[str, str]:
    return ("--certificate", str(state.tls / "server.pem"))
