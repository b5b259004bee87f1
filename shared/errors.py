"""Every error that the app raises on purpose; the `kind` of each says what it means for the work that met it.

IngestionError
├── SettingsError        a setting is missing or malformed: an administrator mends it
├── RequestRejected      a caller asked for something it may not have: the caller mends its request
├── FeedRefused          the source will not serve us (unknown product, a recording that is away): no retry can cure it
├── FeedUnusable         a feed's own declaration or pool is broken: its windows can't be planned, those of others can
├── LoginRefused         an identity is denied access: no retry can cure it
├── JobRefused           Databricks will not do what it is asked (unknown job or run, parameters): no retry can cure it
├── CorruptRow           the ledger holds something that this version can't read
├── SpoiltBatch          a spilled batch is not what was kept, or this version can't read it
└── Unavailable          an outside system does not answer as it should: a retry may cure it
    ├── Unreachable      a venue can't be reached or can't serve now
    ├── Untrusted        a peer's certificate is not trusted: no retry can cure it
    ├── ServiceRefused   it understood and said no: no retry can cure it
    │   └── DeviceGone   a phone is not registered any more
    ├── Denied           it does not let this identity do what was asked
    └── SendFailed       records could not be delivered to their destination within the deadline
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind


def origin_of(fault: BaseException) -> str:
    """Say of which class a fault is and which of our lines raised it: `ValueError in choices.py, line 12`.

    Its text is left out: what fails over rows shows some of them, and these may be of people.
    """
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [one for one in frames if one.filename.endswith(".py") and "site-packages" not in one.filename]
    place = f" in {ours[-1].filename.rpartition('/')[2]}, line {ours[-1].lineno}" if ours else ""
    return f"{type(fault).__name__}{place}"


RejectionReason = Literal["invalid", "unknown", "conflict", "too_large", "unsupported"]
"""Why a request can't be granted: what it says, what it names, what is the case already, its size, or its format."""


class IngestionError(Exception):
    """Base of all of them; its text is for people, short, and holds no secret."""

    kind: FailureKind = FailureKind.PERMANENT


class SettingsError(IngestionError):
    """One or more app settings are missing or malformed; the text names all of them."""


@dataclass
class RequestRejected(IngestionError):
    """A request can't be granted: `code` is a stable word for programs, `field` the offending field or None."""

    reason: RejectionReason
    code: str
    message: str
    field: str | None = None

    @classmethod
    def of_field(
        cls, field: str, rule: str, *, reason: RejectionReason = "invalid", code: str = "invalid_field"
    ) -> Self:
        """Make the error for one field, worded `<field> <rule>.`."""
        return cls(reason, code, f"{field} {rule}.", field)

    def __str__(self) -> str:
        """Give the message alone."""
        return self.message


class FeedRefused(IngestionError):
    """A venue refused the subscription, in its own words, or a recording can't be replayed; the text says why."""


class FeedUnusable(IngestionError):
    """A feed can't be run as it is; the text names it and says what is wrong."""


class LoginRefused(IngestionError):
    """A service refused an identity; the text names the client id and what it wanted to reach."""

    kind = FailureKind.UNAUTHORIZED


class JobRefused(IngestionError):
    """Databricks refused a request about a job or a run; the text holds its own words."""


class CorruptRow(IngestionError):
    """A ledger row holds a value of another shape than this version writes."""


class SpoiltBatch(IngestionError):
    """A spilled batch is not what was kept, or this version can't read it; the text says why."""


class Unavailable(IngestionError):
    """An outside system did not answer, or answered that it can't serve now.

    throttled: it said that it is overloaded. retry_after: the seconds for which it wants to be left alone; 0 where it
    named none.
    """

    kind = FailureKind.UNAVAILABLE

    def __init__(self, text: str, *, throttled: bool = False, retry_after: float = 0.0) -> None:
        """Say what failed."""
        super().__init__(text)
        self.retry_after = retry_after
        if throttled:
            self.kind = FailureKind.THROTTLED


class Unreachable(Unavailable):
    """A venue can't be reached or can't serve now."""


class Untrusted(Unavailable):
    """A peer's certificate is signed by no authority of the CA bundle; only an administrator can cure it."""

    kind = FailureKind.PERMANENT


class ServiceRefused(Unavailable):
    """An outside system understood what it was asked and said no; the text holds its own words."""

    def __init__(self, text: str, kind: FailureKind = FailureKind.PERMANENT) -> None:
        """Say who refused what."""
        super().__init__(text)
        self.kind = kind


class DeviceGone(ServiceRefused):
    """A device is not registered any more: nothing will reach it under its handle."""


class Denied(Unavailable):
    """An outside system does not let this identity do what was asked; only an administrator can cure it."""

    kind = FailureKind.UNAUTHORIZED


class SendFailed(Unavailable):
    """Records were not delivered within the deadline, whatever was tried; `delivery` is what became of the rest.

    Records that are counted nowhere in `delivery` were never stored. unsettled: the events that were neither accepted
    nor refused, in their order; a hub's sender names them, and they have all records that `delivery` does not count, or
    counts as unknown. kind, retry_after: those of the last failure.
    """

    def __init__(
        self,
        message: str,
        delivery: Delivery | None = None,
        *,
        kind: FailureKind = FailureKind.UNAVAILABLE,
        retry_after: float = 0.0,
        unsettled: Sequence[Event] = (),
    ) -> None:
        """Keep what was delivered before the failure; nothing where not given."""
        super().__init__(message, retry_after=retry_after)
        self.kind = kind
        self.delivery = delivery or Delivery()
        self.unsettled = unsettled

    def after(self, delivery: Delivery) -> Self:
        """Give the same failure of a send that had delivered something before."""
        return type(self)(
            str(self),
            delivery + self.delivery,
            kind=self.kind,
            retry_after=self.retry_after,
            unsettled=self.unsettled,
        )
