"""An app whose host has little patience: a slice that hangs is ended with its process, and the window still ends."""

import pytest

from local.demo.verification import UNEXPLAINED
from tests.e2e.running_app import Grid, running_app
from tests.e2e.waiting import eventually

_SETTINGS = {
    "FEEDS": "payments",
    "PAYMENTS_SLICE_LENGTH": "00:00:05",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": "50",
    # .NET reads these names in any case and so does the host; the app, which would refuse a limit so near to its
    # slices' length, reads the documented spelling alone and sees host.json's.
    "AZUREFUNCTIONSJOBHOST__FUNCTIONTIMEOUT": "00:00:16",
}
MESSAGE = "Timeout value of 00:00:16 exceeded by function 'Functions.ingest_slice'"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    grid = Grid.never()
    settings = _SETTINGS | grid.settings(["PAYMENTS"])
    with running_app(tmp_path_factory.mktemp("e2e") / "impatient", grid, settings) as started:
        yield started


@pytest.fixture(scope="module")
def first_process(impatient):
    return impatient.process_id()


@pytest.fixture(scope="module")
def window(impatient, first_process):
    """A window whose slices hang, since the hub gives no answer until the host has been ended once."""
    impatient.hub_fault("stall", hub="transactions", share=1)
    (window_id,) = impatient.open("payments", seconds=10)
    eventually(lambda: MESSAGE in impatient.log, "the host said that functionTimeout was exceeded")
    impatient.calm()
    return impatient.ended(window_id)


def test_host_that_ended_a_hanging_slice_is_started_again(impatient, first_process, window):
    assert impatient.process_id() != first_process


def test_window_whose_slice_hung_is_closed_by_another_try(window):
    assert window["state"] == "closed"
    assert max(row["attempt"] for row in window["slices"]) >= 2


def test_nothing_is_lost_by_a_timeout(impatient, window):
    (proof,) = impatient.proofs(window)

    assert proof.problems == ()
    assert proof.source == proof.distinct
    assert UNEXPLAINED not in proof.duplicates
