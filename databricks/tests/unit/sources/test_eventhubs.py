"""Which ranges of a hub the Python source offers Spark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.eventhubs import HubStreamReader, OffsetRange
from lakehouse.sources.hub import Head, Hub

HUB = Hub("trades", "name.servicebus.windows.net", "tenant", "client", "a secret")
MONDAY, SUNDAY = "2026-11-23T10:00:00.000+00:00", "2026-11-22T10:00:00.000+00:00"
MUCH = 1_000_000


def reader(limit=MUCH, first=(), **last):
    lasts = {name.removeprefix("p"): number for name, number in last.items()}
    return HubStreamReader(HUB, Head(MONDAY, dict.fromkeys(lasts, 0) | dict(first), lasts), limit)


def offset(created=MONDAY, **last):
    return {"created": created, "last": {name.removeprefix("p"): number for name, number in last.items()}}


def batches(of):
    """Read as queries of one batch each do, the first of them without a checkpoint; gives each batch's ranges."""
    begin = of.initialOffset()
    while (end := of.latestOffset()) != begin:
        yield list(of.partitions(begin, end))
        begin = end


def test_a_new_query_begins_before_the_first_event_of_each_partition():
    assert reader(p0=41, p1=-1).initialOffset() == offset(p0=-1, p1=-1)


def test_each_partition_with_news_is_one_range():
    of = reader(p0=41, p1=5)
    begin = of.initialOffset()

    assert of.partitions(begin, of.latestOffset()) == [OffsetRange("0", -1, 41), OffsetRange("1", -1, 5)]
    assert of.partitions(offset(p0=41, p1=3), offset(p0=41, p1=5)) == [OffsetRange("1", 3, 5)]


def test_a_partition_that_the_hub_was_given_later_is_read_from_its_beginning():
    assert reader(p0=1, p1=2).partitions(offset(p0=1), offset(p0=1, p1=2)) == [OffsetRange("1", -1, 2)]


def test_a_restart_goes_on_where_the_checkpoint_is():
    of = reader(p0=7, p1=7)

    assert of.partitions(offset(p0=5, p1=5), offset(p0=5, p1=5)) == []
    assert of.latestOffset() == offset(p0=7, p1=7)


def test_a_batch_has_no_more_events_than_the_limit_over_all_partitions():
    of = reader(limit=10, p0=41, p1=41)

    assert of.latestOffset() == offset(p0=4, p1=4)


@given(
    st.dictionaries(st.sampled_from("0123"), st.tuples(st.integers(-1, 60), st.integers(0, 60)), min_size=1),
    st.integers(1, 50),
)
def test_batches_of_any_limit_have_each_event_that_the_hub_keeps_once(partitions, limit):
    last = {name: end for name, (end, _) in partitions.items()}
    first = {name: min(begin, last[name] + 1) for name, (_, begin) in partitions.items()}

    found = list(batches(HubStreamReader(HUB, Head(MONDAY, first, last), limit)))

    read = [(r.partition, n) for ranges in found for r in ranges for n in range(r.after + 1, r.last + 1)]
    assert sorted(read) == sorted((name, n) for name in last for n in range(first[name], last[name] + 1))
    assert all(sum(r.last - r.after for r in ranges) <= max(limit, len(last)) for ranges in found)


def test_what_retention_dropped_is_passed_over_without_a_batch_of_its_own():
    of = reader(limit=10, first={"0": 1_000_000}, p0=1_000_004)
    begin = of.initialOffset()

    assert of.partitions(begin, of.latestOffset()) == [OffsetRange("0", 999_999, 1_000_004)]


def test_a_partition_that_lost_all_its_events_is_gone_through_without_reading_it():
    of = reader(first={"0": 10}, p0=9)
    begin = of.initialOffset()

    assert of.latestOffset() == offset(p0=9)
    assert of.partitions(begin, of.latestOffset()) == []


def test_a_hub_made_anew_is_read_from_its_first_event():
    of = reader(p0=9)
    former = offset(SUNDAY, p0=500)
    of.partitions(former, former)

    assert of.latestOffset() == offset(p0=9)
    assert of.partitions(former, of.latestOffset()) == [OffsetRange("0", -1, 9)]


def test_an_uncommitted_batch_of_a_hub_that_is_gone_has_nothing():
    assert reader(p0=9).partitions(offset(SUNDAY, p0=2), offset(SUNDAY, p0=5)) == []


def test_a_checkpoint_that_spells_the_time_otherwise_is_of_the_same_hub():
    of = reader(p0=9)
    known = offset("2026-11-23T11:00:00+01:00", p0=5)
    of.partitions(known, known)

    assert of.partitions(known, of.latestOffset()) == [OffsetRange("0", 5, 9)]


def test_a_head_comes_through_a_text():
    head = Head(MONDAY, {"0": 3}, {"0": 9})

    assert Head.of_text(head.to_text()) == head


def test_a_hub_does_not_show_its_secret():
    assert "a secret" not in repr(HUB)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_limit_below_the_number_of_partitions_still_reads_on(limit):
    assert reader(limit=limit, p0=4, p1=4, p2=4, p3=4).latestOffset() == offset(p0=0, p1=0, p2=0, p3=0)
