"""Tries one thing on a link again and again, with a deadline, jitter and a breaker, until it works or time is up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from shared import telemetry
from shared.clients.breaker import Breaker
from shared.clients.links import Closable, LinkFault, LinkSlot
from shared.clients.retrying import RetryPolicy, Tries
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed, Unavailable

logger = logging.getLogger(__name__)


class GaveUp(Exception):
    """No further attempt fits before the deadline, or none would help; the text says what the last one met.

    kind, retry_after: those of the last one.
    """

    def __init__(self, text: str, last: LinkFault) -> None:
        super().__init__(text)
        self.kind = last.kind
        self.retry_after = last.retry_after


@dataclass(slots=True)
class Attempts:
    """The attempts of everything that is sent to one place share one breaker.

    `place` names a hub and its namespace, or a container and its account, `client_id` who is logged in; both are for
    messages. service: the first word of what is logged.
    """

    place: str
    client_id: str
    retry: RetryPolicy
    breaker: Breaker
    service: str = "hub"
    last_fault: LinkFault = field(default_factory=lambda: LinkFault(FailureKind.UNAVAILABLE, "no try"))

    def deadline(self, *, briefly: bool = False) -> float:
        """Give the time (seconds of the policy's clock) by which a call that begins now must be over.

        briefly: when one try would be.
        """
        return self.retry.begin(self.retry.timeouts.attempt if briefly else None).end

    @property
    def rest(self) -> float:
        """Give the seconds for which the breaker lets no try through."""
        return self.breaker.wait(self.retry.clock.now())

    async def run[L: Closable, T](self, slot: LinkSlot[L], deadline: float, action: Callable[[L], Awaitable[T]]) -> T:
        """Run the action on the slot's link until it succeeds.

        Raises GaveUp at the deadline, LoginRefused when refused twice in a row, and the LinkFault itself where the peer
        rejects the message.
        """
        tries, denials = Tries(self.retry, deadline), 0
        while True:
            await self._wait_for_breaker(deadline)
            try:
                return await self._attempt(slot, tries.seconds(), action)
            except LinkFault as fault:
                denials = denials + 1 if fault.kind is FailureKind.UNAUTHORIZED else 0
                await self._wait_after(fault, tries, denials)

    async def _attempt[L: Closable, T](
        self, slot: LinkSlot[L], seconds: float, action: Callable[[L], Awaitable[T]]
    ) -> T:
        began = self.retry.clock.now()
        self.breaker = self.breaker.begun(began)
        try:
            result = await _within(seconds, slot, action)
        except LinkFault as fault:
            self._note(fault, began)
            raise
        self.breaker = self.breaker.succeeded()
        return result

    def _note(self, fault: LinkFault, began: float) -> None:
        self.last_fault = fault
        if fault.kind is FailureKind.REJECTED or fault.paced:
            self.breaker = self.breaker.succeeded()
            return
        was_open = self.breaker.is_open
        clock = self.retry.clock
        self.breaker = self.breaker.failed(clock.now(), began, clock.jitter())
        if self.breaker.is_open and not was_open:
            telemetry.warning(logger, f"{self.service}.breaker_opened", place=self.place, rest_s=self.breaker.rest)

    async def _wait_after(self, fault: LinkFault, tries: Tries, denials: int) -> None:
        if fault.kind is FailureKind.REJECTED:
            raise fault
        if denials >= _DENIALS:
            raise LoginRefused(f"{self.place} denied access to client id {self.client_id}: {fault}") from None
        wait = tries.wait_after(fault.kind, fault.retry_after)
        if wait is None or fault.kind is FailureKind.PERMANENT:
            raise GaveUp(str(fault), fault) from fault
        telemetry.info(logger, f"{self.service}.attempt_failed", place=self.place, reason=fault, wait_s=round(wait, 3))
        await self.retry.clock.pause(wait)

    async def _wait_for_breaker(self, deadline: float) -> None:
        """Wait until the breaker lets this try through; the looks are short, for another's probe may close it."""
        while wait := self.breaker.wait(now := self.retry.clock.now()):
            if now + wait >= deadline:
                text = f"{self.last_fault}; after {self.breaker.failures} failures in a row it is left alone"
                raise GaveUp(text, self.last_fault)
            await self.retry.clock.pause(min(wait, self.breaker.rest / _LOOKS))


def undelivered(
    place: str,
    failures: Sequence[GaveUp | LoginRefused],
    delivery: Delivery,
    unsettled: Sequence[Event],
    events: Sequence[Event],
) -> LoginRefused | SendFailed:
    """Give what a send of `events` raises that left some unsettled: a refused login as it is, else what it came to."""
    last = _gravest(failures)
    if isinstance(last, LoginRefused):
        return last
    rows, all_rows = sum(event.rows for event in unsettled), sum(event.rows for event in events)
    failed = SendFailed(
        f"{place}: {rows} of {all_rows} records were not delivered, of which {delivery.unknown} may be stored; the last"
        f" attempt met: {last}",
        delivery,
        kind=last.kind,
        retry_after=last.retry_after,
        unsettled=unsettled,
    )
    failed.__cause__ = last
    return failed


def _gravest(failures: Sequence[GaveUp | LoginRefused]) -> GaveUp | LoginRefused:
    """Choose the failure that says most: one that waiting does not cure comes first."""
    refused = next((failure for failure in failures if isinstance(failure, LoginRefused)), None)
    lasting = next((failure for failure in failures if not failure.kind.may_pass), None)
    return refused or lasting or failures[0]


async def _within[L: Closable, T](seconds: float, slot: LinkSlot[L], action: Callable[[L], Awaitable[T]]) -> T:
    try:
        async with slot.use() as link, asyncio.timeout(seconds):
            return await action(link)
    except TimeoutError:
        raise LinkFault(FailureKind.UNAVAILABLE, f"no answer within {seconds:.3g} s") from None
    except Unavailable as unavailable:
        raise LinkFault(unavailable.kind, str(unavailable), retry_after=unavailable.retry_after) from unavailable


_DENIALS = 2
_LOOKS = 60
