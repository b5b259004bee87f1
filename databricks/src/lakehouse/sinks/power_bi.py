"""Pushes gold rows to a Power BI push dataset, off unless a URL is given.

Microsoft retires Power BI real-time streaming, push datasets included, on 31 October 2027. Its successor is a Fabric
Eventstream into an Eventhouse (or DirectQuery on the SQL table): both read what the hub and SQL already hold, so that
this module can then be deleted with nothing in its place.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

import requests
from pyspark.sql import DataFrame

logger = logging.getLogger(__name__)

ROWS_A_POST = 10_000
POSTS_A_MINUTE = 120
_TRIES = 5

type Post = Callable[[str, bytes], tuple[int, float]]
"""Posts JSON to a URL; gives the HTTP status and the seconds that the service asks to wait."""


class PushRefused(Exception):
    """The service took no rows, even after waiting; the text holds its status, never the URL: that is the key."""


@dataclass(slots=True)
class RateLimit:
    """Keeps to the documented number of POSTs in any minute."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    limit: int = POSTS_A_MINUTE
    _sent: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        """Return when one more POST is within the limit, and count it."""
        if len(self._sent) == self.limit:
            self.sleep(max(0.0, self._sent.popleft() + 60.0 - self.clock()))
        self._sent.append(self.clock())


@dataclass(frozen=True, slots=True)
class PowerBi:
    """A push dataset. Delivery is at least once: the service knows no identity of a row."""

    url: str = field(repr=False)
    rate_limit: RateLimit
    post: Post

    def push(self, rows: DataFrame) -> int:
        """Push rows in batches of at most 10,000; gives the number of POSTs. Raises PushRefused."""
        batches = _batches(row.asDict() for row in rows.toLocalIterator(prefetchPartitions=True))
        return sum(self._send(batch) for batch in batches)

    def _send(self, rows: list[dict[str, Any]]) -> int:
        body = json.dumps(rows, default=_plain).encode()
        for tried in range(1, _TRIES + 1):
            self.rate_limit.wait()
            status, wait = self.post(self.url, body)
            if status < 300:  # noqa: PLR2004 - HTTP's successes
                return tried
            logger.warning("power_bi.refused status=%s rows=%s wait=%s", status, len(rows), wait)
            self.rate_limit.sleep(wait)
        raise PushRefused(f"Power BI answered {status} to {_TRIES} tries of {len(rows)} rows.")


def post_json(url: str, body: bytes) -> tuple[int, float]:
    """Post by HTTP; a service that can't be reached counts as 503."""
    try:
        answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    except requests.RequestException:
        return 503, 5.0
    asked = answer.headers.get("Retry-After", "")
    return answer.status_code, float(asked) if asked.isdigit() else 5.0


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    source = iter(rows)
    while batch := list(islice(source, ROWS_A_POST)):
        yield batch


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
