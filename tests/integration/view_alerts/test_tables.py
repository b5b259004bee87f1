"""The contract of views, low stars and alerts about views: what holds for Azure Tables must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.recent_views import TableRecentViews
from shared.clients.storage.tables import MOST_TOGETHER, Query
from shared.clients.storage.view_alerts import TableViewAlerts
from shared.domain.view_alerts import Star, View, ViewAlert
from shared.errors import Unavailable

SLOW, PAIR = "pageviews_high_latency", "pageviews_after_low_stars"
days = itertools.count()


@pytest.fixture
def recent(store):
    return TableRecentViews(store)


@pytest.fixture
def alerts(store):
    return TableViewAlerts(store)


@pytest.fixture
def noon():
    """Give each test a day of its own, later than those before."""
    return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(days=next(days))


def entity(row, partition="p"):
    return {"PartitionKey": partition, "RowKey": row}


def view(noon, number=1, user=7, minutes=0.0, latency=200):
    return View(f"v{number}-{noon:%d}", user, noon + timedelta(minutes=minutes), latency)


def star(noon, number=1, user=7, minutes=0.0, stars=1):
    return Star(f"s{number}-{noon:%d}", user, noon + timedelta(minutes=minutes), stars)


def test_rows_are_inserted_together_or_not_at_all(store, noon):
    table = f"together{noon:%m%d}"

    answers = [store.insert_together(table, [entity("a"), entity("b")])]
    answers.append(store.insert_together(table, [entity("c"), entity("b")]))

    assert answers == [True, False]
    assert [one["RowKey"] for one in store.query(table, Query("p"))] == ["a", "b"]


@pytest.mark.parametrize(
    "rows", [[entity("a"), entity("a")], [entity("a"), entity("b", "q")]], ids=["a key twice", "two partitions"]
)
def test_rows_that_no_transaction_bears_are_refused(store, rows):
    with pytest.raises((Unavailable, ValueError)):
        store.insert_together("refused", rows)


def test_as_many_rows_as_a_transaction_bears_are_inserted(store, noon):
    assert store.insert_together(f"most{noon:%m%d}", [entity(str(number)) for number in range(MOST_TOGETHER)])


def test_of_many_who_insert_the_same_rows_at_once_one_does(store, noon):
    table = f"race{noon:%m%d}"

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: store.insert_together(table, [entity("a"), entity("b")]), range(12)))

    assert answers.count(True) == 1


def test_views_of_the_stars_user_are_found_and_few_others(recent, noon):
    near = [view(noon, 1), view(noon, 2, minutes=9.9), view(noon, 3, minutes=10)]
    recent.add_views([*near, view(noon, 4, user=77), view(noon, 5, minutes=25), view(noon, 6, minutes=-15)])

    found = recent.views_after([star(noon)])

    assert sorted(found, key=lambda one: one.view_id) == near


def test_stars_before_views_are_found_whatever_border_lies_between(recent, noon):
    given = [star(noon, 1, minutes=-10), star(noon, 2, minutes=-0.1), star(noon, 3)]
    recent.add_stars([*given, star(noon, 4, minutes=-25), star(noon, 5, minutes=15)])

    found = recent.stars_before([view(noon), view(noon, 2, minutes=0.5)])

    assert sorted(found, key=lambda one: one.star_id) == given


def test_nothing_is_found_where_nothing_is_asked_for(recent):
    recent.add_views([])
    recent.add_stars([])

    assert (recent.views_after([]), recent.stars_before([])) == ([], [])


def test_hundreds_of_views_are_kept_once_though_some_come_again(recent, noon):
    views = [view(noon, number, user=7, minutes=number / 60) for number in range(250)]
    recent.add_views(views[:120])
    recent.add_views([*views, *views[:30]])

    assert len(recent.views_after([star(noon, minutes=-5)])) == 250


def test_what_is_older_is_forgotten_the_rest_stays_and_so_many_go_at_once(store, noon):
    recent = TableRecentViews(store)
    recent.forget(noon, 1_000_000)
    for number in range(5):
        recent.add_views([view(noon, number, user=number)])
    recent.add_views([view(noon, 9, minutes=10)])
    recent.add_stars([star(noon), star(noon, 2, minutes=10)])

    asked = ((9, 9), (19, 3), (19, 9))
    forgotten = [recent.forget(noon + timedelta(minutes=later), most) for later, most in asked]

    assert forgotten == [0, 4, 2]
    assert [one.view_id for one in recent.views_after([star(noon, minutes=5)])] == [view(noon, 9).view_id]
    assert [one.star_id for one in recent.stars_before([view(noon, minutes=15)])] == [star(noon, 2).star_id]


def test_alerts_are_read_as_they_were_added_those_of_the_oldest_views_first(alerts, noon):
    slow = [ViewAlert(SLOW, view(noon, number, minutes=-number, latency=3000)) for number in range(3)]
    pair = ViewAlert(PAIR, view(noon), star(noon, minutes=-1))

    alerts.add([*slow, pair], noon)

    own = [one for one in alerts.unmailed(SLOW, 10_000) if one in slow]
    assert own == slow[::-1]
    assert pair in alerts.unmailed(PAIR, 10_000)


def test_an_alert_that_is_added_again_is_there_once_and_stays_as_it_was(store, alerts, noon):
    alert = ViewAlert("pageviews_vip", view(noon, 1))
    alerts.add([alert, alert], noon)
    alerts.note_mailed("pageviews_vip", [alert], noon)

    alerts.add([ViewAlert("pageviews_vip", view(noon, 2)), alert], noon + timedelta(hours=1))

    rows = store.query("viewalerts", Query("pageviews_vip", f"alert|{noon:%Y%m%d}", f"alert|{noon:%Y%m%d}~"))
    assert [one["view_id"] for one in rows] == [view(noon).view_id, view(noon, 2).view_id]
    assert [one["raised_at"] for one in rows] == [noon.isoformat(), (noon + timedelta(hours=1)).isoformat()]
    assert [one.view.view_id for one in alerts.unmailed("pageviews_vip", 10_000)][-1:] == [view(noon, 2).view_id]
    assert alerts.mailed_at("pageviews_vip") == noon


def test_hundreds_of_alerts_are_told_at_once(alerts, noon):
    added = [ViewAlert(SLOW, view(noon, number, latency=3000)) for number in range(130)]
    alerts.add(added, noon)

    unmailed = alerts.unmailed(SLOW, 10_000)
    alerts.note_mailed(SLOW, unmailed, noon)

    assert set(added) <= set(unmailed)
    assert alerts.unmailed(SLOW, 10_000) == []


def test_old_alerts_are_forgotten_told_or_not(store, noon):
    alerts = TableViewAlerts(store)
    alerts.forget(noon, 1_000_000)
    old, told, new = (ViewAlert(SLOW, view(noon, number, minutes=number)) for number in range(3))
    alerts.add([old, told, new], noon)
    alerts.note_mailed(SLOW, [told], noon)

    assert alerts.forget(noon + timedelta(minutes=2), 1000) == 3

    assert alerts.unmailed(SLOW, 10_000) == [new]
    assert alerts.mailed_at(SLOW) == noon


def test_a_row_that_can_not_be_read_costs_no_other(store, recent, noon):
    recent.add_stars([star(noon)])
    store.insert_together("recentlowstars", [{"PartitionKey": f"{noon:%Y%m%dT%H%M}", "RowKey": "odd", "version": 1}])

    assert recent.stars_before([view(noon)]) == [star(noon)]
