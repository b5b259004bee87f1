"""How often a venue's REST interface may be asked from one address, and what it does with who asks more often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Final, Protocol

from emulators.exchange.instants import SECOND

MINUTE: Final = 60 * SECOND
BANNED: Final = 418


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a page is refused: its status, the seconds to wait that it tells, its words (None: the usual ones)."""

    status: int
    wait: float | None = None
    words: str | None = None


class RequestLimit(Protocol):
    """What one venue allows one address."""

    def ask(self, route: str, now: int) -> Refusal | None:
        """Count a request of a route (its pattern) at a moment; give its refusal where it is one too many."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Give what each answer tells about the limit."""
        ...


class Bucket:
    """`burst` requests at once, and `per_second` come back; the rest is answered with `status`.

    strict: a request that is refused counts too, so that who does not slow down is never served.
    """

    def __init__(self, burst: int, per_second: float, *, status: int, strict: bool = False) -> None:
        """Begin empty."""
        self._burst, self._per_second, self._status, self._strict = burst, per_second, status, strict
        self._level, self._seen = 0.0, 0

    def ask(self, route: str, now: int) -> Refusal | None:
        """Count a request; all routes cost the same."""
        del route
        self._level = max(0.0, self._level - (now - self._seen) / SECOND * self._per_second)
        self._seen = now
        is_refused = self._level + 1 > self._burst
        if not is_refused or self._strict:
            self._level = min(self._level + 1, self._burst)
        return Refusal(self._status) if is_refused else None

    def headers(self) -> Mapping[str, str]:
        """Tell nothing."""
        return {}


class Interval:
    """`most` requests in each `seconds` of the clock; the rest is answered with `status`."""

    def __init__(self, most: int, seconds: int, *, status: int) -> None:
        """Begin with nothing used."""
        self._most, self._length, self._status = most, seconds * SECOND, status
        self._number = self._used = 0

    def ask(self, route: str, now: int) -> Refusal | None:
        """Count a request; all routes cost the same, and a refused one counts too."""
        del route
        if now // self._length != self._number:
            self._number, self._used = now // self._length, 0
        self._used += 1
        return Refusal(self._status) if self._used > self._most else None

    def headers(self) -> Mapping[str, str]:
        """Tell nothing."""
        return {}


class WeightLimit:
    """Binance's: `most` weight in each minute of the clock, then 429 until the minute ends.

    Who asks nevertheless is banned (418), for two minutes at first; a further offence, and each request into a ban,
    makes the ban twice as long as the last one, up to three days.
    """

    FIRST_BAN: Final = 2 * MINUTE
    LONGEST_BAN: Final = 3 * 24 * 60 * MINUTE

    def __init__(self, most: int, weights: Mapping[str, int]) -> None:
        """Begin with nothing used; `weights` are those of the routes, 1 where none is named."""
        self._most, self._weights = most, weights
        self._minute = self._used = 0
        self._is_warned = False
        self._banned_until, self._next_ban = 0, self.FIRST_BAN

    def ask(self, route: str, now: int) -> Refusal | None:
        """Count the weight of a request."""
        if now < self._banned_until:
            return self._ban(now)
        if now // MINUTE != self._minute:
            self._minute, self._used, self._is_warned = now // MINUTE, 0, False
        if self._is_warned:
            return self._ban(now)
        weight = self._weights.get(route, 1)
        if self._used + weight > self._most:
            self._is_warned = True
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, _whole_seconds(MINUTE - now % MINUTE))
        self._used += weight
        return None

    def headers(self) -> Mapping[str, str]:
        """Tell the weight used in this minute."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._used)}

    def _ban(self, now: int) -> Refusal:
        self._banned_until = now + self._next_ban
        self._next_ban = min(self._next_ban * 2, self.LONGEST_BAN)
        return Refusal(BANNED, _whole_seconds(self._banned_until - now))


class Allowances:
    """The limits of one venue for each address that asks it."""

    def __init__(self, limits: Callable[[], tuple[RequestLimit, ...]]) -> None:
        """Begin with no address; `limits` makes those of a new one, all of which hold."""
        self._limits = limits
        self._by_address: dict[str, tuple[RequestLimit, ...]] = {}

    def ask(self, address: str, route: str, now: int) -> Refusal | None:
        """Count a request with each limit, and give the first refusal."""
        found = [limit.ask(route, now) for limit in self._of(address)]
        return next((refusal for refusal in found if refusal), None)

    def headers(self, address: str) -> dict[str, str]:
        """Give what an answer to this address tells."""
        return {name: value for limit in self._of(address) for name, value in limit.headers().items()}

    def _of(self, address: str) -> tuple[RequestLimit, ...]:
        return self._by_address.setdefault(address, self._limits())


def _whole_seconds(microseconds: int) -> int:
    return ceil(microseconds / SECOND)
