"""The bundle as each target would deploy it, and the wheel as it is built."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from check_bundle import Wheel, read_wheel
from hub_stage import PYTHON, ROOT

BUNDLE = ROOT / "databricks"


@pytest.fixture(scope="session")
def targets() -> Mapping[str, Any]:
    command = [str(PYTHON), "-m", "emulators.databricks.deployment", str(BUNDLE)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {target["target"]: target for target in map(json.loads, printed.splitlines())}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=BUNDLE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return read_wheel(*folder.glob("*.whl"))


@pytest.fixture
def follow_window(targets: Mapping[str, Any]) -> Mapping[str, Any]:
    return targets["prod"]["resources"]["jobs"]["follow_window"]


@pytest.fixture
def arguments(follow_window: Mapping[str, Any]) -> Mapping[str, str]:
    (task,) = follow_window["tasks"]
    return task["python_wheel_task"]["named_parameters"]


@pytest.fixture
def maintenance(targets: Mapping[str, Any]) -> Mapping[str, str]:
    (task,) = targets["prod"]["resources"]["jobs"]["maintenance"]["tasks"]
    return task["python_wheel_task"]["named_parameters"]
