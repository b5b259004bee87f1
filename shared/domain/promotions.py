"""Promotions for users who are near a store."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion that a user may get, for a point near its store. at: the point's time."""

    appid: str
    store_id: str
    promotion_id: str
    discount_percent: int
    metres: float
    at: datetime
    valid_until: datetime
