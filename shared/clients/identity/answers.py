"""What the token endpoints of Entra and of managed identities say, and what each of their words means.

Sources: "Microsoft Entra authentication and authorization error codes" of learn.microsoft.com/entra/identity-platform
(its table of `error` values and its list of AADSTS codes, whose names stand here); RFC 6749, 5.2; RFC 8628, 3.5; and
"How to use managed identities to acquire an access token" there, "Error handling" and "Retry guidance". Microsoft warns
that codes change, so they only add to what status and `error` say: an unknown code of a 4xx is a refusal.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from shared.clients.failures import Meaning, Words, kind_of
from shared.domain.failures import FailureKind

BY_CODE: Final[Mapping[int, FailureKind]] = {
    90006: FailureKind.UNAVAILABLE,  # ExternalServerRetryableError
    90012: FailureKind.UNAVAILABLE,  # RequestTimeout
    90024: FailureKind.UNAVAILABLE,  # RequestBudgetExceededError: "A transient error has occurred. Try again."
    90033: FailureKind.UNAVAILABLE,  # MsodsServiceUnavailable: the directory isn't available
    90090: FailureKind.UNAVAILABLE,  # GraphRetryableError
    90091: FailureKind.UNAVAILABLE,  # GraphServiceUnreachable
    50196: FailureKind.THROTTLED,  # LoopDetected: too many requests in too short a time; comes as invalid_grant
    90055: FailureKind.THROTTLED,  # TenantThrottlingError
    50001: FailureKind.UNAUTHORIZED,  # InvalidResource
    500011: FailureKind.UNAUTHORIZED,  # InvalidResourceServicePrincipalNotFound
    53003: FailureKind.UNAUTHORIZED,  # BlockedByConditionalAccess
    700016: FailureKind.UNAUTHORIZED,  # UnauthorizedClient_DoesNotMatchRequest: no such application in the tenant
    7000112: FailureKind.UNAUTHORIZED,  # UnauthorizedClientApplicationDisabled
    7000215: FailureKind.UNAUTHORIZED,  # an invalid client secret
    7000222: FailureKind.UNAUTHORIZED,  # InvalidClientSecretExpiredKeysProvided
    90002: FailureKind.UNAUTHORIZED,  # InvalidTenantName
}

BY_ERROR: Final[Words] = {
    "temporarily_unavailable": FailureKind.THROTTLED,  # "temporarily too busy to handle the request"
    "server_error": FailureKind.UNAVAILABLE,  # RFC 6749: an unexpected condition
    "slow_down": FailureKind.THROTTLED,  # RFC 8628
    "timeout": FailureKind.UNAVAILABLE,  # a managed identity's endpoint did not hear from Entra
    "invalid_request": FailureKind.UNAUTHORIZED,
    "invalid_client": FailureKind.UNAUTHORIZED,
    "invalid_grant": FailureKind.UNAUTHORIZED,
    "unauthorized_client": FailureKind.UNAUTHORIZED,
    "unsupported_grant_type": FailureKind.UNAUTHORIZED,
    "invalid_scope": FailureKind.UNAUTHORIZED,
    "invalid_resource": FailureKind.UNAUTHORIZED,
    "interaction_required": FailureKind.UNAUTHORIZED,
    "access_denied": FailureKind.UNAUTHORIZED,
}

TRANSIENT_OF_MANAGED_IDENTITY: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""Its endpoint is being updated, and is back within 70 s; from Entra itself both are refusals."""


class _Body(msgspec.Struct):
    """Entra and a virtual machine's endpoint say `error` and `error_description`, that of App Service `message`."""

    error: str = ""
    error_description: str = ""
    error_codes: list[int] = []
    message: str = ""


def meaning_of(status: int, body: bytes, *, of_managed_identity: bool = False) -> Meaning:
    """Read an answer: its codes first, then a status that may pass, then its `error`; what is left is a refusal."""
    found = _read(body)
    kinds = [BY_CODE[code] for code in found.error_codes if code in BY_CODE]
    by_status = kind_of(status)
    if of_managed_identity and status in TRANSIENT_OF_MANAGED_IDENTITY:
        by_status = FailureKind.UNAVAILABLE
    if by_status.may_pass:
        kinds.append(by_status)
    transient = [kind for kind in kinds if kind.may_pass]
    kind = next(iter([*transient, *kinds]), BY_ERROR.get(found.error, FailureKind.UNAUTHORIZED))
    return Meaning(kind, _words(found) or f"it answered {status} without words")


def _read(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:
        return _Body()


def _words(found: _Body) -> str:
    """Give the sentence alone: what ties it to a log line at Microsoft's is of no use to a reader."""
    text = found.error_description or found.message or found.error
    return " ".join(text.partition("Trace ID:")[0].split())[:_LONGEST]


_LONGEST: Final = 300
