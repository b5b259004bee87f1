"""The change feed of a container of Cosmos DB: the latest version of each item, in pages, each with where to go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

type Item = Mapping[str, Any]


class ChangeFeedFailed(Exception):
    """The feed could not be read; the text says of which container and why."""


class ContinuationRefused(ChangeFeedFailed):
    """The place to go on from is not one of this container: it was made anew since."""


@dataclass(frozen=True, slots=True)
class Page:
    """Items in the order of their changes. continuation: where the feed goes on after them."""

    items: Sequence[Item]
    continuation: str


class ChangeFeed(Protocol):
    """The feed of one container."""

    def pages(self, continuation: str) -> Iterator[Page]:
        """Give what changed after a place, up to now; an empty one stands for the beginning.

        An item that changed more than once may come in its latest version alone. A page may have no item. Raises
        ChangeFeedFailed, and ContinuationRefused before the first page.
        """
        ...


@dataclass(frozen=True, slots=True)
class CosmosLogin:
    """An account of Cosmos DB and who reads it.

    endpoint: `https://<account>.documents.azure.com`. key: the account's; without it tenant, client and secret log in
    as a service principal, which needs the role Cosmos DB Built-in Data Reader. authority_host and ca_bundle (a PEM
    file) are for one machine only, empty in Azure.
    """

    endpoint: str
    key: str = field(default="", repr=False)
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    authority_host: str = ""
    ca_bundle: str = ""
