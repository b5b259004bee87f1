"""An Entra for the tests of identities, without faults at the beginning of each."""

import pytest

from tests.integration.identity.entra import order, running_entra


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with running_entra(tmp_path_factory.mktemp("identity")) as entra:
        yield entra


@pytest.fixture
def entra(running):
    yield running
    order(running.login, "DELETE")
