"""Websockets and GETs to a venue over aiohttp, with every wait bounded and every failure as the app's own errors."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType

from shared.clients.trust import trusted
from shared.errors import Unavailable, Unreachable, Untrusted

DEADLINE: Final = 10.0
"""Seconds that a handshake, a send or a GET may take."""

_CLOSING = 1.0
_LOOK_EVERY = 0.002
_EXCERPT = 300
_OVERLOADED = frozenset({418, HTTPStatus.TOO_MANY_REQUESTS})

OnFrame = Callable[[bytes], Awaitable[None] | None]
OnSignOfLife = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered to a GET, whatever its status; `retry_after` are the seconds it wants to be left alone."""

    host: str
    status: int
    body: bytes
    retry_after: float = 0.0

    @property
    def excerpt(self) -> str:
        """Give the beginning of the body, for messages."""
        return self.body[:_EXCERPT].decode("utf-8", "replace")


class Socket(Protocol):
    """One websocket that is open."""

    async def send(self, text: str) -> None:
        """Send one text frame; raises Unreachable where it does not leave within the deadline."""

    async def read(self, on_frame: OnFrame, on_sign_of_life: OnSignOfLife) -> str:
        """Hand on each frame as it arrives; give the reason of the end.

        `on_frame` may give something to wait for before the next frame is read.
        """

    async def close(self) -> None:
        """Close it; never raises."""


class Transport(Protocol):
    """Opens websockets and gets pages."""

    async def socket(self, url: str) -> Socket:
        """Open a websocket; raises Unreachable with the wait that the venue asked for, or Untrusted."""

    async def get(self, url: str, query: Mapping[str, str]) -> Answer:
        """Give an answer, of whatever status; raises Unreachable where there is none, or Untrusted."""


class WebSocket:
    """A websocket of aiohttp."""

    def __init__(self, host: str, response: ClientWebSocketResponse[bool]) -> None:
        self._host = host
        self._response = response
        self._wire = response.get_extra_info("socket")

    async def send(self, text: str) -> None:
        """Send one text frame, as `Socket.send` says."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._response.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._host} took no frame: {_message(error)}") from error

    async def read(self, on_frame: OnFrame, on_sign_of_life: OnSignOfLife) -> str:
        """Hand on each frame, all those already received in one go; pings are answered, and a sign of life."""
        while True:
            message = await self._response.receive()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                wait = on_frame(message.data)
                if wait is not None:
                    await wait
            elif message.type is WSMsgType.PING:
                on_sign_of_life()
                await self._pong(message.data)
            elif message.type is WSMsgType.PONG:
                on_sign_of_life()
            else:
                return self._end()

    async def close(self) -> None:
        """Close politely, within a second and a half.

        The deadline is ours: aiohttp's counts from each frame, and a busy venue goes on sending. The session forgets a
        TLS connection that is closing, and a loop that ended before it would leave its socket open: hence the wait.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self._response.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING / 2):
                while self._wire is not None and self._wire.fileno() >= 0:  # noqa: ASYNC110 - nothing tells its end
                    await asyncio.sleep(_LOOK_EVERY)

    async def _pong(self, payload: bytes) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self._response.pong(payload)
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._host} took no pong: {_message(error)}") from error

    def _end(self) -> str:
        error = self._response.exception()
        cause = _message(error) if error else f"close code {self._response.close_code}"
        return f"{self._host} ended the connection: {cause}"


class WebTransport:
    """An HTTP session of one event loop; use it as a context manager. `ca_bundle`: a PEM file, None is the system's."""

    def __init__(self, ca_bundle: Path | None) -> None:
        """Remember whom to trust; nothing is opened yet."""
        self._ca_bundle = ca_bundle
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        trust = await asyncio.to_thread(trusted, self._ca_bundle) if self._ca_bundle else True
        unlimited = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), timeout=unlimited)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session with all its connections."""
        if self._session:
            await self._session.close()

    async def socket(self, url: str) -> WebSocket:
        """Open a websocket, as `Transport.socket` says."""
        waits = aiohttp.ClientWSTimeout(ws_close=_CLOSING)
        try:
            async with asyncio.timeout(DEADLINE):
                response = await self._opened().ws_connect(url, timeout=waits, autoping=False, decode_text=False)
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(url, error.status, error.headers, error.message) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(url, error) from error
        return WebSocket(_host(url), response)

    async def get(self, url: str, query: Mapping[str, str]) -> Answer:
        """Give an answer, as `Transport.get` says."""
        try:
            async with asyncio.timeout(DEADLINE), self._opened().get(url, params=query) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(url, error) from error
        return Answer(_host(url), response.status, body, _seconds(response.headers.get("Retry-After", "")))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("a WebTransport is used within `async with`")
        return self._session


def _refusal(url: str, status: int, headers: Mapping[str, str] | None, message: str) -> Unreachable:
    """Make the error of a handshake that was refused: whatever the status, another one may be taken later."""
    wait = _seconds((headers or {}).get("Retry-After", ""))
    text = f"{_host(url)} answered {status}: {message}"
    return Unreachable(text, throttled=status in _OVERLOADED, retry_after=wait)


def _seconds(retry_after: str) -> float:
    try:
        return max(float(retry_after), 0.0)
    except ValueError:
        return 0.0


def _failure(url: str, error: BaseException) -> Unavailable:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return Untrusted(
            f"{_host(url)}: certificate not trusted ({_message(error)}); "
            "put the certificate of the authority that signed it in CA_BUNDLE"
        )
    return Unreachable(f"{_host(url)} can't be reached: {_message(error)}")


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _message(error: BaseException) -> str:
    return str(error) or type(error).__name__
