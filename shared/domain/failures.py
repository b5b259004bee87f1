"""What a failure of an outside system means for what was asked of it."""

from enum import Enum, auto


class FailureKind(Enum):
    """The meaning of a failure, whatever words a service has for it."""

    THROTTLED = auto()  # overloaded: wait as asked, or longer than usual, and ask again on the same connection
    UNAVAILABLE = auto()  # no answer, a broken connection or an error of its own: ask again, on a new connection
    UNAUTHORIZED = auto()  # the identity is not accepted, or may not do this
    REJECTED = auto()  # this one message or record will never be taken; its neighbours may
    PERMANENT = auto()  # no such thing, or a peer that is not trusted: asking again is no use

    @property
    def may_pass(self) -> bool:
        """Say whether the same request may succeed later."""
        return self in {FailureKind.THROTTLED, FailureKind.UNAVAILABLE}
