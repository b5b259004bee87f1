"""F9: the process of a slice is killed at any point of its activity, and tried again: nothing is lost."""

import json
import random
import signal

import pytest

from shared.clients.storage.windows import TableLedger
from tests.faults.killing import kill, run
from tests.faults.slice_process import HUB, Place, ingest_once
from tests.faults.verdict import Arrival, Event, Told, judge
from tests.integration.sending.stage import read_back

MOST_KILLS_OF_A_SLICE = 3


@pytest.fixture
def place(storage, platform, tmp_path):
    return Place(storage, platform.connection(), platform.login(), tmp_path)


async def test_a_slice_that_is_killed_at_any_point_loses_nothing(place, platform, tables, sized, figures):
    kills, rolled, before = sized(8, 100), random.Random(9), platform.stored(HUB)
    plan = place.plan(slices=4 * kills)
    place.claim(plan)

    run(ingest_once, place, plan.as_wire(), 0)  # the first one starts the process from which all are forked
    longest = run(ingest_once, place, plan.as_wire(), 1)
    killed = {"SIGKILL": 0, "SIGTERM": 0}
    number = 1
    while sum(killed.values()) < kills:
        number += 1
        for _ in range(rolled.randint(1, MOST_KILLS_OF_A_SLICE)):
            by = rolled.choice([signal.SIGKILL, signal.SIGTERM])
            after = rolled.uniform(0, longest)
            killed[by.name] += kill(ingest_once, place, plan.as_wire(), number, after=after, by=by)
        run(ingest_once, place, plan.as_wire(), number)

    ledger = {Event(name, n): line for name, lines in place.records(plan) for n, line in enumerate(lines)}
    done = {event: line for event, line in ledger.items() if int(event.source.rpartition("/")[2]) <= number}
    verdict = judge(dict.fromkeys(done, Told.ACCEPTED), await arrivals(platform, before, ledger))
    attempts = TableLedger(tables).attempts(plan.window.id, 1)
    figures.at_least("kills by SIGKILL and SIGTERM", sum(killed.values()), kills)
    assert min(killed.values()) > 0
    figures.exactly("records lost", len(verdict.lost), 0)
    figures.exactly("records doubled after dedupe", verdict.doubled, 0)
    figures.exactly("records that nobody produced", len(verdict.phantom), 0)
    # A slice is tried again from its first record, whatever was acknowledged of it: the bar is a slice.
    figures.at_most("records sent again by a kill", verdict.doubled_raw / kills, len(done) / (number + 1))
    figures.all_of("killed slices that ended done", len(done_slices(attempts)), number + 1)


def done_slices(attempts):
    return {row.slice.number for row in attempts if row.state == "done"}


async def arrivals(platform, before, ledger):
    """Read what arrived; a record is known by its content, its key is the contract's."""
    known = {line.rstrip(b"\n"): event for event, line in ledger.items()}
    assert len(known) == len(ledger)
    bodies = [e.body_as_str().encode() for some in (await read_back(platform, HUB, before)).values() for e in some]
    return [
        Arrival(known.get(body.rstrip(b"\n"), Event("nobody", n)), json.loads(body)["transactionID"])
        for n, body in enumerate(bodies)
    ]
