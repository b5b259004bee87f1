"""Who asks, and what may they do: the account's key, or a token of Entra with a role on the account's data.

Sources: "Access control on Azure Cosmos DB resources" (how a request is signed) and "Data plane role-based access
control" of learn.microsoft.com: roles are for items and for reading metadata; the key alone makes containers.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote

from emulators.cosmos.refusals import Refusal, forbidden, unauthorized
from emulators.cosmos.resources import Resource
from emulators.entra.checking import JwtChecker, TokenRefused
from emulators.entra.identities import Identities

AUDIENCES: Final = ("https://cosmos.azure.com", "https://cosmos.azure.com/")
WRITE: Final = "items/upsert"
READ: Final = "items/read"
METADATA: Final = "readMetadata"
MANAGE: Final = "write"

_ROLES: Final[Mapping[str, frozenset[str]]] = {
    "Sender": frozenset({WRITE, READ, METADATA}),  # Cosmos DB Built-in Data Contributor
    "Receiver": frozenset({READ, METADATA}),  # Cosmos DB Built-in Data Reader
}
_NO_ROLE: Final = 5301
_NOT_BY_TOKEN: Final = 5300
_MOST_SKEW: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Checks who asks. key: that of the account, in base64. `epoch` gives seconds since 1970."""

    key: str
    identities: Identities
    tokens: JwtChecker
    epoch: Callable[[], float]

    async def check(self, method: str, resource: Resource, action: str, headers: Mapping[str, str]) -> None:
        """Let a request pass; raises Refusal."""
        fields = _fields(headers.get("Authorization", ""))
        if fields["ver"] != "1.0":
            raise unauthorized("The version must be 1.0.")
        if fields["type"] == "master":
            self._check_signature(method, resource, headers, fields["sig"])
        elif fields["type"] == "aad":
            await self._check_token(fields["sig"], action)
        else:
            raise unauthorized(f"The type {fields['type'][:20]!r} is neither master nor aad.")

    def _check_signature(self, method: str, resource: Resource, headers: Mapping[str, str], given: str) -> None:
        dated = headers.get("x-ms-date", "")
        try:
            skew = abs(parsedate_to_datetime(dated).timestamp() - self.epoch())
        except ValueError:
            raise unauthorized("The header x-ms-date must hold the time of the request.") from None
        if skew > _MOST_SKEW:
            raise forbidden("The authorization token is not valid at the current time.")
        signed = sign(self.key, method, resource, dated)
        if not hmac.compare_digest(signed.encode(), given.encode()):
            raise unauthorized(
                "Please check that the expected payload is built as per the protocol, and check the key."
            )

    async def _check_token(self, token: str, action: str) -> None:
        try:
            claims = await self.tokens.check(token)
        except TokenRefused as error:
            raise unauthorized(str(error)) from error
        client = self.identities.client(str(claims.get("appid")))
        if action == MANAGE:
            text = (
                "Request is blocked because the AAD token can't make databases and containers: use the account's key."
            )
            raise forbidden(text, _NOT_BY_TOKEN)
        if client is None or action not in _ROLES[client.event_hubs_role]:
            raise _no_role(str(claims.get("appid")), action)


def sign(key: str, method: str, resource: Resource, dated: str) -> str:
    """Sign a request with an account's key."""
    text = f"{method.lower()}\n{resource.kind}\n{resource.link}\n{dated.lower()}\n\n"
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _no_role(principal: str, action: str) -> Refusal:
    return forbidden(
        f"Request blocked by Auth: principal [{principal}] does not have required RBAC permissions to perform action"
        f" [Microsoft.DocumentDB/databaseAccounts/{action}] on any scope.",
        _NO_ROLE,
    )


def _fields(authorization: str) -> dict[str, str]:
    """Read `type=…&ver=1.0&sig=…`, which comes with or without percent signs."""
    fields = dict(part.partition("=")[::2] for part in unquote(authorization).split("&"))
    if not fields.keys() >= {"type", "ver", "sig"}:
        raise unauthorized("The header Authorization must hold type, ver and sig.")
    return fields
