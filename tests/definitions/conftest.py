"""The app as its worker indexes it."""

import json
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT


@pytest.fixture(scope="session")
def routes():
    """Give `("POST", "windows")` and so on, of every HTTP function."""
    command = [sys.executable, "-B", "-m", "tests.architecture.index_app"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    bindings = [binding for listed in json.loads(done.stdout).values() for binding in listed]
    http = [binding for binding in bindings if binding["type"] == "httpTrigger"]
    return {(method.upper(), binding["route"]) for binding in http for method in binding["methods"]}
