"""What Databricks says instead of an answer, and what each of its words means.

An error's body is `{"error_code", "message", "details"}` (docs.databricks.com/api, "Errors": branch on the code rather
than on the status; a code that is no text is the status again). What the codes stand for is told by the mapping of
Databricks' own SDK (databricks-sdk-py, databricks/sdk/errors/platform.py). Databricks gives wishes about a wait in
Retry-After, in seconds (the same SDK, databricks/sdk/_base_client.py).
"""

from typing import Final

import msgspec

from shared.clients.failures import Meaning, Words, kind_of
from shared.domain.failures import FailureKind

BY_CODE: Final[Words] = {
    # "operation is rejected due to per-user rate limiting"; "would exceed a resource limit"; a quota of runs or jobs
    "RESOURCE_EXHAUSTED": FailureKind.THROTTLED,
    "REQUEST_LIMIT_EXCEEDED": FailureKind.THROTTLED,
    "QUOTA_EXCEEDED": FailureKind.THROTTLED,
    # "the service is currently unavailable"; "the deadline expired before the operation could complete"
    "TEMPORARILY_UNAVAILABLE": FailureKind.UNAVAILABLE,
    "UNAVAILABLE": FailureKind.UNAVAILABLE,
    "DEADLINE_EXCEEDED": FailureKind.UNAVAILABLE,
    # "some invariants expected by the underlying system have been broken", and the fallback for what it can't name
    "INTERNAL_ERROR": FailureKind.UNAVAILABLE,
    "INTERNAL": FailureKind.UNAVAILABLE,
    "UNKNOWN": FailureKind.UNAVAILABLE,
    # "typically due to a concurrency issue such as a sequencer check failure"
    "ABORTED": FailureKind.UNAVAILABLE,
    "RESOURCE_CONFLICT": FailureKind.UNAVAILABLE,
    "UNAUTHENTICATED": FailureKind.UNAUTHORIZED,
    "PERMISSION_DENIED": FailureKind.UNAUTHORIZED,
    "BAD_REQUEST": FailureKind.PERMANENT,
    "MALFORMED_REQUEST": FailureKind.PERMANENT,
    "INVALID_PARAMETER_VALUE": FailureKind.PERMANENT,
    "RESOURCE_DOES_NOT_EXIST": FailureKind.PERMANENT,
    "NOT_FOUND": FailureKind.PERMANENT,
    "ALREADY_EXISTS": FailureKind.PERMANENT,
    "RESOURCE_ALREADY_EXISTS": FailureKind.PERMANENT,
    "FEATURE_DISABLED": FailureKind.PERMANENT,
    "NOT_IMPLEMENTED": FailureKind.PERMANENT,
    "DATA_LOSS": FailureKind.PERMANENT,
}

TRANSIENT_WORDS: Final = (
    "com.databricks.backend.manager.util.UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "ClusterNotReadyException",
    "Unexpected error",
    "Please try again later or try a faster operation.",
    "RPC token bucket limit has been exceeded",
)
"""Messages that pass whatever their code: those that Databricks' own SDK retries (databricks/sdk/_base_client.py)."""

AMBIGUOUS_WORDS: Final = ("Invalid access token", "Token is expired", "Token has expired")
"""Of a 401 or 403: a token that ran out on its way is refused in the same words as one that was never good."""


class _Body(msgspec.Struct):
    error_code: str | int = ""
    message: str = ""


def meaning_of(status: int, body: str) -> Meaning:
    """Read a refusal: its message, its code, and where there is no known one its status."""
    try:
        found = msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:
        return Meaning(kind_of(status), body)
    words = found.message or body
    if any(transient in words for transient in TRANSIENT_WORDS):
        return Meaning(FailureKind.UNAVAILABLE, words)
    kind = BY_CODE.get(str(found.error_code)) or kind_of(status)
    ambiguous = kind is FailureKind.UNAUTHORIZED and any(text in words for text in AMBIGUOUS_WORDS)
    return Meaning(kind, words, ambiguous)
