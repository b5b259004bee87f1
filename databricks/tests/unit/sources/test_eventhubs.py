"""Which ranges of a hub the Python source offers Spark, and which checkpoints it refuses."""

import pytest

from lakehouse.sources.eventhubs import CheckpointOfAnotherHub, HubStreamReader, OffsetRange
from lakehouse.sources.hub import Head, Hub

HUB = Hub("trades", "name.servicebus.windows.net", "tenant", "client", "a secret")


class AnsweringHub:
    def __init__(self, **last: int) -> None:
        self.created = "monday"
        self.last = {name.removeprefix("p"): number for name, number in last.items()}
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, hub, known):
        self.asked.append(tuple(known))
        return Head(self.created, dict(self.last))


def offset(created="monday", **last):
    return {"created": created, "last": {name.removeprefix("p"): number for name, number in last.items()}}


def test_a_new_query_begins_before_the_first_event_of_each_partition():
    reader = HubStreamReader(HUB, AnsweringHub(p0=41, p1=-1))

    assert reader.initialOffset() == offset(p0=-1, p1=-1)


def test_a_new_query_asks_the_hub_once():
    hub = AnsweringHub(p0=41)
    reader = HubStreamReader(HUB, hub)

    assert reader.latestOffset() == offset(p0=41)
    assert reader.initialOffset() == offset(p0=-1)
    assert hub.asked == [()]


def test_each_partition_with_news_is_one_range():
    reader = HubStreamReader(HUB, AnsweringHub(p0=41, p1=5))
    begin = reader.initialOffset()

    assert reader.partitions(begin, reader.latestOffset()) == [OffsetRange("0", -1, 41), OffsetRange("1", -1, 5)]
    assert reader.partitions(offset(p0=41, p1=3), offset(p0=41, p1=5)) == [OffsetRange("1", 3, 5)]


def test_a_partition_that_the_hub_was_given_later_is_read_from_its_beginning():
    reader = HubStreamReader(HUB, AnsweringHub(p0=1, p1=2))

    assert reader.partitions(offset(p0=1), offset(p0=1, p1=2)) == [OffsetRange("1", -1, 2)]


def test_a_restart_asks_the_hub_once_and_about_all_partitions_at_once():
    hub = AnsweringHub(p0=7, p1=7)
    reader = HubStreamReader(HUB, hub)

    assert reader.partitions(offset(p0=5, p1=5), offset(p0=5, p1=5)) == []
    assert reader.latestOffset() == offset(p0=7, p1=7)
    assert hub.asked == [("0", "1")]


def test_a_checkpoint_of_an_earlier_hub_is_refused_when_the_latest_offset_is_asked_for():
    reader = HubStreamReader(HUB, AnsweringHub(p0=9))
    reader.partitions(offset("sunday", p0=5), offset("sunday", p0=5))

    with pytest.raises(CheckpointOfAnotherHub, match=r"'trades' created at sunday.*created at monday.*checkpoint"):
        reader.latestOffset()


def test_a_checkpoint_of_an_earlier_hub_is_refused_before_an_uncommitted_batch_is_read():
    reader = HubStreamReader(HUB, AnsweringHub(p0=9))

    with pytest.raises(CheckpointOfAnotherHub, match="sunday"):
        reader.partitions(offset("sunday", p0=2), offset("sunday", p0=5))


def test_a_hub_made_anew_while_it_is_read_is_refused():
    hub = AnsweringHub(p0=9)
    reader = HubStreamReader(HUB, hub)
    reader.initialOffset()
    hub.created = "tuesday"

    with pytest.raises(CheckpointOfAnotherHub, match="tuesday"):
        reader.latestOffset()


def test_a_hub_does_not_show_its_secret():
    assert "a secret" not in repr(HUB)
