"""What the error codes of Azure Storage mean where it is not what their HTTP status means.

Sources: "Common REST API error codes" and the error codes of Table, Blob and Queue Storage, of
learn.microsoft.com/rest/api/storageservices.
"""

from typing import Final

from shared.clients.failures import Words
from shared.domain.failures import FailureKind

BY_CODE: Final[Words] = {
    # 409, and gone within a minute: the table, container or queue was deleted a moment ago, the account is being made
    "TableBeingDeleted": FailureKind.UNAVAILABLE,
    "ContainerBeingDeleted": FailureKind.UNAVAILABLE,
    "QueueBeingDeleted": FailureKind.UNAVAILABLE,
    "AccountBeingCreated": FailureKind.UNAVAILABLE,
    # 500 and 503
    "InternalError": FailureKind.UNAVAILABLE,
    "OperationTimedOut": FailureKind.UNAVAILABLE,
    "ServerBusy": FailureKind.THROTTLED,
    "TooManyRequests": FailureKind.THROTTLED,
    "AccountIOPSLimitExceeded": FailureKind.THROTTLED,
    # 401 and 403
    "NoAuthenticationInformation": FailureKind.UNAUTHORIZED,
    "InvalidAuthenticationInfo": FailureKind.UNAUTHORIZED,
    "AuthenticationFailed": FailureKind.UNAUTHORIZED,
    "AuthorizationFailure": FailureKind.UNAUTHORIZED,
    "AuthorizationPermissionMismatch": FailureKind.UNAUTHORIZED,
    "InsufficientAccountPermissions": FailureKind.UNAUTHORIZED,
    "AccountIsDisabled": FailureKind.UNAUTHORIZED,
    # 409 too, but a state in which a blob or queue stays
    "InvalidBlobType": FailureKind.PERMANENT,
    "BlobImmutableDueToPolicy": FailureKind.PERMANENT,
    "FeatureVersionMismatch": FailureKind.PERMANENT,
    "QueueDisabled": FailureKind.PERMANENT,  # by an administrator
    # 400 and 413: this row or message will never be taken
    "EntityTooLarge": FailureKind.REJECTED,
    "PropertyValueTooLarge": FailureKind.REJECTED,
    "TooManyProperties": FailureKind.REJECTED,
    "RequestBodyTooLarge": FailureKind.REJECTED,
    "MessageTooLarge": FailureKind.REJECTED,
}
