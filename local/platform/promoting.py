"""What promotions add to the platform: the app's settings, and a new beginning where the hubs begin anew."""

from collections.abc import Mapping

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from emulators.key_files import read_key
from local.platform.running import Running
from local.platform.services import NOTIFICATION_HUBS, PUSH_POLICY, Choices

_CHECKPOINTS = "azure-webjobs-eventhub"
_TRIGGERS = ("promote_points", "push_promotions")


def promotion_settings(running: Running, choices: Choices) -> dict[str, str]:
    """Write the settings of an app that promotes for points and pushes promotions to the notification hub."""
    if NOTIFICATION_HUBS not in running.addresses:
        return {}
    points, promotions = choices.promotion_hubs
    enabled = {f"AzureWebJobs.{trigger}.Disabled": "false" for trigger in _TRIGGERS}
    return enabled | {
        "GPS_HUB": points,
        "PROMOTIONS_HUB": promotions,
        "PUSH_URL": running.addresses[NOTIFICATION_HUBS]["hub"],
        "PUSH_HOSTS": "localhost",
        "PUSH_KEY_NAME": PUSH_POLICY,
        "PUSH_KEY": read_key(running.state.push_key),
        "SSL_CERT_FILE": str(running.state.authority),  # whom the host trusts, which reads the hubs itself
    }


def forget_checkpoints(storage: Mapping[str, str]) -> None:
    """Delete the checkpoints of an earlier start, whose events are no more: the hubs, which begin empty, refuse them.

    storage: the addresses of the storage that runs.
    """
    with ContainerClient.from_connection_string(storage["connection_string"], _CHECKPOINTS) as container:
        try:
            container.delete_container()
        except ResourceNotFoundError:
            return
