"""Tries one thing on a hub again and again, with a deadline, jitter and a breaker, until it works or time is up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared import telemetry
from shared.clients.event_hubs.breaker import Breaker
from shared.clients.event_hubs.link import HubFault, Link, LinkSlot, Trouble
from shared.clients.retrying import Rhythm, Timeouts
from shared.errors import LoginRefused, Unavailable

logger = logging.getLogger(__name__)


class GaveUp(Exception):
    """No further attempt fits before the deadline, or none would help; the text says what the last one met."""


@dataclass(slots=True)
class Attempts:
    """The attempts of everything that is sent to one hub share one breaker.

    `place` names hub and namespace, `client_id` who is logged in; both are for messages.
    """

    place: str
    client_id: str
    patience: Timeouts
    rhythm: Rhythm
    breaker: Breaker
    last_trouble: str = ""

    def deadline(self) -> float:
        """Give the time (seconds of the rhythm's clock) by which a call that begins now must be over."""
        return self.rhythm.clock() + self.patience.total

    async def run[T](self, slot: LinkSlot, deadline: float, action: Callable[[Link], Awaitable[T]]) -> T:
        """Run the action on the slot's link until it succeeds.

        Raises GaveUp at the deadline, LoginRefused when refused twice in a row, and the HubFault itself where the hub
        rejects the message.
        """
        failures, denials = 0, 0
        while True:
            await self._wait_for_breaker(deadline)
            try:
                return await self._attempt(slot, deadline, action)
            except HubFault as fault:
                failures += 1
                denials = denials + 1 if fault.trouble is Trouble.DENIED else 0
                await self._wait_after(fault, failures, denials, deadline)

    async def _attempt[T](self, slot: LinkSlot, deadline: float, action: Callable[[Link], Awaitable[T]]) -> T:
        began = self.rhythm.clock()
        self.breaker = self.breaker.begun(began)
        try:
            result = await _within(min(self.patience.attempt, deadline - began), slot, action)
        except HubFault as fault:
            self._note(fault, began)
            raise
        self.breaker = self.breaker.succeeded()
        return result

    def _note(self, fault: HubFault, began: float) -> None:
        self.last_trouble = str(fault)
        if fault.trouble is Trouble.REJECTED:
            self.breaker = self.breaker.succeeded()
            return
        was_open = self.breaker.is_open
        self.breaker = self.breaker.failed(self.rhythm.clock(), began)
        if self.breaker.is_open and not was_open:
            telemetry.warning(logger, "hub.breaker_opened", place=self.place, rest_s=self.breaker.rest)

    async def _wait_after(self, fault: HubFault, failures: int, denials: int, deadline: float) -> None:
        if fault.trouble is Trouble.REJECTED:
            raise fault
        if denials >= _DENIALS:
            raise LoginRefused(f"{self.place} does not let client id {self.client_id} in: {fault}") from None
        busy, left = fault.trouble is Trouble.BUSY, deadline - self.rhythm.clock()
        wait = self.patience.wait(failures, busy=busy, left=left, draw=self.rhythm.jitter())
        if wait is None or fault.trouble is Trouble.HOPELESS:
            raise GaveUp(str(fault)) from fault
        telemetry.info(logger, "hub.attempt_failed", place=self.place, reason=fault, wait_s=round(wait, 3))
        await self.rhythm.sleep(wait)

    async def _wait_for_breaker(self, deadline: float) -> None:
        """Wait until the breaker lets this try through; the looks are short, for another's probe may close it."""
        while wait := self.breaker.wait(now := self.rhythm.clock()):
            if now + wait >= deadline:
                raise GaveUp(f"{self.last_trouble}; after {self.breaker.failures} failures in a row it is left alone")
            await self.rhythm.sleep(min(wait, self.breaker.rest / _LOOKS))


async def _within[T](seconds: float, slot: LinkSlot, action: Callable[[Link], Awaitable[T]]) -> T:
    try:
        async with slot.use() as link, asyncio.timeout(seconds):
            return await action(link)
    except TimeoutError:
        raise HubFault(Trouble.DOWN, f"no answer within {seconds:.3g} s") from None
    except Unavailable as unavailable:
        raise HubFault(Trouble.DOWN, str(unavailable)) from unavailable


_DENIALS = 2
_LOOKS = 60
