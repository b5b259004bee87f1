import msgspec
import pytest

from emulators.event_grid.faults import Fault, Faults


def faults_of(clock=lambda: 100.0, **fault):
    faults = Faults(clock)
    faults.add(Fault(**fault))
    return faults


def test_a_fault_meets_as_many_deliveries_as_it_says():
    faults = faults_of(kind="duplicate", count=2)

    met = [bool(faults.take("duplicate", "orders")) for _ in range(3)]

    assert met == [True, True, False]
    assert faults.active() == []


def test_a_fault_meets_its_own_subscription_and_kind_only():
    faults = faults_of(kind="late", subscription="orders")

    assert faults.take("late", "another") is None
    assert faults.take("duplicate", "orders") is None
    assert faults.take("late", "orders").seconds == 5.0


def test_the_topic_is_down_for_its_seconds():
    moments = iter([100.0, 100.0, 102.9, 103.0])
    faults = faults_of(lambda: next(moments), kind="topic_down", seconds=3)

    assert [faults.is_topic_down() for _ in range(3)] == [True, True, False]


def test_all_faults_end_at_once():
    faults = faults_of(kind="topic_down", seconds=3)

    faults.clear()

    assert not faults.is_topic_down()


@pytest.mark.parametrize("fault", [b'{"kind":"other"}', b'{"kind":"late","count":0}', b'{"kind":"late","secs":1}'])
def test_a_malformed_fault_is_refused(fault):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(fault, type=Fault)
