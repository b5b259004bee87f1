"""From promotions to phones: each is pushed to its user's device at least once, or is dead with the reason."""

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
from shared.domain.delivery import Event
from shared.domain.failures import FailureKind
from shared.domain.notifications import Notification
from shared.errors import CorruptRow, DeviceGone, IngestionError, ServiceRefused
from shared.flows.hub_records import read_records
from shared.promotions.notices import PROMOTIONS, PromotionNotice, read_notice

logger = logging.getLogger(__name__)

SIDE_BY_SIDE: Final = 16
"""So many pushes are under way at once."""

ENDED, GONE = "ended", "gone"


@dataclass(frozen=True, slots=True)
class PushTools:
    """What pushing needs of the world."""

    service: PushService
    users: SingleUsers
    dead: DeadPromotions
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a promotion: `delivered`, or the reason for which it is dead, or the failure that may pass."""

    body: bytes
    reason: str = ""
    failure: IngestionError | None = None


def push_promotions(tools: PushTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Push a batch; gives what became of it by count.

    Raises the first failure that may pass, when all the others are settled: then the batch comes again, and what was
    pushed already is pushed again under its id. What no push can cure is kept as dead, and never stops a batch.
    """
    read = read_records(events, {PROMOTIONS: lambda line, _: (line, read_notice(line))})
    for body, reason in read.dead:
        tools.dead.keep(body, reason, tools.clock())
    outcomes = telemetry.in_threads(lambda one: _settle(tools, *one), read.records, most=SIDE_BY_SIDE)
    reasons = read.refused + Counter(one.reason.partition(":")[0] for one in outcomes if one.reason)
    failures = [one.failure for one in outcomes if one.failure]
    counts = {
        "delivered": sum(not one.reason and not one.failure for one in outcomes),
        "pending": len(failures),
        **{f"dead_{reason}": count for reason, count in sorted(reasons.items())},
    }
    telemetry.info(logger, "promotions.pushed", **counts)
    if failures:
        raise failures[0]
    return counts


def _settle(tools: PushTools, body: bytes, promotion: PromotionNotice) -> _Outcome:
    try:
        reason = _push(tools, promotion)
        if reason:
            tools.dead.keep(body, reason, tools.clock())
    except IngestionError as failure:
        return _Outcome(body, failure=failure)
    return _Outcome(body, reason)


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
        return f"refused: {error}"
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
