"""What the answers of Cosmos DB mean that are no success, by status and sub-status.

Sources: "HTTP status codes for Azure Cosmos DB" and "Designing resilient applications with Azure Cosmos DB SDKs" of
learn.microsoft.com (M); the tables of azure-cosmos 4.17.1 (`http_constants.py`, and its retry policies, C); of the
.NET client (`SubStatusCodes.cs`, N); what Microsoft's Rust driver says of errors and retries
(docs.rs/crate/azure_data_cosmos_driver, ErrorCodesAndRetries.md, R).
"""

from collections.abc import Mapping
from typing import Final

from shared.clients.failures import kind_of
from shared.domain.failures import FailureKind

BY_STATUS: Final[Mapping[int, FailureKind]] = {
    400: FailureKind.REJECTED,  # M: the item is no JSON, has no valid id, or another partition key than it is sent by
    404: FailureKind.PERMANENT,  # M: no such database or container (1003 and others)
    409: FailureKind.REJECTED,  # M: of an upsert, a unique key that another item has
    410: FailureKind.UNAVAILABLE,  # M: a partition is split or moves to another node
    412: FailureKind.REJECTED,  # M: a precondition; none is sent
    413: FailureKind.REJECTED,  # M: over 2 MB
    429: FailureKind.THROTTLED,  # M: over the provisioned throughput (3200), or a metadata request too many
    449: FailureKind.UNAVAILABLE,  # M: another write of the same item is under way; tried again with success
    503: FailureKind.UNAVAILABLE,  # M, R: no replica takes it; nothing was done
}

BY_SUBSTATUS: Final[Mapping[tuple[int, int], FailureKind]] = {
    (400, 1024): FailureKind.UNAVAILABLE,  # C: the container was made anew under its name; a new client knows it
    (403, 3): FailureKind.UNAVAILABLE,  # M, C: the region takes no writes; another one does now
    (403, 1008): FailureKind.UNAVAILABLE,  # C: the account is not in this region any more
    (403, 1014): FailureKind.REJECTED,  # N: the logical partition is full (20 GB); other partition keys go
    (404, 1002): FailureKind.UNAVAILABLE,  # M, C: this replica has not heard of the session's writes yet
    (404, 1013): FailureKind.UNAVAILABLE,  # C: the container is still being made
}

MAY_BE_STORED: Final = frozenset({408, 500, 502, 504})
"""After which nobody knows whether a write was done; after a 503 it was not (R)."""


def meaning(status: int, substatus: int) -> FailureKind:
    """Say what an answer means; statuses of which nothing is known here mean what they do of every service."""
    return BY_SUBSTATUS.get((status, substatus)) or BY_STATUS.get(status) or kind_of(status)
