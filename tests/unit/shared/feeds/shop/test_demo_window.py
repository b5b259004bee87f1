"""What the demo's window of the shop holds: it is short, and yet there is something to alert of."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.scenario import LENGTH, SLICE, make_scenario
from shared.feeds.feed import Position
from shared.feeds.shop.feed import FEED, SETTINGS, VIPS
from shared.feeds.shop.truth import pageviews_after_low_stars, pageviews_vip

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SAMPLE = {"FEEDS": "shop", "METRICS_TABLES": "{}"}


@pytest.fixture
def options():
    given = make_scenario(SAMPLE, None).app_settings(NOON)
    return {one.name: one.read(given.get(one.name, one.default or "")) for one in SETTINGS}


def window(shop, start, options):
    """Draw the slices of a window; gives its views and stars."""
    name, batches = f"shop-{start:%Y%m%dT%H%M%SZ}", []
    for number in range(LENGTH // SLICE):
        began = round((start + number * SLICE).timestamp() * 1_000_000)
        count = round(FEED.rate * SLICE.total_seconds())
        batches.append(shop.draw(Position(name, number, 0, count, began, FEED.rate, options)))
    return [
        [json.loads(line) for batch in batches for line in batch[stream].lines.to_pylist()]
        for stream in ("pageviews", "stars")
    ]


@pytest.mark.parametrize("minutes", range(0, 300, 15))
def test_somebody_looks_at_a_page_after_low_stars_and_so_does_a_vip(shop, options, minutes):
    views, stars = window(shop, NOON + timedelta(minutes=minutes), options)

    vips = [{"id": number + 1} for number in range(options[VIPS.name])]
    assert pageviews_after_low_stars(views, stars)
    assert pageviews_vip(views, vips)
