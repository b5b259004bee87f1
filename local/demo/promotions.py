"""What the demo shows of promotions: how they came from the points of phones to the phones, and one of them in full."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

import aiohttp
from rich.console import Console

from local.demo.display import print_columns, print_problems
from local.demo.hub_reader import read_events
from local.demo.polling import get_json
from local.platform.running import Running
from local.platform.services import NOTIFICATION_HUBS

_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion on its hub, since `sent_at`, and when its user's phone showed it; None where it did not yet."""

    record: Mapping[str, Any]
    sent_at: datetime
    displayed_at: datetime | None
    title: str = ""

    @property
    def id(self) -> str:
        """Name it: what comes twice has one id."""
        return str(self.record["id"])

    @property
    def point_at(self) -> datetime:
        """Give the time of the point for which it was made."""
        return datetime.fromisoformat(self.record["point_time"])


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """The promotions of the demo, and what is wrong with them."""

    promotions: Sequence[Promotion]
    again: int
    problems: tuple[str, ...]


async def follow_promotions(running: Running, hub: str, deadline: float) -> PromotionCheck:
    """Wait until the phones show all promotions that are on their hub, or `deadline` seconds; tell what is there."""
    until = asyncio.get_running_loop().time() + deadline
    while True:
        found = await _found(running, hub)
        if not found.problems or asyncio.get_running_loop().time() >= until:
            return found
        await asyncio.sleep(_EVERY_SECONDS)


async def _found(running: Running, hub: str) -> PromotionCheck:
    connection = running.event_hubs_settings("Receiver")
    events = await read_events(connection, running.state.authority, hub)
    async with aiohttp.ClientSession() as session:
        phones = await get_json(session, f"{running.addresses[NOTIFICATION_HUBS]['admin']}/inboxes")
    sent = [(json.loads(event.body_as_str()), event.enqueued_time) for event in events]
    return check_promotions([(record, at) for record, at in sent if at], phones)


def check_promotions(sent: Sequence[tuple[Mapping[str, Any], datetime]], phones: Mapping[str, Any]) -> PromotionCheck:
    """Compare the promotions on the hub, with when they were there, with what the phones' inboxes show."""
    displayed = {(phone, one["id"]): one for phone, inbox in phones["inboxes"].items() for one in inbox}
    promotions = {record["id"]: _promotion(record, at, displayed) for record, at in reversed(sent)}
    waiting = [one.id for one in promotions.values() if one.displayed_at is None]
    checks = {
        "no point became a promotion": bool(promotions),
        f"{len(waiting)} promotions are on no phone, such as {waiting[:3]}": not waiting,
        f"the phones show {len(displayed)} promotions, {len(promotions)} are on the hub": len(displayed)
        <= len(promotions),
    }
    problems = tuple(problem for problem, holds in checks.items() if not holds)
    return PromotionCheck(tuple(reversed(promotions.values())), phones["repeats"], problems)


def print_promotions(console: Console, check: PromotionCheck, inboxes: str) -> None:
    """Print how many there are and how long they took, and one from its point to its phone. inboxes: the page's URL."""
    print_columns(console, "From points to phones", [("promotions", _numbers(check))])
    print_problems(console, [("promotions", check.problems)])
    displayed = sorted((one.displayed_at - one.point_at, one.id, one) for one in check.promotions if one.displayed_at)
    if displayed:
        console.print(_sentence_of(displayed[len(displayed) // 2][-1]), highlight=False, soft_wrap=True, markup=False)
        console.print(f"While the platform runs, each phone's inbox is at {inboxes}", highlight=False, soft_wrap=True)


def _promotion(
    record: Mapping[str, Any], at: datetime, inboxes: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Promotion:
    displayed = inboxes.get((record["appid"], record["id"]))
    if displayed is None:
        return Promotion(record, at, None)
    return Promotion(record, at, datetime.fromisoformat(displayed["at"]), displayed["data"]["title"])


def _numbers(check: PromotionCheck) -> dict[str, str]:
    displayed = [one for one in check.promotions if one.displayed_at]
    return {
        "promotions on their hub": str(len(check.promotions)),
        "shown by phones": str(len(displayed)),
        "phones": str(len({one.record["appid"] for one in displayed})),
        "came to a phone again, not shown": str(check.again),
        "seconds from point to hub, p50, p95": _percentiles([one.sent_at - one.point_at for one in check.promotions]),
        "seconds from point to phone, p50, p95": _percentiles(
            [one.displayed_at - one.point_at for one in displayed if one.displayed_at]
        ),
    }


def _percentiles(lengths: Sequence[timedelta]) -> str:
    if len(lengths) < 2:  # noqa: PLR2004 - quantiles need two
        return ", ".join(f"{one.total_seconds():.1f}" for one in lengths) or "-"
    parts = quantiles((one.total_seconds() for one in lengths), n=20, method="inclusive")
    return f"{parts[9]:.1f}, {parts[18]:.1f}"


def _sentence_of(one: Promotion) -> str:
    record, displayed_at = one.record, one.displayed_at or one.sent_at
    hub, phone = (f"{(at - one.point_at).total_seconds():.1f} s" for at in (one.sent_at, displayed_at))
    return (
        f"One of them: at {one.point_at:%H:%M:%S.%f} phone {record['appid']} was {record['metres']:.0f} m from"
        f" {record['merchant']} in {record['location']}. After {hub} its promotion was on the hub, after {phone}"
        f' the phone showed "{one.title}".'
    )
