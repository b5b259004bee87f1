"""Reads a change feed by Microsoft's own client: the only module that knows azure.cosmos.

It is imported where a run has a container to read: other runs do without it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from azure.cosmos import ContainerProxy, CosmosClient
from azure.identity import ClientSecretCredential

from lakehouse.request import Container
from lakehouse.sources.cosmos.feed import ChangeFeedFailed, ContinuationRefused, CosmosLogin, Page
from lakehouse.sources.login import credential_of_login

_PAGE = 1000
_REFUSED = (400, 410)
"""Answers to a continuation that is not of this container, or of an earlier one of its name."""
_LONGEST_REASON = 300
_SCOPE = "https://cosmos.azure.com/.default"
_AZURES_OWN = ".documents."


@dataclass(frozen=True, slots=True)
class ContainerFeed:
    """The change feed of a container, from its beginning on if nobody says where to go on."""

    login: CosmosLogin
    container: Container

    def pages(self, continuation: str) -> Iterator[Page]:
        """Give what changed after a place, up to now; see `ChangeFeed`."""
        failure = None
        try:
            with self._open() as client:
                database = client.get_database_client(self.container.database)
                yield from _pages(database.get_container_client(self.container.name), continuation)
        except (AzureError, OSError, ValueError) as error:
            failure = self._failure(error, is_going_on=bool(continuation))
        # Raised outside the handler: the error's request holds the key or a token, so it may not hang on to ours.
        if failure:
            raise failure

    def _failure(self, error: Exception, *, is_going_on: bool) -> ChangeFeedFailed:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        is_refused = isinstance(error, ValueError) or getattr(error, "status_code", 0) in _REFUSED
        kind = ContinuationRefused if is_going_on and is_refused else ChangeFeedFailed
        place = f"{self.container.database}/{self.container.name} at {urlsplit(self.login.endpoint).hostname}"
        return kind(f"the change feed of {place} could not be read: {reason}")

    def _open(self) -> CosmosClient:
        return CosmosClient(self.login.endpoint, self._credential(), transport=_Transport(self.login.ca_bundle))

    def _credential(self) -> "str | _Identity":
        login = self.login
        if login.key:
            return login.key
        who = (login.tenant_id, login.client_id, login.client_secret)
        return _Identity(credential_of_login(*who, login.authority_host, login.ca_bundle))


def _pages(container: ContainerProxy, continuation: str) -> Iterator[Page]:
    """Read range by range: of a feed over all of them the client gives places that it then refuses to go on from.

    A continuation is the JSON of (range, the client's own word for the place in it, empty for its beginning).
    """
    places = _places(continuation) if continuation else [[each, ""] for each in container.read_feed_ranges()]
    for place in places:
        feed_range, token = place
        begins: dict[str, Any] = {"start_time": "Beginning", "feed_range": feed_range}
        goes_on = {"continuation": token} if token else begins
        for page in container.query_items_change_feed(max_item_count=_PAGE, **goes_on).by_page():
            items = list(page)
            place[1] = container.client_connection.last_response_headers["etag"]
            yield Page(items, json.dumps(places))


def _places(continuation: str) -> list[list[Any]]:
    places = json.loads(continuation)
    if not isinstance(places, list):
        raise ValueError("it is no continuation of this client's")
    return places


@dataclass(frozen=True, slots=True)
class _Identity:
    """The identity as the client wants it: outside Azure's own hosts it asks for an audience that no tenant knows."""

    credential: ClientSecretCredential

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401 - the client's signature
        """Give a token for the account, or for all accounts where its host is not Azure's."""
        host = urlsplit(scopes[0]).hostname or ""
        return self.credential.get_token(scopes[0] if _AZURES_OWN in host else _SCOPE, **options)


class _Transport(RequestsTransport):  # type: ignore[misc] # its package is not typed
    """Trusts the authorities of the system, or one alone: the client itself trusts anybody on this machine."""

    def __init__(self, ca_bundle: str) -> None:
        super().__init__()
        self._trusted: str | bool = ca_bundle or True

    def send(self, request: Any, **config: Any) -> Any:  # noqa: ANN401 - the client's signature
        return super().send(request, **{**config, "connection_verify": self._trusted, "connection_cert": None})
