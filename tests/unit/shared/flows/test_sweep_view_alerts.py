"""Forgetting views, low stars and alerts about views."""

from datetime import timedelta

from shared.clients.storage.tables import Query
from shared.flows import sweep_view_alerts as flow
from shared.flows.sweep_view_alerts import SweepTools, sweep_view_alerts
from tests.unit.shared.flows.shop_alerts import FRESH, NOON, World, star, view

KEEP = timedelta(days=7)


async def swept(world):
    return await sweep_view_alerts(SweepTools(world.recent, world.alerts, FRESH, KEEP, lambda: world.now))


def rows(world):
    names = ("recentviews", "recentlowstars", "viewalerts")
    return tuple(len(world.tables.query(name, Query())) for name in names)


async def test_what_may_still_be_followed_stays_and_the_rest_goes_the_state_before_the_alerts():
    world = World()
    world.views(*(view(number, latency=3000) for number in range(3)))
    world.stars(star(1))
    left = [rows(world)]

    for later in (FRESH + timedelta(minutes=10), FRESH + timedelta(minutes=20), KEEP, KEEP + timedelta(seconds=1)):
        world.now = NOON + later
        assert await swept(world) == []
        left.append(rows(world))

    assert left == [(1, 1, 12), (1, 1, 12), (0, 0, 12), (0, 0, 12), (0, 0, 0)]


async def test_a_sweep_goes_on_until_nothing_is_left_and_ends_when_time_is_up(monkeypatch):
    monkeypatch.setattr(flow, "MOST_SWEPT", 2)
    world = World()
    for number in range(9):
        world.views(view(number))
    world.now += timedelta(days=1)
    in_time = world.now

    def slow():
        world.now += timedelta(minutes=1)
        return world.now

    await sweep_view_alerts(SweepTools(world.recent, world.alerts, FRESH, KEEP, slow))
    part = rows(world)
    world.now = in_time
    await swept(world)

    assert (part[0], rows(world)[0]) == (5, 0)
