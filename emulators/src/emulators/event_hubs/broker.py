"""The hub itself: what every connection shares, and which handler an attaching link gets."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from proton import Data, Link, Sender

from emulators.entra.checking import TokenRefused
from emulators.event_hubs.engine import LinkHandler, Peer
from emulators.event_hubs.errors import ARGUMENT, NOT_FOUND, OUT_OF_RANGE, Refusal
from emulators.event_hubs.faults import Faults
from emulators.event_hubs.links import Authority, Consumer, Producer
from emulators.event_hubs.nodes import CBS, MANAGEMENT, Cbs, Management, RequestNode, grants_of, request_node
from emulators.event_hubs.positions import PositionError, parse_selector
from emulators.event_hubs.readers import Readers
from emulators.event_hubs.store import Partition, Store
from emulators.event_hubs.throttle import Throttle
from emulators.event_hubs.tokens import TokenChecker

_PRODUCER = re.compile(r"^([^/]+)(?:/Partitions/([^/]+))?$", re.IGNORECASE)
_CONSUMER = re.compile(r"^([^/]+)/ConsumerGroups/([^/]+)/Partitions/([^/]+)$", re.IGNORECASE)
_SELECTOR_FILTER = "apache.org:selector-filter:string"
_OWNER_LEVEL = "com.microsoft:epoch"


@dataclass
class Broker:
    """The shared state; `latency` is in seconds, added before each acknowledgement."""

    store: Store
    checker: TokenChecker
    consumer_groups: tuple[str, ...]
    throttle: Throttle = field(default_factory=lambda: Throttle(time.monotonic))
    latency: float = 0.0
    readers: Readers = field(default_factory=Readers)
    clock: Callable[[], float] = time.time
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        """Know the hubs that faults may name."""
        self.faults = Faults(self.store.hubs)

    def attach(self, peer: Peer, link: Link) -> LinkHandler:
        """Return the handler for a link; raise `Refusal` with Event Hubs' condition where there is none."""
        address = link.remote_target.address if link.is_receiver else link.remote_source.address
        path = _path(address or "")
        builders: dict[str, Callable[[dict[str, Sender]], RequestNode]] = {
            CBS: lambda replies: Cbs(peer, replies, self.checker, self.faults),
            MANAGEMENT: lambda replies: Management(peer, replies, self.checker, self.store),
        }
        node = path.rsplit("/", 1)[-1]
        if node in builders:
            return request_node(peer, link, node, builders[node])
        return self._producer(peer, path) if link.is_receiver else self._consumer(peer, link, path)

    def log_in(self, peer: Peer, policy: str, key: str) -> bool:
        """Let a connection in for the whole namespace with a policy's key; False where the two don't match."""
        try:
            grants_of(peer).login = self.checker.check_key(policy, key)
        except TokenRefused:
            return False
        return True

    def _producer(self, peer: Peer, path: str) -> Producer:
        match = _match(_PRODUCER, path)
        hub, partition_id = match[1], match[2]
        partitions = self._partitions(hub)
        authority = Authority(peer, hub, "Send", self.clock)
        authority.check()
        partition = _partition(hub, partitions, partition_id) if partition_id is not None else None
        return Producer(peer, hub, partition=partition, store=self.store, conditions=self, authority=authority)

    def _consumer(self, peer: Peer, link: Link, path: str) -> Consumer:
        match = _match(_CONSUMER, path)
        hub, group = match[1], match[2]
        partitions = self._partitions(hub)
        authority = Authority(peer, hub, "Listen", self.clock)
        authority.check()
        if group not in self.consumer_groups:
            known = ", ".join(self.consumer_groups)
            raise Refusal(
                NOT_FOUND, f"The consumer group '{group}' of hub '{hub}' could not be found; there are {known}."
            )
        partition = _partition(hub, partitions, match[3])
        consumer = Consumer(
            peer,
            link,
            partition=partition,
            start=_start(link, partition),
            owner_level=_owner_level(link),
            authority=authority,
        )
        consumer.enter(self.readers, (hub, group, partition.id))
        return consumer

    def _partitions(self, hub: str) -> list[Partition]:
        if hub not in self.store.hubs:
            raise Refusal(NOT_FOUND, f"The messaging entity '{hub}' could not be found.")
        return self.store.hubs[hub]


def _match(pattern: re.Pattern[str], path: str) -> re.Match[str]:
    match = pattern.match(path)
    if match is None:
        raise Refusal(NOT_FOUND, f"The messaging entity '{path}' could not be found.")
    return match


def _partition(hub: str, partitions: list[Partition], partition_id: str) -> Partition:
    for partition in partitions:
        if partition.id == partition_id:
            return partition
    text = f"The specified partition '{partition_id}' is invalid for hub '{hub}'. It should be between 0 and"
    raise Refusal(OUT_OF_RANGE, f"{text} {len(partitions) - 1}.")


def _start(link: Link, partition: Partition) -> int:
    try:
        return partition.start_of(parse_selector(_selector(link)))
    except PositionError as error:
        raise Refusal(ARGUMENT, str(error)) from error


def _selector(link: Link) -> str | None:
    found = _object(link.remote_source.filter).get(_SELECTOR_FILTER)
    value = getattr(found, "value", found)
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else value


def _owner_level(link: Link) -> int | None:
    level = (link.remote_properties or {}).get(_OWNER_LEVEL)
    return None if level is None else int(level)


def _object(data: Data) -> dict[str, Any]:
    data.rewind()
    found = data.get_object() if data.next() else None
    return found if isinstance(found, dict) else {}


def _path(address: str) -> str:
    return (urlsplit(address).path if "://" in address else address).strip("/")
