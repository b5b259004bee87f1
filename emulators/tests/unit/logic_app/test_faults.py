import msgspec
import pytest

from emulators.logic_app.faults import Fault, Faults


def test_an_order_concerns_as_many_requests_as_it_says():
    faults = Faults()
    faults.add(Fault(kind="slow", count=2))

    assert [bool(faults.take("slow")) for _ in range(3)] == [True, True, False]
    assert faults.active() == []


def test_orders_before_the_effect_come_in_turn_and_leave_the_others_alone():
    faults = Faults()
    for kind in ("lost_answer", "redirect", "unavailable"):
        faults.add(Fault(kind=kind))

    assert [faults.take_before().kind for _ in range(2)] == ["redirect", "unavailable"]
    assert faults.take_before() is None
    assert [one["kind"] for one in faults.active()] == ["lost_answer"]


def test_all_orders_end_at_once():
    faults = Faults()
    faults.add(Fault(kind="slow"))

    faults.clear()

    assert faults.active() == []


@pytest.mark.parametrize("order", [{}, {"kind": "x"}, {"kind": "slow", "count": 0}, {"kind": "slow", "x": 1}])
def test_an_order_that_means_nothing_is_refused(order):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(order, Fault)
