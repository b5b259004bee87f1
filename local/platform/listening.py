"""What it takes that the app listens to hubs: its settings, and a new beginning where the hubs begin anew."""

from collections.abc import Iterable, Mapping

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from emulators.key_files import read_key
from local.platform.enrichment import enrichment_settings
from local.platform.running import Running
from local.platform.services import NOTIFICATION_HUBS, PUSH_POLICY, Choices

_CHECKPOINTS = "azure-webjobs-eventhub"
_OF_PROMOTIONS = ("promote_points", "push_promotions")
_OF_VIEWS = ("alert_of_pageviews", "alert_of_stars")


def settings_of_app(running: Running, choices: Choices) -> dict[str, str]:
    """Write the app settings that come of the platform."""
    listening = promotion_settings(running, choices) | view_alert_settings(running, choices)
    return running.app_settings() | enrichment_settings(running) | listening


def promotion_settings(running: Running, choices: Choices) -> dict[str, str]:
    """Write the settings of an app that promotes for points and pushes promotions to the notification hub."""
    if NOTIFICATION_HUBS not in running.addresses:
        return {}
    points, promotions, deliveries = choices.promotion_hubs
    return _listening(running, _OF_PROMOTIONS) | {
        "GPS_HUB": points,
        "PROMOTIONS_HUB": promotions,
        "DELIVERIES_HUB": deliveries,
        "PUSH_URL": running.addresses[NOTIFICATION_HUBS]["hub"],
        "PUSH_HOSTS": "localhost",
        "PUSH_KEY_NAME": PUSH_POLICY,
        "PUSH_KEY": read_key(running.state.push_key),
    }


def view_alert_settings(running: Running, choices: Choices) -> dict[str, str]:
    """Write the settings of an app that alerts of views of the web shop's pages."""
    if not choices.alert_hubs:
        return {}
    views, stars = choices.alert_hubs
    return _listening(running, _OF_VIEWS) | {"PAGEVIEWS_HUB": views, "STARS_HUB": stars}


def forget_checkpoints(storage: Mapping[str, str]) -> None:
    """Delete the checkpoints of an earlier start, whose events are no more: the hubs, which begin empty, refuse them.

    storage: the addresses of the storage that runs.
    """
    with ContainerClient.from_connection_string(storage["connection_string"], _CHECKPOINTS) as container:
        try:
            container.delete_container()
        except ResourceNotFoundError:
            return


def _listening(running: Running, triggers: Iterable[str]) -> dict[str, str]:
    enabled = {f"AzureWebJobs.{trigger}.Disabled": "false" for trigger in triggers}
    # Whom the host trusts, which reads the hubs itself.
    return enabled | {"SSL_CERT_FILE": str(running.state.authority)}
