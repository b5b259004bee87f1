"""What the built wheel carries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hub_stage import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT / "databricks", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_carries_every_contract(wheel):
    folder = ROOT / "contracts"
    contracts = [f"lakehouse/contracts/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.json")]

    assert contracts
    assert set(contracts) <= set(wheel)


def test_the_wheel_carries_every_module_and_nothing_of_the_tests(wheel):
    source = ROOT / "databricks/src"
    modules = {path.relative_to(source).as_posix() for path in (source / "lakehouse").rglob("*.py")}

    assert modules <= set(wheel)
    assert not [name for name in wheel if "test" in Path(name).name]
