"""What goes wrong on demand: the faults that requests can meet."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from emulators.cosmos.partitions import hash_of, share_of
from emulators.cosmos.refusals import Refusal, on_demand, throttled
from emulators.faults import FaultQueue, Limits

Kind = Literal[
    "away", "lost_answer", "slow", "too_many_requests", "unavailable", "gone", "retry_with", "timeout", "error",
    "refuse_tokens",
]  # fmt: skip
_ANSWERS: Final[Mapping[Kind, tuple[int, Mapping[str, Any]]]] = {
    "unavailable": (503, {"code": "ServiceUnavailable", "message": "Service is currently unavailable."}),
    "gone": (410, {"code": "Gone", "message": "The requested resource is no longer available.", "substatus": 1008}),
    "retry_with": (449, {"code": "RetryWith", "message": "Conflicting request to resource has been attempted."}),
    "timeout": (408, {"code": "RequestTimeout", "message": "The operation did not complete in time."}),
    "error": (500, {"code": "InternalServerError", "message": "Unknown server error occurred."}),
}
_BEFORE: Final[tuple[Kind, ...]] = ("too_many_requests", *_ANSWERS)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; it concerns the next `count` requests, or those of the next `seconds`, or both.

    `away` cuts the connection of any request, `slow` answers it `delay` seconds later, `refuse_tokens` takes it for
    unauthorized. All others concern requests for items: `too_many_requests` (429 with `retry_after_ms`), `unavailable`
    (503), `gone` (410), `retry_with` (449), `timeout` (408) and `error` (500) answer so and change nothing;
    `lost_answer` does what was asked and then cuts the connection. `share`: only requests of that part of all partition
    keys meet it, always the same ones, by the hash of the key.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    delay: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    retry_after_ms: Annotated[int, msgspec.Meta(ge=0)] = 100

    def __post_init__(self) -> None:
        """Refuse a fault without an end."""
        if self.count is None and self.seconds is None:
            raise ValueError("Give `count` (how many requests) or `seconds` (for how long), or both.")

    @property
    def limits(self) -> Limits:
        """Hold for a count, a time, or both."""
        return Limits(count=self.count, seconds=self.seconds)

    def refusal(self) -> Refusal:
        """Give the answer of a kind that changes nothing."""
        if self.kind == "too_many_requests":
            return throttled(self.retry_after_ms)
        return on_demand(*_ANSWERS[self.kind])


class Faults(FaultQueue[Fault]):
    """The faults of one account."""

    def take(self, kind: Kind, key: str | None = None) -> Fault | None:
        """Give the first fault of a kind that concerns a request with this partition key, and count it."""
        return self.consume(lambda fault: fault.kind == kind and _concerns(fault, key))

    def refuse(self, key: str | None) -> None:
        """Raise the Refusal of the first fault that keeps a request for items from having an effect."""
        fault = self.consume(lambda fault: fault.kind in _BEFORE and _concerns(fault, key))
        if fault is not None:
            raise fault.refusal()


def _concerns(fault: Fault, key: str | None) -> bool:
    return fault.share == 1.0 or (key is not None and share_of(hash_of(key)) < fault.share)
