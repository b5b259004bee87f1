"""The issuer's signing keys, read over HTTPS as its OpenID metadata says."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt

from emulators.entra.checking import TokenRefused

_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class _Published:
    issuer: str
    keys: dict[str, Any]


class PublishedKeys:
    """Keys of `<issuer>/v2.0/.well-known/openid-configuration`; read at first use and again for an unknown key id."""

    def __init__(self, issuer: str, trust: ssl.SSLContext) -> None:
        self._metadata = f"{issuer.rstrip('/')}/v2.0/.well-known/openid-configuration"
        self._trust = trust
        self._published: _Published | None = None
        self._reading = asyncio.Lock()

    async def issuer(self) -> str:
        """Return the issuer that the metadata names."""
        return (await self._current(None)).issuer

    async def key(self, key_id: str) -> Any:  # noqa: ANN401 (a public key of the cryptography library)
        """Return the public key with this id; raise `TokenRefused` if it is unknown or the issuer can't be read."""
        keys = (await self._current(key_id)).keys
        if key_id not in keys:
            raise TokenRefused(f"The issuer publishes no signing key {key_id!r} at {self._metadata}.")
        return keys[key_id]

    async def _current(self, key_id: str | None) -> _Published:
        async with self._reading:
            if self._published is None or (key_id is not None and key_id not in self._published.keys):
                self._published = await self._read()
            return self._published

    async def _read(self) -> _Published:
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                metadata = await self._get(session, self._metadata)
                found = await self._get(session, metadata["jwks_uri"])
                return _Published(metadata["issuer"], {one["kid"]: jwt.PyJWK(one).key for one in found["keys"]})
        except (aiohttp.ClientError, TimeoutError, KeyError, ValueError, jwt.PyJWKError) as error:
            text = f"The issuer's keys could not be read from {self._metadata}: {type(error).__name__}: {error}."
            raise TokenRefused(text) from error

    async def _get(self, session: aiohttp.ClientSession, address: str) -> Any:  # noqa: ANN401 (JSON)
        async with session.get(address, ssl=self._trust, raise_for_status=True) as answer:
            return await answer.json()
