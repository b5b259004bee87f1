"""From promotions to phones: each is pushed to its user's device at least once, or is dead with the reason.

What became of each is told on the hub of deliveries, so that the lakehouse knows it too.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared import telemetry
from shared.clients.notification_hubs.hub import PushService
from shared.clients.storage.dead_promotions import DeadPromotions
from shared.clients.storage.promotion_users import SingleUsers
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.domain.notifications import Notification
from shared.errors import CorruptRow, DeviceGone, IngestionError, ServiceRefused
from shared.flows.hub_records import read_records
from shared.promotions.notices import DELIVERIES, PROMOTIONS, PromotionNotice, read_notice, write_delivery

logger = logging.getLogger(__name__)

SIDE_BY_SIDE: Final = 16
"""So many pushes are under way at once."""

DELIVERED, ENDED, GONE, REFUSED = "delivered", "ended", "gone", "refused"


@dataclass(frozen=True, slots=True)
class PushTools:
    """What pushing needs of the world. send: delivers to the hub of deliveries, as a `Sender` does."""

    service: PushService
    users: SingleUsers
    dead: DeadPromotions
    send: Callable[[Sequence[Event]], Delivery]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Read:
    """A promotion, its line, and the slice of its point."""

    line: bytes
    slice: str
    notice: PromotionNotice


@dataclass(frozen=True, slots=True)
class _Settled:
    """A promotion that was delivered, or is dead for a reason."""

    promotion: _Read
    reason: str

    @property
    def outcome(self) -> str:
        return self.reason.partition(":")[0] or DELIVERED


def push_promotions(tools: PushTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Push a batch and tell what became of it; gives that by count.

    Raises the first failure that may pass, when all the others are settled and told: then the batch comes again, and
    what was pushed already is pushed again under its id. What no push can cure is dead, and never stops a batch.
    """
    read = read_records(events, {PROMOTIONS: _read})
    for body, reason in read.dead:
        tools.dead.keep(body, reason, tools.clock())
    outcomes = telemetry.in_threads(lambda one: _settle(tools, one), read.records, most=SIDE_BY_SIDE)
    settled = [one for one in outcomes if isinstance(one, _Settled)]
    failures = [one for one in outcomes if isinstance(one, IngestionError)]
    tools.send([_report(one, tools.clock()) for one in settled])
    counts = _counts(read.refused, settled, pending=len(failures))
    telemetry.info(logger, "promotions.pushed", **counts)
    if failures:
        raise failures[0]
    return counts


def _read(line: bytes, event: Event) -> _Read:
    return _Read(line, str(event.properties.get("slice", "")), read_notice(line))


def _counts(refused: Counter[str], settled: Sequence[_Settled], pending: int) -> dict[str, int]:
    outcomes = Counter(one.outcome for one in settled)
    dead = refused + outcomes
    del dead[DELIVERED]
    counts = {"delivered": outcomes[DELIVERED], "pending": pending}
    return counts | {f"dead_{reason}": count for reason, count in sorted(dead.items())}


def _report(settled: _Settled, now: datetime) -> Event:
    """Make the event that tells of a promotion; it is of the slice of its point, like the promotion."""
    notice = settled.promotion.notice
    properties = {"contract": DELIVERIES, "slice": settled.promotion.slice}
    return Event(write_delivery(notice, settled.outcome, now), 1, properties, partition_key=notice.appid)


def _settle(tools: PushTools, promotion: _Read) -> _Settled | IngestionError:
    """Settle a promotion, or give the failure that may pass."""
    try:
        reason = _push(tools, promotion.notice)
        if reason:
            tools.dead.keep(promotion.line, reason, tools.clock())
    except IngestionError as failure:
        return failure
    return _Settled(promotion, reason)


def _push(tools: PushTools, promotion: PromotionNotice) -> str:
    """Push; gives the reason for which this promotion never will be, or nothing."""
    now = tools.clock()
    if promotion.valid_until <= now:
        return ENDED
    if _is_gone(tools, promotion.appid):
        return GONE
    try:
        tools.service.push(_notification(promotion))
    except DeviceGone:
        tools.users.change(promotion.appid, lambda user: replace(user, gone_at=user.gone_at or now))
        return GONE
    except ServiceRefused as error:
        if error.kind is not FailureKind.REJECTED:
            raise
        return f"{REFUSED}: {error}"
    return ""


def _is_gone(tools: PushTools, appid: str) -> bool:
    try:
        return tools.users.read(appid).gone_at is not None
    except CorruptRow as error:
        telemetry.warning(logger, "promotions.user_unreadable", cause=error)
        return False


def _notification(promotion: PromotionNotice) -> Notification:
    return Notification(
        id=promotion.id,
        device=promotion.appid,
        title=f"{promotion.discount_percent} % at {promotion.merchant}",
        text=promotion.location,
        valid_until=promotion.valid_until,
    )
