"""The two nodes that answer requests: $cbs (tokens) and $management (facts about hubs and partitions)."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit

from proton import UNDESCRIBED, Array, Data, Delivery, Link, Message, Sender, int32, symbol, timestamp

from emulators.entra.checking import TokenRefused
from emulators.event_hubs.engine import LinkHandler, Peer
from emulators.event_hubs.errors import NOT_FOUND, OUT_OF_RANGE, UNAUTHORIZED
from emulators.event_hubs.faults import Faults
from emulators.event_hubs.outcomes import accept
from emulators.event_hubs.store import Partition, Store
from emulators.event_hubs.tokens import JWT_TYPE, SAS_TYPE, Grant, TokenChecker

CBS = "$cbs"
MANAGEMENT = "$management"
_ACCEPTED, _OK, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND = 202, 200, 400, 401, 404
_NEVER_MS = -62135596800000
"""The year 1: how the client knows that a partition has never had an event."""


class Grants:
    """The tokens a connection has shown, by hub, and the policy it logged in with, which is for all hubs."""

    def __init__(self) -> None:
        self.login: Grant | None = None
        self._by_hub: dict[str, Grant] = {}

    def add(self, hub: str, grant: Grant) -> None:
        """Remember a checked token for a hub; a newer one replaces it."""
        self._by_hub[hub] = grant

    def on(self, hub: str) -> Grant | None:
        """Return the grant for a hub, if any token was put for it; else that of the login."""
        return self._by_hub.get(hub, self.login)


class ReplySender:
    """The half of a request node on which its answers go out."""

    def __init__(self, node: str, link: Sender, replies: dict[str, Sender]) -> None:
        self._node = node
        self._replies = replies
        replies[node] = link

    def transferred(self, delivery: Delivery, payload: bytes) -> None:
        """Nothing comes in on this half."""

    def pump(self) -> None:
        """Answers leave when they are made."""

    def closed(self) -> None:
        """Forget the way back."""
        self._replies.pop(self._node, None)


class RequestNode:
    """Settles each request, then sends status and body back with the request's id as correlation id.

    C# sends its next request as soon as it has the answer, and fails where the last one isn't settled by then.
    `conditions` are the AMQP errors that answers name beside their status.
    """

    conditions: Mapping[int, str] = MappingProxyType({})

    def __init__(self, node: str, peer: Peer, replies: dict[str, Sender]) -> None:
        self._node = node
        self._peer = peer
        self._replies = replies
        self._answering: set[asyncio.Task[None]] = set()

    def transferred(self, delivery: Delivery, payload: bytes) -> None:
        """Settle one request and answer it later: when that has left and the issuer's keys are there."""
        accept(delivery)
        request = Message()
        request.decode(payload)
        answering = asyncio.get_running_loop().create_task(self.answer(request))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    def pump(self) -> None:
        """Nothing goes out on this half."""

    def closed(self) -> None:
        """Nothing to forget."""

    async def answer(self, request: Message) -> None:
        """Answer by `reply`."""
        raise NotImplementedError

    def reply(self, request: Message, status: int, text: str, body: dict[str, Any] | None = None) -> None:
        """Send the answer, unless the client has gone."""
        link = self._replies.get(self._node)
        if link is None or not self._peer.connected:
            return
        properties = {"status-code": int32(status), "status-description": text, "statusDescription": text}
        if status in self.conditions:
            properties["error-condition"] = symbol(self.conditions[status])
        answer = Message(body=body, correlation_id=request.id, properties=properties)
        cast(Delivery, link.send(answer)).settle()
        self._peer.schedule()


class Cbs(RequestNode):
    """put-token: checks the token and grants the connection what it allows."""

    def __init__(self, peer: Peer, replies: dict[str, Sender], checker: TokenChecker, faults: Faults) -> None:
        super().__init__(CBS, peer, replies)
        self._checker = checker
        self._faults = faults

    async def answer(self, request: Message) -> None:
        """Accept the token, or say why not."""
        fields = _properties(request)
        resource = str(fields.get("name", ""))
        try:
            hub = _hub_of(resource)
            self._meet_faults(hub)
            grant = await self._checker.check(str(fields.get("type", "")), _text(request.body), resource)
        except TokenRefused as error:
            self.reply(request, _UNAUTHORIZED, f"{error} (audience '{resource}')")
        else:
            grants_of(self._peer).add(hub, grant)
            self.reply(request, _ACCEPTED, "Accepted")

    def _meet_faults(self, hub: str) -> None:
        if self._faults.of_token(hub):
            raise TokenRefused("The token is refused on request (fault refuse_token).")


class Management(RequestNode):
    """READ of a hub or a partition, for everyone who has shown a token for that hub.

    C# shows it nowhere but in the request itself, as its property `security_token`.
    """

    conditions = MappingProxyType({_BAD_REQUEST: OUT_OF_RANGE, _UNAUTHORIZED: UNAUTHORIZED, _NOT_FOUND: NOT_FOUND})

    def __init__(self, peer: Peer, replies: dict[str, Sender], checker: TokenChecker, store: Store) -> None:
        super().__init__(MANAGEMENT, peer, replies)
        self._checker = checker
        self._store = store

    async def answer(self, request: Message) -> None:
        """Answer with the facts, or with why not."""
        try:
            await self._authorize(_properties(request))
        except TokenRefused as error:
            self.reply(request, _UNAUTHORIZED, str(error))
        else:
            self._answer(request)

    async def _authorize(self, fields: dict[str, Any]) -> None:
        hub, token = str(fields.get("name")), fields.get("security_token")
        if grants_of(self._peer).on(hub) is not None:
            return
        if token is None:
            raise TokenRefused(f"No token was put for hub '{hub}' on this connection, and the request has none.")
        text = _text(token)
        kind = SAS_TYPE if text.startswith("SharedAccessSignature") else JWT_TYPE
        await self._checker.check(kind, text, f"sb://{self._peer.hostname}/{hub}")

    def _answer(self, request: Message) -> None:
        fields = _properties(request)
        hub = str(fields.get("name"))
        reads: dict[str, Callable[[], Any]] = {
            "com.microsoft:eventhub": lambda: _describe_hub(self._store, hub),
            "com.microsoft:partition": lambda: _describe_partition(hub, self._partition(hub, fields.get("partition"))),
        }
        read = reads.get(str(fields.get("type")))
        if fields.get("operation") != "READ" or read is None:
            self.reply(
                request, _BAD_REQUEST, "Only READ of com.microsoft:eventhub and com.microsoft:partition is known."
            )
        elif hub not in self._store.hubs:
            self.reply(request, _NOT_FOUND, f"The messaging entity '{hub}' could not be found.")
        else:
            self._reply_with(request, read)

    def _reply_with(self, request: Message, read: Callable[[], Any]) -> None:
        try:
            self.reply(request, _OK, "OK", read())
        except LookupError as error:
            self.reply(request, _BAD_REQUEST, str(error))

    def _partition(self, hub: str, partition_id: object) -> Partition:
        for partition in self._store.hubs[hub]:
            if partition.id == partition_id:
                return partition
        raise LookupError(f"The partition {partition_id!r} of hub '{hub}' does not exist; it has {self._count(hub)}.")

    def _count(self, hub: str) -> int:
        return len(self._store.hubs[hub])


def request_node(
    peer: Peer, link: Link, node: str, receiving: Callable[[dict[str, Sender]], RequestNode]
) -> LinkHandler:
    """Return the handler for one half of a request node: the requests' (`receiving` builds it) or the answers'."""
    replies = peer.session_state.setdefault("replies", {})
    return receiving(replies) if link.is_receiver else ReplySender(node, cast(Sender, link), replies)


def grants_of(peer: Peer) -> Grants:
    """Return the grants of a connection."""
    return cast(Grants, peer.session_state.setdefault("grants", Grants()))


def _describe_hub(store: Store, hub: str) -> dict[str, Any]:
    ids = [partition.id for partition in store.hubs[hub]]
    return {
        "name": hub,
        "type": "com.microsoft:eventhub",
        "created_at": timestamp(int(store.started.timestamp() * 1000)),
        "partition_count": int32(len(ids)),
        "partition_ids": Array(cast(Any, UNDESCRIBED), Data.STRING, *ids),
    }


def _describe_partition(hub: str, partition: Partition) -> dict[str, Any]:
    empty = partition.begin_sequence == partition.next_sequence
    return {
        "name": hub,
        "type": "com.microsoft:partition",
        "partition": partition.id,
        "begin_sequence_number": partition.begin_sequence if partition.next_sequence else -1,
        "last_enqueued_sequence_number": partition.next_sequence - 1,
        "last_enqueued_offset": partition.last_offset,
        "last_enqueued_time_utc": timestamp(partition.last_enqueued_ms if partition.next_sequence else _NEVER_MS),
        "is_partition_empty": empty,
    }


def _hub_of(resource: str) -> str:
    try:
        return urlsplit(resource).path.strip("/").partition("/")[0]
    except ValueError as error:
        raise TokenRefused(f"The audience of the token is not an address: {error}.") from error


def _properties(request: Message) -> dict[str, Any]:
    return cast(dict[str, Any] | None, request.properties) or {}


def _text(body: object) -> str:
    return bytes(body).decode(errors="replace") if isinstance(body, bytes | memoryview) else str(body)
