"""Producer and consumer links: transfers into partitions, partitions out to readers."""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from cproton import pn_delivery, pn_delivery_settle, pn_link_send
from proton import Delivery, Link

from emulators.clocks import utc_now
from emulators.entra.identities import Claim
from emulators.event_hubs.engine import Peer
from emulators.event_hubs.errors import BUSY, BUSY_TEXT, MALFORMED, NOT_ALLOWED, UNAUTHORIZED, Refusal
from emulators.event_hubs.faults import Fault, Faults, Kind
from emulators.event_hubs.messages import MalformedMessage, Publication, encode_delivery, read_publication
from emulators.event_hubs.nodes import grants_of
from emulators.event_hubs.outcomes import accept, reject
from emulators.event_hubs.readers import Readers
from emulators.event_hubs.store import Partition, Store
from emulators.event_hubs.throttle import Throttle

_TAGS = 1 << 16
"""A tag comes again after so many deliveries: more than any client's credit, so that none meets its like in flight.

Not never again, because Python's client keeps every tag it has seen on a link, of settled deliveries too: 72 bytes
each, 4.7 MB for these.
"""
_TURN_BYTES = 1 << 20
"""What one consumer may put into the socket before the others have their turn."""


class Conditions(Protocol):
    """What may happen to a send besides being stored."""

    faults: Faults
    throttle: Throttle
    latency: float


class Authority:
    """Checks, at attach and while the link lives, that the connection's token allows what the link does."""

    def __init__(self, peer: Peer, hub: str, claim: Claim, clock: Callable[[], float]) -> None:
        self._peer = peer
        self._hub = hub
        self._claim: Claim = claim
        self._clock = clock

    def check(self) -> None:
        """Raise `Refusal` (unauthorized-access) without a token, with an expired one, or with the wrong role."""
        grant = grants_of(self._peer).on(self._hub)
        if grant is None:
            raise Refusal(UNAUTHORIZED, f"No token was put for hub '{self._hub}' on this connection.")
        if grant.expires_at <= self._clock():
            raise Refusal(UNAUTHORIZED, f"The token of {grant.who} for hub '{self._hub}' has expired.")
        if denial := grant.denies(self._claim, self._hub):
            raise Refusal(UNAUTHORIZED, denial)


class Producer:
    """Stores what one link sends to a hub, or to one partition of it."""

    def __init__(
        self,
        peer: Peer,
        hub: str,
        *,
        partition: Partition | None,
        store: Store,
        conditions: Conditions,
        authority: Authority,
    ) -> None:
        self._peer = peer
        self._hub = hub
        self._partition = partition
        self._store = store
        self._conditions = conditions
        self._authority = authority

    def transferred(self, delivery: Delivery, payload: bytes) -> None:
        """Store one transfer and accept it, unless a fault or the throttle says otherwise."""
        self._authority.check()
        try:
            publication = read_publication(payload)
        except MalformedMessage as error:
            reject(delivery, Refusal(MALFORMED, f"The message for hub '{self._hub}' is not AMQP: {error}."))
            return
        fault = self._conditions.faults.of_send(self._hub, payload)
        if fault is not None:
            self._inject(fault, delivery, publication)
        elif not self._conditions.throttle.admit(len(payload), len(publication.events)):
            reject(delivery, _busy())
        else:
            self._keep(publication)
            self._accept(delivery)

    def pump(self) -> None:
        """A producer gets nothing but dispositions."""

    def closed(self) -> None:
        """Nothing to forget."""

    def _inject(self, fault: Fault, delivery: Delivery, publication: Publication) -> None:
        if fault.kind is Kind.LOSE_ACK or fault.stored:
            self._keep(publication)
        match fault.kind:
            case Kind.LOSE_ACK | Kind.DROP:
                self._peer.abort()
            case Kind.REJECT_BUSY:
                reject(delivery, _busy())
            case Kind.REFUSE:
                reject(delivery, Refusal(NOT_ALLOWED, f"Refused on request: hub '{self._hub}' never takes it."))
            case Kind.DETACH_BUSY:
                raise _busy()

    def _keep(self, publication: Publication) -> None:
        partition = self._partition or self._store.choose(self._hub, publication.partition_key)
        self._store.append(partition, publication.events, utc_now())

    def _accept(self, delivery: Delivery) -> None:
        if self._conditions.latency > 0:
            asyncio.get_running_loop().call_later(self._conditions.latency, self._accept_late, delivery)
        else:
            accept(delivery)

    def _accept_late(self, delivery: Delivery) -> None:
        if self._peer.connected:
            accept(delivery)
            self._peer.work()


class Consumer:
    """Sends a partition's events to one link, pre-settled, as far as its credit goes."""

    def __init__(
        self, peer: Peer, link: Link, *, partition: Partition, start: int, owner_level: int | None, authority: Authority
    ) -> None:
        self.owner_level = owner_level
        self._peer = peer
        self._link = link
        self._sending = link._impl  # noqa: SLF001 (wrapping each delivery costs as much as sending it)
        self._partition = partition
        self._next = start
        self._sent = 0
        self._authority = authority
        self._leave: Callable[[], None] = lambda: None

    def enter(self, readers: Readers, place: tuple[str, str, str]) -> None:
        """Take a place among the partition's readers and listen to it; raise `Refusal` where it is taken."""
        readers.enter(place, self)
        self._partition.listeners.add(self._wake)
        self._leave = lambda: readers.leave(place, self)

    def steal(self, by: Refusal) -> None:
        """Detach, because a reader with a higher or the same level came."""
        self._peer.refuse(self._link, by)
        self._peer.schedule()

    def transferred(self, delivery: Delivery, payload: bytes) -> None:
        """Nothing comes in on a consumer's link."""

    def pump(self) -> None:
        """Send from the next event on, while there is credit and room in the socket, a turn's worth at most."""
        credit = self._link.credit
        if self._next >= self._partition.next_sequence or credit <= 0 or not self._peer.writable:
            return
        self._authority.check()
        room = _TURN_BYTES
        for sequence, enqueued_ms, event in islice(self._partition.read(self._next), credit):
            if room <= 0:
                self._wake()
                return
            room -= len(event)
            self._send(sequence, enqueued_ms, event)

    def closed(self) -> None:
        """Give the place up."""
        self._leave()
        self._partition.listeners.discard(self._wake)

    def _wake(self) -> None:
        self._peer.schedule()

    def _send(self, sequence: int, enqueued_ms: int, event: bytes) -> None:
        offset = self._partition.epoch.offset(sequence)
        delivery = pn_delivery(self._sending, str(self._sent % _TAGS))
        pn_link_send(self._sending, encode_delivery(event, sequence=sequence, offset=offset, enqueued_ms=enqueued_ms))
        pn_delivery_settle(delivery)
        self._sent += 1
        self._next = sequence + 1


def _busy() -> Refusal:
    return Refusal(BUSY, BUSY_TEXT)
