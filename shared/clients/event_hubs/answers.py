"""What the AMQP conditions of Event Hubs mean, without `amqp:` or `com.microsoft:`, as Microsoft's client keeps them.

Sources: AMQP 1.0, 2.8.15 to 2.8.18 (the conditions' own words, marked A); "Exceptions from Event Hubs" of
learn.microsoft.com/azure/event-hubs (M); the tables of azure-eventhub 5.15.1 (`_constants.py`, marked C).
"""

from typing import Final

from shared.clients.failures import Words
from shared.domain.failures import FailureKind

BY_CONDITION: Final[Words] = {
    "server-busy": FailureKind.THROTTLED,  # M 50002: over the throughput units; C: 4 s before the next try
    "resource-limit-exceeded": FailureKind.THROTTLED,  # M: the quota of connections or links; free when others leave
    "timeout": FailureKind.UNAVAILABLE,  # M 50001, C: tried again after 2 s
    "operation-cancelled": FailureKind.UNAVAILABLE,  # C: tried again at once
    "container-close": FailureKind.UNAVAILABLE,  # C: tried again after 4 s
    "internal-error": FailureKind.UNAVAILABLE,  # A; also the client's word for a login that was not answered in time
    "connection:forced": FailureKind.UNAVAILABLE,  # A "may retry at some later date"; M: idle, or a node is updated
    "connection:framing-error": FailureKind.UNAVAILABLE,  # A: garbled bytes; a new connection has none
    "link:detach-forced": FailureKind.UNAVAILABLE,  # A; M: idle for long, or the hub moves to another node
    "link:stolen": FailureKind.UNAVAILABLE,  # A: attached elsewhere
    "link:transfer-limit-exceeded": FailureKind.UNAVAILABLE,  # A: more messages than the link's credit
    "session:errant-link": FailureKind.UNAVAILABLE,  # A: these three are of a session that is out of step
    "session:unattached-handle": FailureKind.UNAVAILABLE,
    "session:window-violation": FailureKind.UNAVAILABLE,
    "illegal-state": FailureKind.UNAVAILABLE,  # A: a frame at the wrong time; a new connection begins anew
    "resource-locked": FailureKind.UNAVAILABLE,  # A: another client is working with it
    "socket-error": FailureKind.UNAVAILABLE,  # C: the client's own words
    "client-error": FailureKind.UNAVAILABLE,
    "unauthorized-access": FailureKind.UNAUTHORIZED,  # A
    "auth-failed": FailureKind.UNAUTHORIZED,  # C: not tried again
    "not-found": FailureKind.PERMANENT,  # A: no such hub
    "resource-deleted": FailureKind.PERMANENT,  # A: the hub was deleted under the link
    "argument-error": FailureKind.PERMANENT,  # C: not tried again; of a link, not of a message: no such partition
    "argument-out-of-range": FailureKind.PERMANENT,
    "entity-disabled": FailureKind.PERMANENT,  # M: until an administrator enables the hub; C: not tried again
}

NO_SUCH_PARTITION: Final = "Invalid partition "
"""How Microsoft's client begins the error, without a condition, of a partition that the hub has not (C)."""

REJECTIONS: Final = frozenset(
    {
        "link:message-size-exceeded",
        "decode-error",
        "invalid-field",
        "not-allowed",
        "not-implemented",
        "argument-error",
        "argument-out-of-range",
    }
)
"""What a hub answers to a message that it will never take (A; the last two C)."""
