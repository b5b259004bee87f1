"""Where a Cosmos DB account is, and how it is reached."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CosmosConnection:
    """An account and one of its databases.

    endpoint: `https://<account>.documents.azure.com`. key: that of the account; None where the app's identity logs in,
    which then needs the role Cosmos DB Built-in Data Contributor. The CA bundle (a PEM file) is for one machine only.
    side_by_side: how many partition keys are written to at once by one sender.
    """

    endpoint: str
    database: str
    key: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    side_by_side: int = 8
