"""What goes wrong on demand: the faults that sends and tokens can meet."""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from emulators.faults import FaultQueue, Limits


class Kind(StrEnum):
    """What goes wrong."""

    STALL = "stall"
    LOSE_ACK = "lose_ack"
    DROP = "drop"
    REJECT_BUSY = "reject_busy"
    DETACH_BUSY = "detach_busy"
    REFUSE = "refuse"
    REFUSE_TOKEN = "refuse_token"  # noqa: S105 (a kind of fault, not a secret)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`: the next `next` sends (tokens), or each with probability `share`; of one hub or of all.

    `stored` says whether a stalled send is stored all the same. `holding` spares every send without these characters.
    """

    kind: Kind
    hub: str | None = None
    next: int | None = None
    share: float | None = None
    seed: int = 0
    stored: bool = False
    holding: str = ""

    def __post_init__(self) -> None:
        """Refuse a fault that can't be injected, naming the field."""
        if (self.next is None) is (self.share is None):
            raise ValueError("Give either `next` (how many) or `share` (probability of each), not both, not neither.")
        if self.next is not None and self.next < 1:
            raise ValueError(f"`next` is {self.next}; it must be at least 1.")
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError(f"`share` is {self.share}; it must be above 0 and at most 1.")
        if self.stored and self.kind is not Kind.STALL:
            raise ValueError(f"`stored` goes with stall only, not with {self.kind}.")
        if self.holding and self.kind is Kind.REFUSE_TOKEN:
            raise ValueError("`holding` goes with faults of sends only, not with refuse_token.")

    @property
    def limits(self) -> Limits:
        """Hold for the `next` ones, or until cleared for a `share` of all."""
        return Limits(count=self.next, probability=self.share, seed=self.seed)


class Faults(FaultQueue[Fault]):
    """The faults of a namespace with these hubs."""

    def __init__(self, hubs: Collection[str]) -> None:
        super().__init__()
        self._hubs = hubs

    def add(self, fault: Fault) -> None:
        """Let a fault hold from now on; raise ValueError for a hub that is not there."""
        if fault.hub is not None and fault.hub not in self._hubs:
            raise ValueError(f"`hub` is {fault.hub!r}; there are {', '.join(self._hubs)}.")
        super().add(fault)

    def of_send(self, hub: str, payload: bytes) -> Fault | None:
        """Give the fault that this send meets, and count it."""
        return self._of(hub, payload, tokens=False)

    def of_token(self, hub: str) -> Fault | None:
        """Give the fault that this token meets, and count it."""
        return self._of(hub, b"", tokens=True)

    def _of(self, hub: str, payload: bytes, *, tokens: bool) -> Fault | None:
        def concerned(fault: Fault) -> bool:
            is_meant = (fault.kind is Kind.REFUSE_TOKEN) is tokens and fault.hub in {None, hub}
            return is_meant and fault.holding.encode() in payload

        return self.consume(concerned)
