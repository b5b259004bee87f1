"""Alerting of views on fakes: records in, rows out, and the rows that there must be."""

import json
from datetime import UTC, datetime, timedelta

from shared.clients.storage.fake import FakeDrawnFiles, FakeTables
from shared.clients.storage.recent_views import TableRecentViews
from shared.clients.storage.view_alerts import TableViewAlerts
from shared.domain.delivery import Event
from shared.domain.view_alerts import KINDS, Star, View
from shared.feeds.shop.feed import VIPS_PATH
from shared.feeds.shop.truth import pageviews_after_low_stars, pageviews_high_latency, pageviews_vip
from shared.flows.alert_of_views import ViewAlertTools, alert_of_stars, alert_of_views
from shared.flows.renewed_vips import renewed_vips

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FRESH = timedelta(hours=3)


class World:
    """Alerts on tables in memory; `now` is the clock of all instances, `vips` the list in the lake."""

    def __init__(self, tables=None, vips=()):
        self.now, self.tables, self.files = NOON, tables or FakeTables(), FakeDrawnFiles()
        self.alerts = TableViewAlerts(self.tables)
        self.recent = TableRecentViews(self.tables)
        self.list_vips(*vips)
        self.tools = self.instance()

    def list_vips(self, *vips, edition="a"):
        self.files.write(VIPS_PATH, edition, b"".join(b'{"id": %d}\n' % one for one in vips))

    def instance(self, recent=None):
        vips = renewed_vips(self.files, VIPS_PATH, lambda: self.now)
        return ViewAlertTools(recent or self.recent, self.alerts, vips, FRESH, lambda: self.now)

    def views(self, *records, tools=None):
        return alert_of_views(tools or self.tools, events("pageviews/1", records))

    def stars(self, *records, tools=None):
        return alert_of_stars(tools or self.tools, events("stars/1", records))

    @property
    def rows(self):
        """The rows of alerts by kind, each as the truth gives it as far as it goes, in the order of the truth."""
        found = {kind: self.alerts.unmailed(kind, 1_000_000) for kind in KINDS}
        assert all(len({one.id for one in some}) == len(some) for some in found.values())
        return {kind: sorted(map(row, some), key=key) for kind, some in found.items()}


def events(contract, records):
    return [Event(json.dumps(one, default=str).encode(), 1, {"contract": contract}) for one in records]


def row(alert):
    """Give an alert as a row of its gold table, without the columns that alerts do not have."""
    found = {"view_id": alert.view.view_id, "user_id": alert.view.user_id, "viewed_at": alert.view.viewed_at}
    found |= {"latency": alert.view.latency}
    if alert.star:
        found |= {"star_id": alert.star.star_id, "starred_at": alert.star.starred_at, "stars": alert.star.stars}
    return found


def key(one):
    return one["view_id"], one.get("star_id", "")


def truth(views, stars, vips):
    rows = {
        "pageviews_high_latency": pageviews_high_latency(views, []),
        "pageviews_vip": pageviews_vip(views, [{"id": one} for one in vips]),
        "pageviews_after_low_stars": pageviews_after_low_stars(views, stars),
    }
    return {kind: sorted(map(_as_alert, some), key=key) for kind, some in rows.items()}


def _as_alert(record):
    names = ("view_id", "user_id", "viewed_at", "latency", "star_id", "starred_at", "stars")
    return {
        name: datetime.fromisoformat(record[name]) if name.endswith("_at") else record[name]
        for name in names
        if name in record
    }


def view(number=1, user=1, latency=200, **after):
    return {
        "view_id": identifier(number, "a"), "viewed_at": (NOON + timedelta(**after)).isoformat(), "user_id": user,
        "http_method": "GET", "uri": "/p", "client_ip": "192.0.2.7", "user_agent": "Mozilla", "latency": latency,
    }  # fmt: skip


def star(number=1, user=1, stars=1, **after):
    at = (NOON + timedelta(**after)).isoformat()
    return {"star_id": identifier(number, "b"), "starred_at": at, "user_id": user, "stars": stars}


def identifier(number, letter):
    return f"{number:08d}-0000-8000-8000-{letter * 12}"


def kept_view(**changes):
    one = view(**changes)
    return View(one["view_id"], one["user_id"], datetime.fromisoformat(one["viewed_at"]), one["latency"])


def kept_star(**changes):
    one = star(**changes)
    return Star(one["star_id"], one["user_id"], datetime.fromisoformat(one["starred_at"]), one["stars"])
