"""The worker sets the log to INFO: there the app's own lines must arrive, and not drown in those of its libraries."""

import json
import subprocess
import sys

import pytest

from tests.architecture.log_through_libraries import LOGGERS
from tests.architecture.tree import ROOT


@pytest.fixture(scope="module")
def lines():
    command = [sys.executable, "-B", "-m", "tests.architecture.log_through_libraries"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", LOGGERS)
def test_only_the_app_says_at_info_what_it_does(lines, name):
    is_ours = name.startswith(("shared.", "blueprints."))

    assert (f"{name} INFO" in lines) == is_ours


@pytest.mark.parametrize("name", LOGGERS)
def test_what_is_wrong_arrives_whoever_says_it(lines, name):
    assert f"{name} WARNING" in lines
