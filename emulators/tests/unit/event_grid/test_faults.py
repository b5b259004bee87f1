import msgspec
import pytest

from emulators.event_grid.faults import FaultOrder, Faults


def standing(**order):
    faults = Faults()
    faults.add(FaultOrder(**order), now=100.0)
    return faults


def test_an_order_hits_as_many_deliveries_as_it_says():
    faults = standing(kind="duplicate", count=2)

    hits = [bool(faults.strike("duplicate", "enrichment")) for _ in range(3)]

    assert hits == [True, True, False]
    assert faults.report(100.0) == []


def test_an_order_hits_its_own_subscription_and_kind_only():
    faults = standing(kind="late", subscription="enrichment")

    assert faults.strike("late", "another") is None
    assert faults.strike("duplicate", "enrichment") is None
    assert faults.strike("late", "enrichment").seconds == 5.0


def test_the_topic_is_down_for_its_seconds():
    faults = standing(kind="topic_down", seconds=3)

    assert [faults.is_topic_down(now) for now in (100.0, 102.9, 103.0)] == [True, True, False]
    assert faults.report(101.0)[0]["seconds_left"] == 2.0


def test_all_orders_end_at_once():
    faults = standing(kind="topic_down", seconds=3)

    faults.clear()

    assert not faults.is_topic_down(100.0)


@pytest.mark.parametrize("order", [b'{"kind":"other"}', b'{"kind":"late","count":0}', b'{"kind":"late","secs":1}'])
def test_a_malformed_order_is_refused(order):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(order, type=FaultOrder)
