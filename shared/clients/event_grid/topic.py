"""Event Grid: publishes what the app announces to a custom topic."""

from typing import Any, Protocol

from azure.core.credentials import AzureKeyCredential
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from shared.clients.failures import call
from shared.clients.identity.credentials import BlockingIdentity, Identity
from shared.clients.retrying import RetryPolicy, connect_seconds
from shared.domain.windows.announcement import Announcement

_DATA_VERSION = "1.0"


class Topic(Protocol):
    """One custom topic."""

    def publish(self, announcement: Announcement) -> None:
        """Hand an announcement to the topic, at least once; raises Unavailable or LoginRefused."""


class EventGridTopic:
    """A topic in the Event Grid schema, by its access key or by identity; for any number of threads."""

    def __init__(
        self,
        endpoint: str,
        login: Identity | str,
        *,
        ca_bundle: str | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep endpoint and login (an identity, or the topic's key); nothing is dialled yet."""
        self._endpoint = endpoint
        self._login = login
        self._options: dict[str, Any] = {"connection_verify": ca_bundle} if ca_bundle else {}
        self._retry = retry or RetryPolicy()

    def publish(self, announcement: Announcement) -> None:
        """Publish with a client of its own, tried again while the topic's failures are transient."""
        with EventGridPublisherClient(self._endpoint, self._credential()) as client:
            self._retry.call(lambda seconds: self._try(client, announcement, seconds))

    def _credential(self) -> AzureKeyCredential | BlockingIdentity:
        return AzureKeyCredential(self._login) if isinstance(self._login, str) else BlockingIdentity(self._login)

    def _try(self, client: EventGridPublisherClient, announcement: Announcement, seconds: float) -> None:
        # Given at each call: for topics the SDK drops the options that its client is made with.
        limits = {"retry_total": 0, "connection_timeout": connect_seconds(seconds), "read_timeout": seconds}
        options: dict[str, Any] = limits | self._options
        who = "its key" if isinstance(self._login, str) else f"client id {self._login.client_id}"
        call(lambda: client.send([_event(announcement)], **options), place="The topic", client=who)


def _event(announcement: Announcement) -> EventGridEvent:
    return EventGridEvent(
        subject=announcement.subject,
        event_type=announcement.event_type,
        data=dict(announcement.data),
        data_version=_DATA_VERSION,
        id=announcement.id,
        event_time=announcement.time,
    )
