"""Asks what the app depends on whether it answers, at most every 15 s however many look."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.health import Dependency
from shared.errors import IngestionError

ANSWER_WITHIN: Final = 10.0
"""Seconds; who is silent for longer has failed."""

REMEMBER: Final = timedelta(seconds=15)

type Check = Callable[[], Awaitable[object]]
"""Asks one dependency; raises IngestionError where it does not answer as it should."""


@dataclass(slots=True)
class Health:
    """Looks at dependencies, and remembers what it saw; for any number of event loops and threads.

    checks: by the name of the dependency. not_asked: why the others are never asked.
    """

    checks: Mapping[str, Check]
    not_asked: Mapping[str, str]
    clock: Callable[[], datetime]
    _seen: Mapping[str, Dependency] = field(default_factory=dict, init=False)

    async def look(self) -> tuple[Dependency, ...]:
        """Give each dependency, those that are asked first; asks again what was seen longer ago than `REMEMBER`."""
        seen, now = self._seen, self.clock()
        old = [name for name in self.checks if name not in seen or _is_old(seen[name], now)]
        asked = await asyncio.gather(*(self._ask(name, seen.get(name)) for name in old))
        self._seen = {**seen, **{one.name: one for one in asked}}
        others = (Dependency(name, "not_asked", reason) for name, reason in self.not_asked.items())
        return (*(self._seen[name] for name in self.checks), *others)

    async def _ask(self, name: str, before: Dependency | None) -> Dependency:
        ready_at = before.ready_at if before else None
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self.checks[name]()
        except TimeoutError:
            return Dependency(name, "failed", f"no answer within {ANSWER_WITHIN:g} s", self.clock(), ready_at)
        except IngestionError as error:
            return Dependency(name, "failed", str(error), self.clock(), ready_at)
        now = self.clock()
        return Dependency(name, "ready", "", now, now)


def _is_old(seen: Dependency, now: datetime) -> bool:
    return seen.asked_at is None or now - seen.asked_at >= REMEMBER
