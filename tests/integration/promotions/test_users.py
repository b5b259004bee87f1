"""The contract of the users of promotions: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.fake import FakeTables
from shared.clients.storage.promotion_users import BUCKETS, PromotionUser, TablePromotionUsers
from shared.domain.promotions import Candidate, Given, Rules, Sent, decide

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEEP = timedelta(hours=25)
apps = (f"app/{number} #?" for number in itertools.count())


@pytest.fixture
def users(store):
    return TablePromotionUsers(store, KEEP)


def sent(store, minutes=0):
    return Sent(store, f"of-{store}", NOON + timedelta(minutes=minutes))


def give(users, app, *given):
    users.change(app, lambda user: PromotionUser(Given((*user.given.sent, *given)), user.gone_at))


def swept(users, now, most=1000):
    return sum(users.sweep(bucket, now, most) for bucket in range(BUCKETS))


def test_a_user_of_whom_nothing_is_known_has_got_nothing(users):
    assert users.read(next(apps)) == PromotionUser()


def test_what_a_user_got_and_that_its_device_is_gone_are_read_as_they_were_written(users):
    app = next(apps)
    user = PromotionUser(Given((sent("ä"), sent("b", 1))), NOON)

    users.change(app, lambda _: user)

    assert users.read(app) == user
    assert users.read(next(apps)) == PromotionUser()


def test_a_change_is_made_of_what_is_there(users):
    app = next(apps)

    give(users, app, sent("a"))
    give(users, app, sent("b"))

    assert [one.store_id for one in users.read(app).given.sent] == ["a", "b"]


def test_writers_side_by_side_never_exceed_the_cap(users):
    app, rules = next(apps), Rules(cap=3)
    promoted = []

    def promote(number):
        at = NOON + timedelta(minutes=number)
        candidate = Candidate(app, f"store-{number}", f"p-{number}", 10, 1.0, at, at + timedelta(hours=1))
        last = []

        def change(user):
            last[:] = [decide([candidate], user.given, rules)]
            return PromotionUser(last[0].given)

        users.change(app, change)
        promoted.extend(last[0].promoted)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(promote, range(12)))

    assert len(promoted) == 3
    assert {one.store_id for one in promoted} == {one.store_id for one in users.read(app).given.sent}


def test_who_is_overtaken_decides_again_on_what_the_other_wrote(users):
    app, seen = next(apps), []
    give(users, app, sent("a"))

    def slow(user):
        seen.append([one.store_id for one in user.given.sent])
        if len(seen) == 1 and not isinstance(users._tables, FakeTables):
            give(users, app, sent("b"))  # between reading and writing
        return PromotionUser(Given((*user.given.sent, sent("c"))))

    users.change(app, slow)

    assert [one.store_id for one in users.read(app).given.sent] == [*seen[-1], "c"]
    assert seen in ([["a"]], [["a"], ["a", "b"]])


def test_who_is_overtaken_by_the_first_to_insert_decides_again(users):
    app, seen = next(apps), []

    def slow(user):
        seen.append(len(user.given.sent))
        if len(seen) == 1:
            give(users, app, sent("b"))
        return PromotionUser(Given((*user.given.sent, sent("c"))))

    users.change(app, slow)

    assert seen == [0, 1]
    assert [one.store_id for one in users.read(app).given.sent] == ["b", "c"]


def test_new_users_are_begun_together_and_nobody_who_is_known(users):
    new, known = [next(apps) for _ in range(40)], next(apps)
    give(users, known, sent("a"))

    begun = users.begin([*new, known], lambda app: PromotionUser(Given((sent(app),))))
    again = users.begin(new, lambda _: PromotionUser(Given((sent("z"),))))

    assert known not in begun
    assert again <= set(new) - begun
    assert len(begun) > len(new) / 2
    assert [users.read(app).given.sent for app in begun] == [(sent(app),) for app in begun]
    assert [one.store_id for one in users.read(known).given.sent] == ["a"]
    assert all(users.read(app) == PromotionUser() for app in set(new) - begun - again)


def test_of_many_new_users_a_known_one_keeps_few_from_being_begun_together(users):
    some = [next(apps) for _ in range(200)]
    known = some[100]
    give(users, known, sent("a"))

    begun = users.begin(some, lambda _: PromotionUser(Given((sent("b"),))))

    assert known not in begun
    assert len(begun) >= 200 - 8
    assert all(users.read(app).given.sent == (sent("b"),) for app in begun)
    assert users.read(known).given.sent == (sent("a"),)


def test_who_gets_nothing_is_not_begun(users):
    app = next(apps)

    assert users.begin([app], lambda _: PromotionUser()) == set()
    assert users.begin([], lambda _: PromotionUser()) == set()


def test_users_are_swept_when_what_they_got_matters_no_more(users):
    old, new, gone = next(apps), next(apps), next(apps)
    give(users, old, sent("a"))
    give(users, new, sent("a", 60))
    users.change(gone, lambda _: PromotionUser(gone_at=NOON))

    before, after = swept(users, NOON + KEEP - timedelta(minutes=1)), swept(users, NOON + KEEP + timedelta(minutes=30))

    assert after >= 1
    assert users.read(old) == PromotionUser()
    assert users.read(new) != PromotionUser()
    assert users.read(gone).gone_at == NOON
    assert before == 0 or users.read(new) != PromotionUser()


def test_so_many_are_swept_and_no_more(users):
    for _ in range(3):
        give(users, next(apps), sent("a"))
    late = NOON + timedelta(days=400)

    per_bucket = [users.sweep(bucket, late, 1) for bucket in range(BUCKETS)]

    assert max(per_bucket) == 1


def test_a_user_that_was_renewed_while_it_was_swept_stays(users, monkeypatch):
    app = next(apps)
    give(users, app, sent("a"))
    query, late = users._tables.query, NOON + timedelta(days=3)

    def renewed(*given):
        found = query(*given)
        if any(True for _ in found):
            users.change(app, lambda _: PromotionUser(Given((Sent("b", "p", late),))))
        return found

    monkeypatch.setattr(users._tables, "query", renewed)
    swept(users, late)

    assert [one.store_id for one in users.read(app).given.sent] == ["b"]
