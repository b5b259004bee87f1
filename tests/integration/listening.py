"""An app that listens to hubs in its host, between local hubs and tables, as the tests of its triggers see it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from emulators.entra.identities import HubRole, Identities, make_identities
from emulators.testing import running_service
from local.clone import ROOT
from tests.azurite import running_azurite
from tests.integration.sending.stage import NAMESPACE, Platform, running_platform

TRIGGERS = ("promote_points", "push_promotions", "alert_of_pageviews", "alert_of_stars")
IDLE = (
    *("write_daily_lookups", "write_reference_data", "bring_gold_up_to_date", "keep_in_order"),
    *("open_due_windows", "retry_pending_alerts", "redrive_spill", "mail_view_alerts"),
)
"""The functions that no test of a trigger needs. Each test enables those of `TRIGGERS` that it is about."""

HUBS = {
    "GPS_HUB": "gps",
    "PROMOTIONS_HUB": "promotions",
    "DELIVERIES_HUB": "deliveries",
    "PAGEVIEWS_HUB": "pageviews",
    "STARS_HUB": "stars",
}
"""The hubs of all triggers: the host does not begin where one has none."""


@dataclass(frozen=True)
class Surroundings:
    """What an app that listens has around it. storage: a connection string."""

    platform: Platform
    storage: str

    @contextmanager
    def running_app(self, folder: Path, settings: Mapping[str, str]) -> Iterator[None]:
        """Run the app in its host for the length of a block, with these settings beside those that any such app has."""
        values, file = _settings(self.platform, self.storage) | settings, folder / "settings.json"
        file.write_text(json.dumps({"Values": values}))
        files = ("--app", ROOT, "--settings", file, "--state", folder / "functions.sqlite")
        with pytest.MonkeyPatch.context() as environment:
            # Whom the host trusts; it may be in the environment already, which goes over the settings.
            environment.setenv("SSL_CERT_FILE", str(self.platform.tls.authority))
            log = folder / "functions.log"
            with running_service("functions_host", *files, "--port", 0, "--rpc-port", 0, log=log):
                yield


@contextmanager
def running_surroundings(folder: Path, hubs: Mapping[str, int], *groups: str) -> Iterator[Surroundings]:
    """Run hubs with these consumer groups, from which the app may receive, and tables and blobs."""
    named = ("--consumer-groups", ",".join(("$Default", *groups)))
    with ExitStack() as stack:
        platform = stack.enter_context(running_platform(folder, hubs, *named, identities=_identities(hubs)))
        yield Surroundings(platform, stack.enter_context(running_azurite(folder / "azurite")))


def _identities(hubs: Mapping[str, int]) -> Identities:
    """Let the app, which is a Sender, receive from the hubs."""
    made = make_identities()
    roles = tuple(HubRole("Receiver", hub) for hub in hubs)
    sender = made.client_in_role("Sender")
    return replace(made, clients=tuple(replace(one, hub_roles=roles) if one is sender else one for one in made.clients))


def _settings(platform: Platform, storage: str) -> dict[str, str]:
    login, bundle = platform.login(), str(platform.tls.authority)
    connection = {
        "fullyQualifiedNamespace": NAMESPACE,
        "customEndpointAddress": (platform.connection().custom_endpoint or "").replace("amqps://", "sb://"),
        "credential": "clientsecret",
        "tenantId": login.tenant_id,
        "clientId": login.client_id,
        "clientSecret": login.client_secret,
        "authorityHost": platform.entra,
    }
    return {
        **{f"EVENT_HUBS__{name}": value for name, value in connection.items()},
        **{f"AzureWebJobs.{name}.Disabled": "true" for name in (*IDLE, *TRIGGERS)},
        **HUBS,
        "AzureWebJobsStorage": storage,
        "CA_BUNDLE": bundle,
        "ONE_MACHINE": "true",
        "TASKHUB_NAME": "listening",
    }
