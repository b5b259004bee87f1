"""Deleting the users of promotions of whom nothing matters any more, partition by partition."""

from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.promotion_users import BUCKETS, PromotionUsers

SWEEP_EVERY: Final = timedelta(minutes=5)
"""As often as housekeeping ticks: each partition has its turn within a day."""

MOST_SWEPT: Final = 1000


async def sweep_users(users: PromotionUsers, now: datetime) -> list[str]:
    """Sweep the partition whose turn it is; it is nothing to tell a person."""
    turn = int(now.timestamp() / SWEEP_EVERY.total_seconds()) % BUCKETS
    await telemetry.in_thread(users.sweep, turn, now, MOST_SWEPT)
    return []
