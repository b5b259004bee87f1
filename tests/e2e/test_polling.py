"""A host that delivers as late as an idle one in Azure: a window in time is connected in time, one too late says so."""

import pytest

from local.demo.verification import UNEXPLAINED
from tests.e2e.delivering_late import LEAD

pytestmark = pytest.mark.timeout(480)


@pytest.fixture(scope="module")
def delivered(late_delivery):
    return late_delivery.result()


@pytest.mark.parametrize("name", ["too late", "in time", "payments"])
def test_window_is_closed_with_every_record(delivered, name):
    proof = delivered.proofs[name]

    assert delivered.windows[name]["state"] == "closed"
    assert proof.problems == ()
    assert proof.source == proof.distinct > 0
    assert UNEXPLAINED not in proof.duplicates


def test_host_delivers_late(delivered):
    assert max(delivered.lateness("in time", "late_begun")) > 1


def test_slice_with_enough_lead_is_connected_before_its_first_second(delivered):
    assert delivered.lateness("in time", "late_connected") == [0.0, 0.0]


def test_slice_that_begins_after_its_first_second_says_so_and_lacks_nothing(delivered):
    late = [row for row in delivered.windows["too late"]["slices"] if row["report"]["late_begun"] > LEAD + 1]

    origins = [{origin for market in row["report"]["markets"] for origin in market["sent"]} for row in late]
    assert late
    assert all("rest" in found for found in origins)
