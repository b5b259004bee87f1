"""Spreads the events of one stream over several hubs: a sender around the senders to the hubs."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.clients.destination import Sender
from shared.domain.delivery import Delivery, Event
from shared.domain.spreading import turn_of
from shared.errors import SendFailed


@dataclass(frozen=True, slots=True)
class Spread:
    """Sends each block of events to the hub whose turn it is, to all hubs at once. first: the turn of block 0."""

    senders: Sequence[Sender]
    first: int

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; what one hub does not take costs no other hub its own.

        Raises SendFailed, with what became of the events of all hubs, where one of them failed; LoginRefused as the
        senders do.
        """
        parts: list[list[Event]] = [[] for _ in self.senders]
        for event in events:
            parts[turn_of(event.block, self.first, len(parts))].append(event)
        sends = [sender.send(part) for sender, part in zip(self.senders, parts, strict=True) if part]
        results = await asyncio.gather(*sends, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        delivery = sum((_delivery(result) for result in results), Delivery())
        if failures:
            raise _together(failures, delivery)
        return delivery


def _delivery(result: Delivery | BaseException) -> Delivery:
    if isinstance(result, SendFailed):
        return result.delivery
    return result if isinstance(result, Delivery) else Delivery()


def _together(failures: Iterable[BaseException], delivery: Delivery) -> BaseException:
    """Make one failure of those of several hubs: what is no failed send comes first, then what waiting can't cure."""
    failed = []
    for failure in failures:
        if not isinstance(failure, SendFailed):
            return failure
        failed.append(failure)
    gravest = min(failed, key=lambda failure: failure.kind.may_pass)
    return SendFailed(
        "; ".join(map(str, failed)),
        delivery,
        kind=gravest.kind,
        retry_after=max(failure.retry_after for failure in failed),
        unsettled=[event for failure in failed for event in failure.unsettled],
    )
