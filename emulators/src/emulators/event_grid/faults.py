"""What goes wrong on demand: the faults that deliveries and publications can meet."""

from typing import Annotated, Literal

import msgspec

from emulators.faults import FaultQueue, Limits

Kind = Literal["duplicate", "out_of_order", "late", "lose_answer", "topic_down"]
_TIMED = "topic_down"
_USUAL_SECONDS = 5.0


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; seconds are real ones, whatever the time scale.

    `duplicate`: the next `count` deliveries are made twice. `out_of_order`: the next `count` are held and then made
    last first, after `seconds` even if fewer came. `late`: the next `count` begin `seconds` late. `lose_answer`: the
    answers of the next `count` attempts are lost, so that Event Grid tries again. `topic_down`: the topic answers 503
    for `seconds`. `subscription` narrows the first four.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    seconds: Annotated[float, msgspec.Meta(ge=0)] = _USUAL_SECONDS
    subscription: str | None = None

    @property
    def limits(self) -> Limits:
        """Hold for `seconds` where the topic is down, else for `count` deliveries."""
        return Limits(seconds=self.seconds) if self.kind == _TIMED else Limits(count=self.count)


class Faults(FaultQueue[Fault]):
    """The faults of one topic."""

    def take(self, kind: Kind, subscription: str) -> Fault | None:
        """Give the fault of this kind that one more delivery of a subscription meets, and count it."""
        return self.consume(lambda fault: fault.kind == kind and fault.subscription in {None, subscription})

    def is_topic_down(self) -> bool:
        """Say whether the topic answers 503 now."""
        return bool(self.holding(lambda fault: fault.kind == _TIMED))
