"""Is this Entra token good: what every emulator that takes tokens asks before it looks at what the bearer may do."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jwt

_TOLERANCE_SECONDS = 300


class TokenRefused(Exception):
    """Raised for a token that does not hold; the text names the rule, never the token."""


class SigningKeys(Protocol):
    """Where the issuer's keys come from."""

    async def issuer(self) -> str:
        """Return the issuer that tokens must name."""
        ...

    async def key(self, key_id: str) -> Any:  # noqa: ANN401 (a public key of the cryptography library)
        """Return the RSA public key with this id; raise `TokenRefused` if the issuer has none."""
        ...


class JwtChecker:
    """Checks tokens that are for one of `audiences`. `clock` gives epoch seconds."""

    def __init__(self, audiences: Sequence[str], keys: SigningKeys, clock: Callable[[], float]) -> None:
        self._audiences = audiences
        self._keys = keys
        self._clock = clock

    async def check(self, token: str) -> dict[str, Any]:
        """Return the claims of `token`; raise `TokenRefused`."""
        claims = await self._verified(token)
        self._check_time(claims)
        return claims

    async def _verified(self, token: str) -> dict[str, Any]:
        """Check signature, issuer and audience; the times are checked by this checker's own clock."""
        try:
            key = await self._keys.key(str(jwt.get_unverified_header(token).get("kid")))
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audiences,
                issuer=await self._keys.issuer(),
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(f"The JWT is not valid: {type(error).__name__}: {error}.") from error

    def _check_time(self, claims: dict[str, Any]) -> None:
        if not isinstance(claims["exp"], int | float) or claims["exp"] <= self._clock():
            raise TokenRefused(f"The token of client {claims.get('appid')} expired at {claims['exp']}; get a new one.")
        if float(claims.get("nbf", 0)) > self._clock() + _TOLERANCE_SECONDS:
            raise TokenRefused(f"The token of client {claims.get('appid')} is not valid before {claims['nbf']}.")
