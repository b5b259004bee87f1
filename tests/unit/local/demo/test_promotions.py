"""Promotions from points to phones, compared and told."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from local.demo.promotions import check_promotions, print_promotions

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def promotion(phone, store=1, *, after=0.5):
    record = {
        "id": f"{phone}/s{store}/20261122",
        "appid": phone,
        "point_time": NOON.isoformat(),
        "metres": 87.4,
        "merchant": "Bakery",
        "location": "Brno",
    }
    return record, NOON + timedelta(seconds=after)


def inboxes(*shown, repeats=0):
    found = {}
    for phone, store, after in shown:
        at = (NOON + timedelta(seconds=after)).isoformat()
        one = {"id": f"{phone}/s{store}/20261122", "at": at, "data": {"title": "20 % at Bakery"}}
        found.setdefault(phone, []).append(one)
    return {"inboxes": found, "repeats": repeats}


def printed(check):
    console = Console(file=io.StringIO(), width=80)
    print_promotions(console, check, "http://127.0.0.1:20015/")
    return console.file.getvalue()


def test_promotions_that_their_users_phones_show_have_no_problem():
    check = check_promotions([promotion("a"), promotion("b")], inboxes(("a", 1, 1.0), ("b", 1, 2.0)))

    assert check.problems == ()


def test_a_promotion_that_came_to_its_hub_twice_is_one_since_it_was_first_there():
    check = check_promotions([promotion("a", after=0.5), promotion("a", after=3)], inboxes(("a", 1, 1.0), repeats=1))

    assert [one.sent_at for one in check.promotions] == [NOON + timedelta(seconds=0.5)]
    assert (check.again, check.problems) == (1, ())


def test_a_promotion_on_another_phone_is_on_none():
    check = check_promotions([promotion("a")], inboxes(("b", 1, 1.0)))

    assert check.problems == ("1 promotions are on no phone, such as ['a/s1/20261122']",)


def test_a_phone_that_shows_what_was_not_promoted_is_a_problem():
    check = check_promotions([promotion("a")], inboxes(("a", 1, 1.0), ("a", 2, 1.0)))

    assert check.problems == ("the phones show 2 promotions, 1 are on the hub",)


def test_points_that_became_no_promotion_are_a_problem():
    assert check_promotions([], inboxes()).problems == ("no point became a promotion",)


def test_counts_times_and_one_promotion_are_told():
    sent = [promotion("a", after=0.5), promotion("b", after=1.5)]

    text = printed(check_promotions(sent, inboxes(("a", 1, 1.0), ("b", 1, 3.0))))

    assert "shown by phones                    2" in text
    assert "seconds from point to hub, p50, p95 1.0, 1.4" in text
    assert (
        "One of them: at 12:00:00.000000 phone b was 87 m from Bakery in Brno."
        " After 1.5 s its promotion was on the hub,"
        ' after 3.0 s the phone showed "20 % at Bakery".'
    ) in text


def test_where_nothing_is_shown_what_is_wrong_is_told():
    text = printed(check_promotions([promotion("a")], inboxes()))

    assert "WRONG promotions: 1 promotions are on no phone" in text
    assert "One of them" not in text
