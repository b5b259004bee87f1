"""Connections that a service keeps open between requests: a handshake costs several times what a request does."""

import http.client
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MOST_IDLE: Final = 16
LONGEST_IDLE: Final = 20.0
"""Seconds; services and what stands before them close what is idle for longer, the shortest after some 60 s."""


class _Idle(NamedTuple):
    connection: http.client.HTTPSConnection
    since: float


@dataclass(frozen=True, slots=True)
class KeptConnections:
    """Idle connections by host and port, for any number of threads; the one that was used last is used first.

    longest: for how many seconds one may be idle.
    """

    longest: float = LONGEST_IDLE
    _idle: defaultdict[tuple[str, int | None], deque[_Idle]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, host: str, port: int | None) -> http.client.HTTPSConnection | None:
        """Give one that was used lately, None where there is none; those that are idle for too long are closed."""
        with self._lock:
            idle, oldest = self._idle[host, port], time.monotonic() - self.longest
            while idle and idle[0].since <= oldest:
                idle.popleft().connection.close()
            return idle.pop().connection if idle else None

    def give(self, connection: http.client.HTTPSConnection) -> None:
        """Keep one whose last answer was read to its end, in the place of the oldest where there are too many."""
        with self._lock:
            idle = self._idle[connection.host, connection.port]
            idle.append(_Idle(connection, time.monotonic()))
            if len(idle) > MOST_IDLE:
                idle.popleft().connection.close()

    def close(self) -> None:
        """Close all that wait."""
        with self._lock:
            for idle in self._idle.values():
                while idle:
                    idle.pop().connection.close()
