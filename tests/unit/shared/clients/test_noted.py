from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.noted import Noted
from shared.clients.sql.fake import FakeRows
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.exports import NOTED_EVERY
from shared.errors import SendFailed, Unavailable

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ORDER = (
    b'{"order_id":"00000001-0000-8000-8000-000000000000","user_id":1,'
    b'"order_date":"2026-11-27T11:59:59.123Z","order_value":10.50}'
)


class Sending:
    """A table whose writing is noted, at a time that a test sets."""

    def __init__(self):
        self.now, self.notes, self.failure = NOON, [], None
        self.table = FakeRows(load_contract("orders/1"))
        self.sender = Noted(self.table, self.note, lambda: self.now)

    def note(self, at):
        if self.failure:
            raise self.failure
        self.notes.append((at, len(self.table.stored)))

    async def send(self, **later):
        self.now += timedelta(**later)
        return await self.sender.send([Event(ORDER, 1, {})])


@pytest.fixture
def sending():
    return Sending()


async def test_it_is_noted_before_the_first_row_is_there(sending):
    delivery = await sending.send()

    assert delivery.accepted == 1
    assert sending.notes == [(NOON, 0)]


async def test_it_is_noted_again_each_minute_and_not_with_each_send(sending):
    for _ in range(5):
        await sending.send(seconds=NOTED_EVERY.total_seconds() / 2)

    assert len(sending.notes) == 3


async def test_what_can_not_be_noted_is_not_written(sending):
    sending.failure = Unavailable("The tables are away.")
    with pytest.raises(SendFailed, match="The tables are away"):
        await sending.send()
    assert not sending.table.stored

    sending.failure = None
    assert (await sending.send()).accepted == 1
