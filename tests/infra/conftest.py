import json
import subprocess
import sys

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


@pytest.fixture
def package(tmp_path):
    """Pack the app for a durable backend; gives the host.json in it."""

    def packed(durable):
        words = [sys.executable, ROOT / "scripts" / "package", "--folder", tmp_path / durable, "--durable", durable]
        subprocess.run(words, check=True, capture_output=True)
        return json.loads((tmp_path / durable / "host.json").read_text())

    return packed
