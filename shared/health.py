"""What of the app's connections is asked for its health, how, and what is not."""

import asyncio
from collections.abc import Mapping
from typing import Final

from shared import telemetry
from shared.connections import Connections
from shared.errors import FeedUnusable
from shared.flows.look_at_health import Check, Health

_NEVER: Final = "health-20000101T000000Z"
"""No window's id, and no blob's name: reading it costs one small request."""

_SQL: Final = "a serverless database would never pause; measurements and alerts say when it is away"
_EVENT_GRID: Final = "a topic can be asked nothing without publishing an event"


def health_of(app: Connections) -> Health:
    """Give what looks at the health of an app with these connections; what is not set is not named."""
    checks: dict[str, Check] = {
        "feeds": lambda: _feeds(app),
        "storage_tables": lambda: telemetry.in_thread(app.ledger.window, _NEVER),
        "storage_blobs": lambda: telemetry.in_thread(app.reference.has, _NEVER),
        "event_hubs": lambda: _hubs(app),
    }
    if app.settings.enrichment.databricks_host:
        checks["databricks"] = lambda: telemetry.in_thread(_find_jobs, app)
    return Health(checks, _not_asked(app), app.clock)


async def _feeds(app: Connections) -> None:
    if app.settings.unusable:
        raise FeedUnusable(" ".join(app.settings.unusable.values()))


async def _hubs(app: Connections) -> None:
    streams = (stream for each in app.settings.feeds.values() for stream in each.template.streams)
    hubs = dict.fromkeys(hub for stream in streams for hub in stream.hubs)
    await asyncio.gather(*(app.hubs.properties(hub) for hub in hubs))


def _find_jobs(app: Connections) -> None:
    for name in dict.fromkeys(each.job for each in app.settings.feeds.values() if each.job):
        app.jobs.find(name)


def _not_asked(app: Connections) -> Mapping[str, str]:
    enrichment = app.settings.enrichment
    reasons = {"sql": _SQL} if enrichment.sql_url else {}
    return reasons | ({"event_grid": _EVENT_GRID} if enrichment.topic_endpoint else {})
