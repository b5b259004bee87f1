import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.fake import FakeLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window
from shared.errors import LoginRefused, Unavailable
from shared.flows.stop_watch import BLIND, watching

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = Window("trades", NOON, NOON + timedelta(hours=1))


class Ledger(FakeLedger):
    """A ledger that fails the readings of its window after the first, so often, and then tells of a stop."""

    def __init__(self, failure, times):
        super().__init__()
        self.claim(WindowRow(WINDOW, "open", "timer", NOON))
        self.later, self.times, self.read = failure, times, 0

    @property
    def is_back(self):
        return self.read > 1 + self.times

    def window(self, window_id):
        self.read += 1
        if self.read > 1 and not self.is_back:
            raise self.later
        row = super().window(window_id)
        return replace(row, stop_at=NOON) if self.is_back else row


async def watched(ledger):
    """Watch until the ledger has answered again; gives the watch."""
    answered = asyncio.Event()

    async def soon(seconds):
        if ledger.is_back:
            answered.set()
        await asyncio.sleep(0)

    async with asyncio.timeout(10), watching(ledger, WINDOW.id, soon) as watch:
        await answered.wait()
    return watch


@pytest.mark.parametrize("failure", [LoginRefused("No such secret."), Unavailable("away"), KeyError("unforeseen")])
async def test_a_watch_whose_ledger_fails_whatever_the_error_asks_again_and_sees_the_stop(failure):
    watch = await watched(Ledger(failure, 5))

    assert watch() == NOON
    assert watch.warnings() == []


async def test_a_slice_that_was_blind_for_long_says_so_with_the_cause():
    watch = await watched(Ledger(LoginRefused("No such secret."), BLIND + 3))

    assert watch.warnings() == [f"The ledger could not be asked for a stop {BLIND + 3} times in a row: No such secret."]
