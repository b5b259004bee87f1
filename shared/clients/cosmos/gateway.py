"""A link to a container by Microsoft's own client: the only module that knows azure.cosmos."""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError

from shared.clients.cosmos.answers import MAY_BE_STORED, meaning
from shared.clients.cosmos.connection import CosmosConnection
from shared.clients.cosmos.link import ItemRejected
from shared.clients.failures import causes_of, is_untrusted, retry_after_seconds
from shared.clients.identity.credentials import Identity, LoopIdentity
from shared.clients.links import LinkFault
from shared.clients.trust import trusted
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Unavailable


class GatewayLink:
    """One client of one container for one event loop, through the account's gateway.

    The client is told not to try again (a `retry_throttle_total` of 0 would mean its usual nine times, 4.17.1), nor to
    look for other regions, where it does try again: the account's own name leads to the region that takes writes. Only
    for the account itself it asks three times, 0.5 s apart, whatever it is told.
    """

    def __init__(self, connection: CosmosConnection, container: str, identity: Identity) -> None:
        """Prepare; connects at `open`."""
        self._connection = connection
        self._name = container
        self._credential = connection.key or _CosmosIdentity(identity)
        self._opening = asyncio.Lock()
        self._client: CosmosClient | None = None
        self._container: ContainerProxy | None = None

    async def open(self) -> None:
        """Log in, and ask for the container; raises LinkFault, LoginRefused or Unavailable."""
        async with self._opening:
            if self._container is not None:
                return
            self._client = self._client or self._make_client()
            database, _, name = self._name.partition("/")
            container = self._client.get_database_client(database).get_container_client(name)
            await _asked(container.read(), sending=False)
            self._container = container

    async def upsert(self, partition_key: str, items: Sequence[Mapping[str, Any]]) -> float:
        """Write a transactional batch; a fault says whether it may be stored."""
        if self._container is None:
            raise RuntimeError("a link is opened before it is used")
        operations = [("upsert", (item,)) for item in items]
        written = await _asked(self._container.execute_item_batch(operations, partition_key), sending=True)
        return float(written.get_response_headers().get(_CHARGE, 0.0))

    async def close(self) -> None:
        """Disconnect; a peer that does not answer is left alone after three seconds."""
        if self._client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._client.close()

    def _make_client(self) -> CosmosClient:
        return CosmosClient(
            self._connection.endpoint,
            self._credential,
            transport=_transport(self._connection),
            retry_total=0,
            retry_connect=0,
            retry_read=0,
            retry_status=0,
            retry_throttle_backoff_max=-1,  # no wait is short enough, so that a 429 is not tried again
            enable_endpoint_discovery=False,
            no_response_on_write=True,
            enable_compact_utf8_item_writes=True,
        )


class _CosmosIdentity(LoopIdentity):
    """The identity as the client wants it: outside Azure's own hosts it asks for an audience that no tenant knows."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401 (the clients' signature)
        """Give a token for the account, or for all accounts where its host is not Azure's."""
        host = urlsplit(scopes[0]).hostname or ""
        return await super().get_token(scopes[0] if _AZURES_OWN in host else COSMOS_SCOPE, **options)


class _Transport(AioHttpTransport):  # type: ignore[misc]
    """Trusts what its session does: the client itself trusts anybody on this machine, and one context a request."""

    async def send(self, request: Any, **config: Any) -> Any:  # noqa: ANN401
        config.pop("connection_verify", None)
        config.pop("connection_cert", None)
        return await super().send(request, connection_verify=True, **config)


def _transport(connection: CosmosConnection) -> _Transport:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trusted(connection.ca_bundle)),
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    return _Transport(session=session, session_owner=True)


async def _asked[Answer](answer: Awaitable[Answer], *, sending: bool) -> Answer:
    """Await the client and translate what it raises: its own errors, and those of sockets and slips that it leaks."""
    try:
        return await answer
    except (LinkFault, LoginRefused, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001
        fault = _fault_of(error, sending=sending)
    # Raised outside the handler: the error's request holds the key or token, so it may not hang on to ours.
    raise fault


def _fault_of(error: Exception, *, sending: bool) -> LinkFault:
    if isinstance(error, CosmosBatchOperationError):
        return _answer(error.status_code or 0, error.sub_status, error.headers or {}, error, sending=sending)
    if isinstance(error, HttpResponseError) and error.status_code:
        headers = getattr(error, "headers", {}) or {}
        return _answer(error.status_code, getattr(error, "sub_status", None), headers, error, sending=sending)
    if any(is_untrusted(cause) for cause in causes_of(error)):
        return LinkFault(FailureKind.PERMANENT, _describe(error))
    never_sent = any(isinstance(cause, _NOT_CONNECTED) for cause in causes_of(error))
    kind = FailureKind.UNAVAILABLE if isinstance(error, AzureError | OSError | TimeoutError) else FailureKind.PERMANENT
    return LinkFault(kind, _describe(error), may_be_stored=sending and not never_sent)


def _answer(
    status: int, substatus: int | None, headers: Mapping[str, str], error: Exception, *, sending: bool
) -> LinkFault:
    kind = meaning(status, substatus or 0)
    text = f"it answered {status}/{substatus or 0}: {_describe(error)}"
    if kind is FailureKind.REJECTED and sending:
        return ItemRejected(text, getattr(error, "error_index", None))
    return LinkFault(
        kind,
        text,
        may_be_stored=sending and status in MAY_BE_STORED,
        retry_after=retry_after_seconds(headers),
        answered=kind is not FailureKind.UNAUTHORIZED,  # a new client asks for a new token
        paced=kind is FailureKind.THROTTLED,
    )


def _describe(error: Exception) -> str:
    """Give the client's text on one line; the name of the error alone where it has no text."""
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__


COSMOS_SCOPE: Final = "https://cosmos.azure.com/.default"
# A ServiceRequestError says less: the client makes one of a connection that was cut after the request, too.
_NOT_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_AZURES_OWN: Final = ".documents."
_CHARGE: Final = "x-ms-request-charge"
_CLOSE_SECONDS: Final = 3.0
_LONGEST_REASON: Final = 300
