import msgspec
import pytest

from emulators.databricks.faults import Fault, Faults


@pytest.fixture
def faults():
    return Faults()


def test_nothing_is_wrong_by_itself(faults):
    assert faults.take("unavailable", "jobs/list") is None


def test_an_order_counts_down_and_is_gone(faults):
    faults.add(Fault("unavailable", count=2))

    taken = [faults.take("unavailable", "jobs/list") is not None for _ in range(3)]

    assert taken == [True, True, False]
    assert faults.active() == []


def test_an_order_for_one_call_leaves_the_others_alone(faults):
    faults.add(Fault("lost_answer", call="jobs/run-now"))

    assert faults.take("lost_answer", "runs/get") is None
    assert faults.take("lost_answer", "jobs/run-now") is not None


def test_orders_of_one_kind_come_in_their_order(faults):
    faults.add(Fault("fail_run", code="DRIVER_ERROR"))
    faults.add(Fault("fail_run", code="CLUSTER_ERROR"))

    assert [faults.take("fail_run").code for _ in range(2)] == ["DRIVER_ERROR", "CLUSTER_ERROR"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"kind":"flood"}', "kind"),
        (b'{"kind":"unavailable","call":"jobs/create"}', "call"),
        (b'{"kind":"slow_cancel"}', "seconds is required for kind slow_cancel"),
        (b'{"kind":"slow_start","seconds":1,"call":"jobs/list"}', "call means nothing"),
        (b'{"kind":"fail_run","code":"BROKEN"}', "code"),
        (b'{"kind":"lost_answer","count":0}', "count"),
        (b'{"kind":"lost_answer","size":3}', "size"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_by_field(body, complaint):
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(body, type=Fault)
