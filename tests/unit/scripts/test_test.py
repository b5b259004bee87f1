"""scripts/test with interpreters that only say how they were called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ("bash", "cat", "dirname", "nice")
APP, EMULATORS = "app:-m pytest", "emulators:-m pytest -n 2"
LAKEHOUSE = "lakehouse:-m pytest --config-file databricks/pyproject.toml"
STREAMS = [f"databricks/tests/integration/{name}" for name in ("jobs", "streams", "counting", "lake")]


class Clone:
    """A bare clone; `codes` says with what each suite ends."""

    def __init__(self, folder):
        self.root, self.bin = folder / "clone", folder / "bin"
        for path in (self.root / "scripts", self.root / "emulators", self.root / ".cache", self.bin):
            path.mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "test", self.root / "scripts")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def test(self, *words, **codes):
        self._interpreter(".venv", "[[ $PWD == */emulators ]] && suite=emulators || suite=app", codes)
        self._interpreter(".venv-lakehouse", "suite=lakehouse", codes)
        command = [str(self.bin / "bash"), str(self.root / "scripts" / "test"), *words]
        environment = {"PATH": str(self.bin), "LANG": os.defpath}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def _interpreter(self, venv, suite, codes):
        path = self.root / venv / "bin" / "python"
        path.parent.mkdir(parents=True, exist_ok=True)
        cases = "".join(f"[[ $suite == {name} ]] && exit {code}\n" for name, code in codes.items())
        path.write_text(f'#!{self.bin / "bash"}\n{suite}\necho "$suite:$*"\n{cases}exit 0\n')
        path.chmod(0o755)


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_all_suites_run_and_the_lakehouses_output_comes_last(clone):
    done = clone.test()

    called = [line for line in done.stdout.splitlines() if ":-m" in line]
    rest = " ".join(f"--ignore={folder}" for folder in STREAMS)
    assert called == [APP, EMULATORS, f"{LAKEHOUSE} databricks/tests {rest}", f"{LAKEHOUSE} {' '.join(STREAMS)}"]
    assert done.stdout.splitlines()[-1] == "The app: passed. The emulators: passed. The lakehouse: passed."
    assert done.returncode == 0


@pytest.mark.parametrize("suite", ["app", "emulators", "lakehouse"])
def test_one_suite_that_fails_fails_all_and_is_named(clone, suite):
    done = clone.test(**{suite: 3})

    assert done.returncode == 1
    assert len([line for line in done.stdout.splitlines() if ":-m" in line]) == 4
    summary = done.stdout.splitlines()[-1]
    assert f"The {suite}: failed (pytest ended with 3)." in summary
    assert summary.count("passed") == 2


def test_arguments_are_for_the_app_alone(clone):
    done = clone.test("tests/unit", "-x", app=4)

    assert (done.stdout, done.returncode) == ("app:-m pytest tests/unit -x\n", 4)
