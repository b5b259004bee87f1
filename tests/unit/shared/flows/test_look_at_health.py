import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.health import Dependency, is_ready
from shared.errors import Unavailable
from shared.flows import look_at_health
from shared.flows.look_at_health import REMEMBER, Health

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Watched:
    """A dependency `hub` that may be away or silent, beside `sql`, which is not asked."""

    def __init__(self):
        self.now, self.away, self.silent, self.asked = NOON, False, False, 0
        self.health = Health({"hub": self.ask}, {"sql": "it would wake"}, lambda: self.now)

    async def ask(self):
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise Unavailable("The hub is away.")


@pytest.fixture
def watched():
    return Watched()


async def test_what_answers_is_ready_and_what_is_not_asked_is_said_with_its_reason(watched):
    seen = await watched.health.look()

    assert seen == (Dependency("hub", "ready", "", NOON, NOON), Dependency("sql", "not_asked", "it would wake"))
    assert is_ready(seen)


async def test_what_fails_is_said_in_its_own_words_with_the_time_at_which_it_was_last_ready(watched):
    await watched.health.look()
    watched.now, watched.away = NOON + REMEMBER, True

    seen = await watched.health.look()

    assert seen[0] == Dependency("hub", "failed", "The hub is away.", NOON + REMEMBER, NOON)
    assert not is_ready(seen)


async def test_who_looks_often_asks_once_in_fifteen_seconds(watched):
    for second in (0, 5, 14.9):
        watched.now = NOON + timedelta(seconds=second)
        await watched.health.look()

    assert watched.asked == 1


async def test_who_is_silent_has_failed(watched, monkeypatch):
    monkeypatch.setattr(look_at_health, "ANSWER_WITHIN", 0.01)
    watched.silent = True

    seen = await watched.health.look()

    assert seen[0] == Dependency("hub", "failed", "no answer within 0.01 s", NOON, None)


async def test_a_fault_of_our_own_is_not_told_as_one_of_the_dependency(watched):
    watched.health.checks["hub"] = None

    with pytest.raises(TypeError):
        await watched.health.look()
