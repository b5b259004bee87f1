"""May this sender send, where the resource takes tokens of Entra alone (its local authentication is disabled)."""

from typing import Final

from emulators.entra.checking import JwtChecker, TokenRefused
from emulators.entra.identities import Identities

AUDIENCES: Final = ("https://monitor.azure.com", "https://monitor.azure.com/")
_BEARER: Final = "bearer "


class Denied(Exception):
    """The request may not send. status: 401 without a good token, 403 without the role."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status beside the words, which hold no secret."""
        super().__init__(message)
        self.status = status


class Authenticator:
    """Checks who sends: a client of the tenant that has the role Monitoring Metrics Publisher, here each Sender."""

    def __init__(self, identities: Identities, tokens: JwtChecker) -> None:
        """Keep both."""
        self._identities, self._tokens = identities, tokens

    async def check(self, authorization: str) -> None:
        """Let a request pass by its header `Authorization`; raises Denied."""
        if not authorization.lower().startswith(_BEARER):
            raise Denied(401, "The resource takes tokens of Entra alone, and the request has none.")
        try:
            claims = await self._tokens.check(authorization[len(_BEARER) :].strip())
        except TokenRefused as error:
            raise Denied(401, str(error)) from error
        client = self._identities.client(str(claims.get("appid")))
        if client is None or client.event_hubs_role != "Sender":
            raise Denied(403, "The client does not have the role Monitoring Metrics Publisher.")
