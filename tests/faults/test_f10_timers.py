"""F10: timers that are missed, fire twice or late, fifty starters at once, and clocks that are five minutes off."""

import itertools

from shared.clients.storage.windows import TableLedger
from tests.faults.timers import STARTERS, Hosts


def test_each_window_is_ingested_by_exactly_one_instance_whatever_the_timers_do(tables, sized, figures):
    ledger = TableLedger(tables)
    runs = [Hosts(ledger, seed) for seed in range(sized(1, 20))]
    for hosts in runs:
        with hosts.tasks:
            hosts.live(hours=5)
            hosts.ended = hosts.tasks.ended()

    rows = [row for hosts in runs for row in ledger.windows(hosts.feed)]
    completed = [name for hosts in runs for name, one in hosts.ended.items() if one.status == "Completed"]
    begun = [name for hosts in runs for name in hosts.begun]
    closed = [name for hosts in runs for name in hosts.closed]
    ingested = [times for hosts in runs for times in hosts.ingested.values()]
    assert {row.state for row in rows} == {"closed"}
    assert sum(hosts.ticks for hosts in runs) > STARTERS * 5 * len(runs)
    figures.all_of("windows with exactly one completed instance", completed_once(rows, completed, closed), len(rows))
    figures.exactly("windows begun again", len(begun) - len(set(begun)), 0)
    figures.exactly("slices ingested again", sum(times - 1 for times in ingested), 0)
    figures.exactly("windows that overlap, or leave time between them", sum(map(breaks, runs)), 0)
    figures.exactly("missed windows out of order", sum(map(disordered, runs)), 0)
    figures.at_least("missed windows that were back-filled", sum(row.queued for row in rows), 6 * len(runs))


def completed_once(rows, completed, closed):
    """Count the windows whose instance is completed, and which were closed once."""
    return sum(row.window.id in completed and closed.count(row.window.id) == 1 for row in rows)


def breaks(hosts):
    """Count where a window does not begin when the one before it ends."""
    windows = sorted((row.window for row in hosts.ledger.windows(hosts.feed)), key=lambda window: window.start)
    return sum(first.end != second.start for first, second in itertools.pairwise(windows))


def disordered(hosts):
    """Count the missed windows that began before the earlier ones of their queue."""
    queued = {row.window.id for row in hosts.ledger.windows(hosts.feed) if row.queued}
    order = [name for name in hosts.begun if name in queued]
    return sum(second < first for first, second in itertools.pairwise(order))
