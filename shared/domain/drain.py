"""A drain: a time in which no slice begins, so that a deployment or a changed setting breaks none off."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from shared.domain.windows.ledger_row import SliceRow

USUAL: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=4)
"""A drain that nobody ends must end: until then live windows have gaps that only their venue's history can fill."""


@dataclass(frozen=True, slots=True)
class Drain:
    """No slice begins from `since` on, until `until`."""

    since: datetime
    until: datetime

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what `write` gave; raises ValueError."""
        try:
            found = json.loads(content)
            since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
        except (KeyError, TypeError) as error:
            raise ValueError("a drain has `since` and `until`") from error
        if since.tzinfo is None or until.tzinfo is None:
            raise ValueError("a time without a zone")
        return cls(since, until)

    def write(self) -> bytes:
        """Give it as JSON."""
        return json.dumps({"since": self.since.isoformat(), "until": self.until.isoformat()}).encode()


@dataclass(frozen=True, slots=True)
class Drained:
    """How far a drain is. drain: None where there is none. running: the slices that have not ended yet."""

    drain: Drain | None
    running: Sequence[SliceRow]
