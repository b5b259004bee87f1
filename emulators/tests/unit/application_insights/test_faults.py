import msgspec
import pytest

from emulators.application_insights.faults import BEFORE, Fault, Faults


def test_a_fault_answers_the_usual_status_of_its_kind_or_the_one_that_is_named():
    assert (Fault("unavailable").answered, Fault("unavailable", status=500).answered) == (503, 500)
    assert (Fault("quota").answered, Fault("quota", status=439).answered) == (402, 439)


def test_what_keeps_a_request_out_leaves_the_others_alone():
    faults = Faults()
    faults.add(Fault("slow"))
    faults.add(Fault("denied", count=2))

    assert [bool(faults.take(*BEFORE)) for _ in range(3)] == [True, True, False]
    assert [one["kind"] for one in faults.active()] == ["slow"]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"kind": "x"},
        {"kind": "slow", "count": 0},
        {"kind": "quota", "status": 500},
        {"kind": "redirect"},
        {"kind": "partial", "items": 0},
        {"kind": "slow", "x": 1},
    ],
)
def test_an_order_that_means_nothing_is_refused(order):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(order, Fault)
