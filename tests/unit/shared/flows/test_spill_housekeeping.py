"""Housekeeping of the spill: what nobody reminds of, what killed the function, what a person must know, what is old."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clients.event_grid.fake import FakeTopic
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.domain.redriving import DIED, MESSAGE_TRUSTED
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import Unavailable
from shared.flows import spill_housekeeping
from shared.flows.announce import WindowEvents, marker_path
from shared.flows.spill_housekeeping import SPILL_DEAD, SpillHousekeepingTools, look_after_spill
from tests.unit.shared.flows.spill_fakes import MINUTE, NOON, WINDOW, SpillWorld, events

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class House(SpillWorld):
    """The spill with the ledger of its windows. alerts: what persons were told."""

    def __init__(self, after_dead="pass"):
        super().__init__(after_dead)
        self.ledger, self.alerts, self.alert_failure = FakeLedger(), [], None
        self.reference = FakeReference(lambda: self.now)
        window = Window("trades", NOON - HOUR, NOON)
        stream = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
        template = PlanTemplate(HOUR, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (stream,))
        plan = template.freeze(window, NOON - HOUR, "", {}).as_wire()
        self.ledger.claim(WindowRow(window, "closed", "timer", NOON - HOUR, plan))

    async def look(self):
        window_events = WindowEvents(self.ledger, self.hubs, self.reference, self.spill, FakeTopic(), lambda: self.now)
        return await look_after_spill(
            SpillHousekeepingTools(
                self.spill, window_events, self._alert, self.after_dead, 7 * DAY, 90 * DAY, ["transactions"]
            )
        )

    def _alert(self, row, reason):
        if self.alert_failure:
            raise self.alert_failure
        self.alerts.append((row.window.id, reason))

    def marked(self):
        """Give what the end of the window says of its spill, None where there is none."""
        marker = self.reference.read(marker_path(WINDOW))
        return marker and json.loads(marker)["spill"]


@pytest.fixture
def house():
    return House()


async def test_a_blob_without_its_message_is_found_and_redriven(house):
    house.keep(0, events("a"))
    house.spill.queue.messages.clear()
    house.now += MESSAGE_TRUSTED

    (sentence,) = await house.look()
    await house.deliver()

    assert sentence.startswith("Stream trades has records that wait since 2026-11-22T12:00")
    assert house.sent() == ["a"]


async def test_a_blob_whose_message_is_only_late_is_left_alone(house):
    house.keep(0, events("a"))
    house.now += MESSAGE_TRUSTED - MINUTE / 60

    assert await house.look() == []
    assert len(house.spill.queue.messages) == 1


async def test_looking_again_and_again_during_an_outage_neither_hurries_the_redriver_nor_fills_the_queue(house):
    house.hubs.fail_next("unavailable", 1_000)
    batch = house.keep(0, events("a"))

    for _ in range(6 * 12):
        await house.deliver()
        await house.look()
        for _ in range(30):
            house.now += MINUTE / 6
            await house.deliver()

    assert house.spill.batch(batch.path).tries <= 6 * 12 + 10
    assert len(house.spill.queue.messages) <= 4


async def test_what_the_function_dies_of_is_tried_ten_times_and_then_buried_so_that_others_go_on(house):
    house.keep(0, events("a"))
    house.keep(1, events("b"))
    read = house.spill.read

    def deadly(path):
        if "000000" in path:
            raise MemoryError
        return read(path)

    house.spill.read = deadly
    for _ in range(4):
        for _ in range(10):
            await house.deliver()
            house.now += MINUTE / 2
        for text in house.poison:
            house.spill.poisoned.put(text)
        house.poison.clear()
        await house.look()

    await house.deliver()
    assert house.sent() == ["b"]
    assert house.states() == {"000000": ("dead", 2), "000001": ("redriven", 2)}
    (dead,) = house.spill.dead.documents()
    assert dead["reason"] == DIED
    assert house.spill.poisoned.messages == []
    assert set(house.told) == {WINDOW}


async def test_one_who_died_of_a_passing_fault_is_given_one_more_chance(house):
    batch = house.keep(0, events("a"))
    house.spill.poisoned.put(house.spill.queue.messages.pop().text)

    (sentence,) = await house.look()

    assert sentence == f"The function died five times at {batch.path} (2 records). It is tried once more."
    assert house.spill.batch(batch.path) == replace(batch, reason=DIED)
    assert [document["path"] for document in house.spill.queue.documents()] == [batch.path]


async def test_what_the_function_died_of_at_one_hub_is_not_looked_for_at_another(house):
    house.keep(0, events("a"), hub="second")
    deadly = house.keep(1, events("b"))
    house.spill.poisoned.put(house.spill.queue.messages[1].text)

    (sentence,) = await house.look()

    assert sentence.startswith(f"The function died five times at {deadly.path}")
    assert [batch.reason for batch in house.spill.batches()] == ["", DIED]


async def test_many_messages_that_died_together_cost_no_good_batch(house):
    for number in range(100):
        house.keep(number, events(f"{number}"))
    house.spill.poisoned.messages, house.spill.queue.messages = house.spill.queue.messages, []

    await house.look()

    assert {batch.state for batch in house.spill.batches()} == {"waiting"}
    assert house.spill.poisoned.messages == []
    assert len(house.spill.queue.messages) == 1


@pytest.mark.parametrize("text", ["{", "[1]", "\0"])
async def test_poison_that_names_no_batch_is_told_of_and_deleted(house, text):
    house.spill.poisoned.put(text)

    (sentence,) = await house.look()

    assert "names no batch" in sentence
    assert house.spill.poisoned.messages == []


async def test_poison_of_a_stream_that_is_drained_is_deleted(house):
    house.spill.mark(replace(house.keep(0, events("a")), state="redriven"))
    house.spill.poisoned.put(house.spill.queue.messages.pop().text)

    sentence, _ = await house.look()

    assert "nothing is due any more" in sentence
    assert house.spill.poisoned.messages == []


async def test_a_person_is_told_once_of_a_windows_dead_batches(house):
    house.hubs.limit = 1
    house.keep(0, events("xx"), events("a", key="ETH"))
    house.keep(1, events("yy"))
    await house.deliver()

    await house.look()
    await house.look()

    ((window_id, reason),) = house.alerts
    assert window_id == WINDOW
    assert reason == "4 spilled records in 2 batches are dead. The first: an event of 2 bytes: it is over 1 bytes"
    assert SPILL_DEAD in house.ledger.window(WINDOW).announced


async def test_while_nobody_can_be_told_it_is_tried_at_the_next_look(house):
    house.keep(0, events("a"), state="dead", reason="no such hub")
    house.alert_failure = Unavailable("The database is away.")

    await house.look()
    house.alert_failure = None
    await house.look()

    assert len(house.alerts) == 1


async def test_an_alert_that_can_not_be_worded_is_logged_and_costs_nothing_else(house, caplog):
    house.keep(0, events("a"), state="dead", reason="no such hub")
    house.alert_failure = KeyError("streams")

    await house.look()

    assert "window.no_alert" in caplog.text
    assert SPILL_DEAD in house.ledger.window(WINDOW).announced


async def test_dead_batches_of_a_window_that_the_ledger_does_not_know_cost_nothing_else(house):
    house.keep(0, events("a"), window="trades-20200101T000000Z", state="dead", reason="no such hub")
    house.keep(1, events("b"), state="dead", reason="no such hub")

    await house.look()

    assert [window_id for window_id, _ in house.alerts] == [WINDOW]


async def test_what_is_settled_is_purged_dead_batches_much_later_and_what_waits_never(house):
    for number, state in enumerate(("redriven", "discarded", "dead", "waiting")):
        house.keep(number, events(f"{number}"), state=state)

    house.now += 7 * DAY
    await house.look()
    assert len(house.spill.batches()) == 4

    house.now += MINUTE
    assert "1 spilled batches" in " ".join(await house.look())
    assert {batch.state for batch in house.spill.batches()} == {"dead", "discarded", "waiting"}

    house.now += 84 * DAY
    assert "2 dead or discarded batches were deleted" in " ".join(await house.look())
    assert {batch.state for batch in house.spill.batches()} == {"waiting"}


async def test_no_more_is_purged_in_one_look_than_it_has_time_for(house, monkeypatch):
    monkeypatch.setattr(spill_housekeeping, "MOST_BATCHES_PURGED", 2)
    for number in range(3):
        house.keep(number, events(f"{number}"), state="redriven")
    house.now += 8 * DAY

    await house.look()
    assert len(house.spill.batches()) == 1
    await house.look()
    assert house.spill.batches() == []


async def test_where_storage_is_away_the_step_is_taken_again(house):
    house.spill.failure = Unavailable("Storage is away.")

    with pytest.raises(Unavailable):
        await house.look()


async def test_a_window_that_a_killed_redriver_did_not_tell_of_is_told_of_once(house):
    batch = house.keep(0, events("a"))
    assert (await house.look(), house.marked()) == ([], None)
    house.spill.mark(replace(batch, state="redriven"))

    (sentence,) = await house.look()

    assert sentence == f"What became of the spill of window {WINDOW} was written into its end."
    assert house.marked()["trades"]["waiting_of_all_tries"] == 0
    assert "drained" in house.ledger.window(WINDOW).announced
    assert await house.look() == []


async def test_a_window_whose_end_was_deleted_long_after_is_not_told_of_again(house):
    house.spill.mark(replace(house.keep(0, events("a")), state="discarded"))
    await house.look()
    house.reference.delete(marker_path(WINDOW))
    house.now += 8 * DAY

    assert (await house.look(), house.marked()) == ([], None)


class Unreadable:
    """A reference store that can't be read."""

    def __init__(self, fault):
        self.fault = fault

    def read(self, path):
        raise self.fault


@pytest.mark.parametrize("fault", [Unavailable("Storage is away."), KeyError("streams")])
async def test_a_window_that_can_not_be_told_of_is_logged_and_told_of_at_the_next_look(house, caplog, fault):
    house.spill.mark(replace(house.keep(0, events("a")), state="redriven"))
    reference, house.reference = house.reference, Unreadable(fault)
    await house.look()
    assert "spill.not_told" in caplog.text

    house.reference = reference
    await house.look()
    assert house.marked() is not None


async def test_an_alert_that_can_not_be_raised_costs_neither_another_nor_the_purge(house):
    later = Window("trades", NOON, NOON + HOUR)
    house.ledger.claim(WindowRow(later, "closed", "timer", NOON))
    house.keep(0, events("a"), state="dead", reason="no such hub")
    house.keep(0, events("b"), window=later.id, state="dead", reason="no such hub")
    house.keep(1, events("c"), state="redriven")
    house.now += 8 * DAY
    alert, raised = house._alert, []

    def failing(row, reason):
        if row.window.id == WINDOW and not raised:
            raised.append(row)
            raise Unavailable("The database is away.")
        alert(row, reason)

    house._alert = failing
    await house.look()

    assert [window_id for window_id, _ in house.alerts] == [later.id]
    assert {batch.state for batch in house.spill.batches()} == {"dead"}
    await house.look()
    assert [window_id for window_id, _ in house.alerts] == [later.id, WINDOW]


async def test_a_window_id_that_is_none_costs_nothing_else(house):
    house.keep(0, events("a"), window="trades-20269922T110000Z", state="dead", reason="no such hub")
    house.keep(1, events("b"), state="dead", reason="no such hub")

    await house.look()

    assert [window_id for window_id, _ in house.alerts] == [WINDOW]


async def test_the_spill_is_listed_once_in_a_look(house):
    for number, state in enumerate(("redriven", "discarded", "dead", "waiting")):
        house.keep(number, events(f"{number}"), window="trades-20200101T000000Z", state=state)
    house.spill.poisoned.put(house.spill.queue.messages[-1].text)
    house.now += 91 * DAY
    listed, batches = [], house.spill.batches

    def counting(prefix="", states=()):
        listed.append(prefix)
        return batches(prefix, states)

    house.spill.batches = counting
    await house.look()

    assert (listed, [batch.state for batch in batches()]) == ([""], ["waiting"])
