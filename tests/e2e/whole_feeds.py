"""Two feeds in one app with real Spark: the call centre, and payments over three hubs with Cosmos DB beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.platform.services import COSMOS_CONTAINER
from tests.e2e.enriching import Enrichment
from tests.e2e.running_app import Grid, RunningApp, running_app

PAYMENTS_RATE, CALLS_RATE, SECONDS = 400, 10, 15
PAYMENT_HUBS = ["payments-a", "payments-b", "card.payments_3"]
_FEEDS = ("payments", "call_centre")
_SETTINGS = {
    "FEEDS": ",".join(_FEEDS),
    "TRANSACTIONS_HUBS": ",".join(PAYMENT_HUBS),
    "TRANSACTIONS_COSMOS": COSMOS_CONTAINER,
    "PAYMENTS_RATE": str(PAYMENTS_RATE),
    "CALL_CENTRE_RATE": str(CALLS_RATE),
    **{
        f"{feed.upper()}_{name}": length
        for feed in _FEEDS
        for name, length in (
            ("SLICE_LENGTH", "00:00:10"),
            ("LEAD", "00:00:03"),
        )
    },
}


@dataclass
class WholeFeeds:
    """The app, and a window of each feed after its run."""

    enrichment: Enrichment
    ids: dict[str, str]

    @property
    def app(self) -> RunningApp:
        return self.enrichment.app

    def window(self, feed: str) -> dict[str, Any]:
        self.enrichment.ended(self.ids[feed], within=600)
        return self.app.window(self.ids[feed])


@contextmanager
def running_feeds(folder: Path) -> Iterator[WholeFeeds]:
    """Run the app and open a window of each feed, of two slices."""
    grid = Grid.beginning(datetime.now(UTC) + timedelta(hours=12), timedelta(days=1), timedelta(seconds=10))
    settings = _SETTINGS | grid.settings([feed.upper() for feed in _FEEDS])
    with running_app(folder, grid, settings, with_enrichment=True, with_cosmos=True) as app:
        yield WholeFeeds(Enrichment(app), {feed: app.open(feed, seconds=SECONDS)[0] for feed in _FEEDS})
