"""Users who are remembered: what is decided of them is what would be decided from their rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.fake import FakeTables
from shared.clients.storage.promotion_users import PromotionUser, TablePromotionUsers
from shared.clients.storage.remembered_users import RememberedUsers
from shared.domain.promotions import Candidate, Given, Rules, Sent, decide
from shared.errors import Unavailable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FOREVER = datetime(2099, 1, 1, tzinfo=UTC)
KEEP = timedelta(hours=25)
points = st.tuples(st.integers(0, 5), st.integers(0, 40))  # a store, and the hour
batches = st.lists(points, min_size=1, max_size=4)


class Counted(FakeTables):
    """Tables that count how often a row was asked for."""

    __slots__ = ("asked",)

    def __init__(self):
        super().__init__()
        self.asked = 0

    def change(self, *given):
        self.asked += 1
        return super().change(*given)


@pytest.fixture
def tables():
    return Counted()


def promoted(change_user, batch, app="app"):
    """Decide a batch as promoting does; gives what is sent."""
    decisions = []

    def change(user):
        decisions.append(decide(candidates(batch, app), user.given, Rules()))
        return PromotionUser(decisions[-1].given, user.gone_at)

    change_user(app, change)
    return decisions[-1].promoted


def candidates(batch, app):
    return [
        Candidate(app, f"s{store}", "p", store, 1.0, NOON + timedelta(hours=hour), FOREVER) for store, hour in batch
    ]


def users_in(tables):
    return TablePromotionUsers(tables, KEEP)


@given(st.lists(st.tuples(batches, st.integers(0, 2)), min_size=1, max_size=8), st.randoms())
def test_any_number_of_processes_that_remember_send_what_one_without_memory_would_repeats_too(history, rolled):
    repeated = history + rolled.sample(history, len(history) // 2)
    alone, together = users_in(FakeTables()), users_in(FakeTables())
    processes = [RememberedUsers(together, most=1) for _ in range(3)]

    for batch, number in repeated:
        expected = promoted(alone.change, batch)
        assert promoted(processes[number].change, batch) == expected

    assert together.read("app") == alone.read("app")


def test_of_a_user_who_was_met_it_is_known_without_a_table_whether_anything_changes(tables):
    users, stays, renewed = RememberedUsers(users_in(tables)), lambda user: user, lambda _: PromotionUser(gone_at=NOON)
    unknown = users.keeps("app", stays)
    users.change("app", lambda user: replace(user, given=Given((Sent("s", "p", NOON),))))
    asked = tables.asked

    assert (unknown, users.keeps("app", stays), users.keeps("app", renewed)) == (False, True, False)
    assert tables.asked == asked
    assert users_in(tables).keeps("app", stays) is False


def test_a_user_of_whom_nothing_changes_is_not_asked_for_again(tables):
    users = RememberedUsers(users_in(tables))
    batch = [(0, 0), (1, 0), (2, 0)]

    first = promoted(users.change, batch)
    asked = tables.asked
    again, another = promoted(users.change, batch), promoted(users.change, [(3, 1)])

    assert first == again
    assert len(first) == 3
    assert another == ()
    assert tables.asked == asked


def test_a_user_who_is_remembered_is_read_from_memory_and_another_one_once(tables, monkeypatch):
    users, reads = RememberedUsers(users_in(tables)), []
    promoted(users.change, [(0, 0)])
    read = FakeTables.read
    monkeypatch.setattr(Counted, "read", lambda self, *key: (reads.append(key), read(self, *key))[1])

    found = [users.read(app) for app in ("app", "another", "another", "app")]

    assert [len(user.given.sent) for user in found] == [1, 0, 0, 1]
    assert len(reads) == 1


def test_a_device_that_is_found_gone_is_kept_as_gone(tables):
    users, other = RememberedUsers(users_in(tables)), RememberedUsers(users_in(tables))
    promoted(users.change, [(0, 0)])
    promoted(other.change, [(1, 0)])

    users.change("app", lambda user: replace(user, gone_at=user.gone_at or NOON))

    assert users.read("app").gone_at == NOON
    assert users_in(tables).read("app") == PromotionUser(users.read("app").given, NOON)
    assert len(users.read("app").given.sent) == 2


def test_what_another_process_gave_counts(tables):
    users, other = RememberedUsers(users_in(tables)), RememberedUsers(users_in(tables))
    promoted(users.change, [(0, 0)])
    promoted(other.change, [(1, 0), (2, 0)])

    assert promoted(users.change, [(3, 0)]) == ()


def test_only_who_was_not_met_is_begun_and_remembered_then(tables):
    users = RememberedUsers(users_in(tables))
    promoted(users.change, [(0, 0)], "met")
    asked = tables.asked

    begun = users.begin(["met", "new"], lambda app: PromotionUser(Given((Sent(f"of {app}", "p", NOON),))))
    found = [users.read(app).given.sent[0].store_id for app in ("met", "new")]

    assert (begun, found) == ({"new"}, ["s0", "of new"])
    assert tables.asked == asked


def test_who_was_begun_by_another_process_is_not_remembered_as_new(tables):
    users, other = RememberedUsers(users_in(tables)), RememberedUsers(users_in(tables))
    promoted(other.change, [(0, 0), (1, 0), (2, 0)])

    begun = users.begin(["app"], lambda _: PromotionUser(Given((Sent("s3", "p", NOON),))))

    assert begun == set()
    assert promoted(users.change, [(3, 0)]) == ()


def test_those_who_were_not_met_for_longest_are_forgotten(tables):
    users = RememberedUsers(users_in(tables), most=2)
    for app in ("a", "b", "a", "c"):
        promoted(users.change, [(0, 0)], app)
    asked = tables.asked

    promoted(users.change, [(0, 0)], "a")
    promoted(users.change, [(0, 0)], "c")
    assert tables.asked == asked
    promoted(users.change, [(0, 0)], "b")

    assert tables.asked == asked + 1


def test_what_could_not_be_written_is_not_remembered(tables, monkeypatch):
    users = RememberedUsers(users_in(tables))

    def away(*_):
        raise Unavailable("away")

    with monkeypatch.context() as context:
        context.setattr(Counted, "insert", away)
        with pytest.raises(Unavailable):
            promoted(users.change, [(0, 0)])

    assert len(promoted(users.change, [(0, 0)])) == 1
    assert len(users.users.read("app").given.sent) == 1
