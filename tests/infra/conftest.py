import pytest

from infra.checks.terraform import ROOT, copy_of
from tests.infra.state import states_of

INIT = ("-no-color", "-input=false")


@pytest.fixture(scope="session")
def configuration(tmp_path_factory):
    """A copy of the configuration, ready to be asked."""
    copied = copy_of(ROOT / "infra", tmp_path_factory.mktemp("infra"))
    done = copied.run("init", *INIT)
    assert done.code == 0, done.output
    return copied


@pytest.fixture(scope="session")
def tested(configuration):
    """What `terraform test` ended with."""
    return configuration.run("test", "-json", "-verbose")


@pytest.fixture(scope="session")
def states(tested):
    return states_of(tested)


@pytest.fixture(params=["default", "published", "premium", "private", "everything"])
def state(request, states):
    """What each choice of options makes."""
    return states[request.param]
