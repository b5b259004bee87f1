"""Which views of the web shop's pages raise an alert: slow ones, those of VIPs, and those soon after low stars.

The lakehouse's gold tables of the same names hold the same views. An alert depends on its view, its stars and the list
of VIPs alone, so whoever finds it first, and however often, it is the same one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

type ViewAlertKind = Literal["pageviews_high_latency", "pageviews_vip", "pageviews_after_low_stars"]

KINDS: Final[tuple[ViewAlertKind, ...]] = get_args(ViewAlertKind.__value__)

SLOW: Final = 2_000
"""Milliseconds; a view that took longer is of high latency."""

LOW_STARS: Final = 3
"""Fewer stars than these are low."""

AFTER_LOW_STARS: Final = timedelta(minutes=10)
"""For so long after low stars each view of their user raises an alert, the first and the last instant included."""


@dataclass(frozen=True, slots=True)
class View:
    """A look of a user at a page. latency: in milliseconds. viewed_at: with its zone."""

    view_id: str
    user_id: int
    viewed_at: datetime
    latency: int


@dataclass(frozen=True, slots=True)
class Star:
    """The stars that a user gave once. starred_at: with its zone."""

    star_id: str
    user_id: int
    starred_at: datetime
    stars: int


@dataclass(frozen=True, slots=True)
class ViewAlert:
    """One view that raises an alert of a kind; star: the low stars before it, where it is of that kind."""

    kind: ViewAlertKind
    view: View
    star: Star | None = None

    @property
    def id(self) -> str:
        """Name the alert among those of its kind."""
        return f"{self.view.view_id}|{self.star.star_id}" if self.star else self.view.view_id


def of_slow_views(views: Iterable[View]) -> list[ViewAlert]:
    """Give the alerts of views that took too long."""
    return [ViewAlert("pageviews_high_latency", one) for one in views if one.latency > SLOW]


def of_vips(views: Iterable[View], vips: Collection[int]) -> list[ViewAlert]:
    """Give the alerts of views of VIPs."""
    return [ViewAlert("pageviews_vip", one) for one in views if one.user_id in vips]


def after_low_stars(views: Iterable[View], stars: Iterable[Star]) -> list[ViewAlert]:
    """Give the alerts of views soon after low stars of their users, one for each view and stars."""
    low: defaultdict[int, list[Star]] = defaultdict(list)
    for star in low_of(stars):
        low[star.user_id].append(star)
    return [
        ViewAlert("pageviews_after_low_stars", view, star)
        for view in views
        for star in low.get(view.user_id, ())
        if timedelta() <= view.viewed_at - star.starred_at <= AFTER_LOW_STARS
    ]


def low_of(stars: Iterable[Star]) -> list[Star]:
    """Give the low ones among stars."""
    return [one for one in stars if one.stars < LOW_STARS]
