"""May this publisher send: a topic's key, or a token of Entra ID for Event Grid."""

import hmac
from collections.abc import Mapping

from emulators.entra.checking import JwtChecker, TokenRefused
from emulators.entra.identities import Identities

AUDIENCES = ("https://eventgrid.azure.net", "https://eventgrid.azure.net/")
_BEARER = "bearer "


class Unauthorized(Exception):
    """The request may not publish; the text says by which rule and holds no secret."""


class Authenticator:
    """Checks who publishes; any client of the tenant may, since roles are not kept for topics."""

    def __init__(self, key: str, identities: Identities, tokens: JwtChecker) -> None:
        self._key = key
        self._identities = identities
        self._tokens = tokens

    async def check(self, headers: Mapping[str, str]) -> None:
        """Let a request pass by `aeg-sas-key` or a bearer token; raise Unauthorized otherwise."""
        given, authorization = headers.get("aeg-sas-key"), headers.get("Authorization", "")
        if given is not None:
            if not hmac.compare_digest(given.encode(), self._key.encode()):
                raise Unauthorized("The aeg-sas-key is not a key of this topic.")
        elif authorization.lower().startswith(_BEARER):
            await self._check_token(authorization[len(_BEARER) :].strip())
        else:
            raise Unauthorized("The request needs the header aeg-sas-key, or Authorization with a bearer token.")

    async def _check_token(self, token: str) -> None:
        try:
            claims = await self._tokens.check(token)
        except TokenRefused as error:
            raise Unauthorized(str(error)) from error
        if self._identities.client(str(claims.get("appid"))) is None:
            raise Unauthorized(f"The client id {claims.get('appid')!r} of the token is unknown in this tenant.")
